//! The `Chain` port, by whichever node answers.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ports::{
    AsideReason, BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView,
    EpochInfo, Executed, GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation,
    SubmitError, SuiNodeReport, TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::sui_nodes::{Node, SuiNodes};

#[async_trait]
impl Chain for SuiNodes {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.ask(|node| node.identity()).await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.ask(|node| node.height()).await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.ask(|node| node.checkpoint_time(checkpoint)).await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.ask(|node| node.epoch()).await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.ask(|node| node.badges(owner)).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.ask(|node| node.gas_coins(owner)).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.ask(|node| node.object(id)).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.ask(|node| node.view(query)).await
    }

    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        // Offline, and all of them know the same.
        match self.in_order().first() {
            Some((_, node)) => node.of(self.priority).build(plan),
            None => Err(ChainError::Malformed { what: "a node" }),
        }
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        self.ask(|node| node.simulate(transaction, gas)).await
    }

    /// Submits to one node. Whether to send the bytes again, and where, is up to the caller: until then nobody
    /// knows whether this node has passed them on.
    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        let order = self.in_order();
        let Some((place, node)) = order.first() else {
            let none = ChainError::Malformed { what: "a node" };
            return Err(SubmitError::Unknown(none.into()));
        };
        let executed = node.of(self.priority).execute(transaction).await;
        match &executed {
            Ok(_) => {
                node.standing.note_answer();
                self.bind(*place);
            }
            Err(SubmitError::Unknown(source)) => {
                if let Some(error) = source.downcast_ref::<ChainError>() {
                    self.note_error(node, error);
                }
            }
            Err(SubmitError::Refused(_)) => {}
        }
        executed
    }

    /// What any node shows as executed is executed. So a node that shows nothing is not the last one asked.
    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        let answer = self.ask(|node| node.lookup(digest)).await;
        if matches!(answer, Ok(Some(_))) || self.nodes.len() == 1 {
            return answer;
        }
        let reachable = self.nodes.iter().filter(is_reachable);
        match self.found_at(digest, reachable).await {
            Some(found) => Ok(Some(found)),
            None => answer,
        }
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.ask(|node| node.consumption(versions)).await
    }

    /// The whole proof comes from one node: a ledger that is complete up to the end of the epoch and lacks the
    /// digest. Any of them may have it, and none of the others may show the transaction.
    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        let asked = match until {
            // Proves by the epoch alone, so it depends on nothing that another node has told.
            Until::EpochEnd => self.nodes.iter().collect(),
            // The transaction comes from the node that everything goes to.
            Until::Transaction(_) => self.in_order().into_iter().map(|(_, node)| node).collect(),
        };
        let mut answer = Ok(false);
        for node in Vec::into_iter(asked) {
            // A node that contradicts others may say anything about its ledger.
            if node.standing.is_aside() {
                continue;
            }
            match node.of(self.priority).is_absent(digest, epoch, until).await {
                Ok(true) => {
                    let shown = self.found_at(digest, self.nodes.iter()).await;
                    return Ok(shown.is_none());
                }
                Ok(false) => {}
                Err(error) => {
                    self.note_error(node, &error);
                    if answer.is_ok() {
                        answer = Err(error);
                    }
                }
            }
        }
        answer
    }

    fn through_one_node(&self) -> Option<Arc<dyn Chain>> {
        Some(Arc::new(self.through_one()?))
    }

    fn expect_chain(&self, chain: Digest) -> Result<(), ChainError> {
        self.expect(chain)
    }

    fn sui_nodes(&self) -> Vec<SuiNodeReport> {
        self.reports()
    }
}

impl SuiNodes {
    /// The transaction, if any of these nodes shows it. Those that don't answer prove nothing.
    async fn found_at(
        &self,
        digest: Digest,
        nodes: impl Iterator<Item = &Node> + Send,
    ) -> Option<Executed> {
        let lookups = nodes.map(|node| node.of(self.priority).lookup(digest));
        let mut answers: FuturesUnordered<_> = lookups.collect();
        while let Some(answer) = answers.next().await {
            if let Ok(Some(found)) = answer {
                return Some(found);
            }
        }
        None
    }
}

/// Whether the node can be expected to answer at once.
fn is_reachable(node: &&Node) -> bool {
    let aside = node.standing.aside();
    aside.is_none_or(|aside| aside.why.reason != AsideReason::Unreachable)
}
