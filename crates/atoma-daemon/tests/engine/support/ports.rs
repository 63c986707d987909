//! Ports with a fail point at every call.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, IntentRecord, NewIntent, PlannedRequest, Recalled,
    RequestKey,
};
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, GasSpent, Journal, JournalFilter, JournalKey, ObjectOnChain, Opened, Page, SignError,
    SignedTransaction, Signer, SimulatedGas, Simulation, Stock, StoreError, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, IntentId, ObjectId, ObjectReference, TimestampMs,
};
use atoma_operator::Ports;

use super::fail_points::FailPoints;
use super::served_ports::{FailPointEvents, FailPointWork};

/// Wraps journal, chain and signer, and what serving writes.
pub(crate) fn with_fail_points(ports: &Ports, points: &Arc<FailPoints>) -> Ports {
    Ports {
        journal: Arc::new(FailPointJournal {
            inner: Arc::clone(&ports.journal),
            points: Arc::clone(points),
        }),
        chain: Arc::new(FailPointChain {
            inner: Arc::clone(&ports.chain),
            points: Arc::clone(points),
        }),
        signer: Arc::new(FailPointSigner {
            inner: Arc::clone(&ports.signer),
            points: Arc::clone(points),
        }),
        work: Arc::new(FailPointWork::new(&ports.work, points)),
        events: Arc::new(FailPointEvents::new(&ports.events, points)),
        ..ports.clone()
    }
}

#[derive(Debug)]
struct FailPointJournal {
    inner: Arc<dyn Journal>,
    points: Arc<FailPoints>,
}

#[async_trait]
impl Journal for FailPointJournal {
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let call = self.inner.open(intents, request, now);
        self.points.pass_store("journal.open", call).await
    }

    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        let call = self.inner.would_open(intents, now);
        self.points.pass_store("journal.would_open", call).await
    }

    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError> {
        let call = self.inner.recall(key, now);
        self.points.pass_store("journal.recall", call).await
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        let call = self.inner.last_use(badge);
        self.points.pass_store("journal.last_use", call).await
    }

    async fn knows_use(&self, badge: ObjectId, digest: Digest) -> Result<bool, StoreError> {
        self.points
            .pass_store("journal.knows_use", self.inner.knows_use(badge, digest))
            .await
    }

    async fn acknowledge_use(&self, badge: ObjectId, digest: Digest) -> Result<(), StoreError> {
        let call = self.inner.acknowledge_use(badge, digest);
        self.points
            .pass_store("journal.acknowledge_use", call)
            .await
    }

    async fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        self.points
            .pass_store("journal.unreadable", self.inner.unreadable())
            .await
    }

    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError> {
        self.points
            .pass_store("journal.recent_gas_coins", self.inner.recent_gas_coins())
            .await
    }

    async fn gas_spent(
        &self,
        since: TimestampMs,
        now: TimestampMs,
    ) -> Result<Vec<GasSpent>, StoreError> {
        let call = self.inner.gas_spent(since, now);
        self.points.pass_store("journal.gas_spent", call).await
    }

    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        let call = self.inner.record_attempt(attempt, previous, now);
        self.points.pass_store("journal.record_attempt", call).await
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        let call = self.inner.conclude(conclusion, now);
        self.points.pass_store("journal.conclude", call).await
    }

    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        let call = self.inner.fail(id, failure, now);
        self.points.pass_store("journal.fail", call).await
    }

    async fn take_stock(&self) -> Result<Stock, StoreError> {
        let call = self.inner.take_stock();
        self.points.pass_store("journal.take_stock", call).await
    }

    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        let call = self.inner.find(key);
        self.points.pass_store("journal.find", call).await
    }

    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        let call = self.inner.attempts_of(id);
        self.points.pass_store("journal.attempts_of", call).await
    }

    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        let call = self.inner.list(filter, page);
        self.points.pass_store("journal.list", call).await
    }
}

#[derive(Debug)]
struct FailPointChain {
    inner: Arc<dyn Chain>,
    points: Arc<FailPoints>,
}

#[async_trait]
impl Chain for FailPointChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.points
            .pass("chain.identity", self.inner.identity())
            .await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.points.pass("chain.height", self.inner.height()).await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.points
            .pass(
                "chain.checkpoint_time",
                self.inner.checkpoint_time(checkpoint),
            )
            .await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.points.pass("chain.epoch", self.inner.epoch()).await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        let call = self.inner.badges(owner);
        self.points.pass("chain.badges", call).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        let call = self.inner.gas_coins(owner);
        self.points.pass("chain.gas_coins", call).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.points
            .pass("chain.object", self.inner.object(id))
            .await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.points.pass("chain.view", self.inner.view(query)).await
    }

    // Offline, so no fail point.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.inner.build(plan)
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        let call = self.inner.simulate(transaction, gas);
        self.points.pass("chain.simulate", call).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        let call = self.inner.execute(transaction);
        self.points.pass("chain.execute", call).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        let call = self.inner.lookup(digest);
        self.points.pass("chain.lookup", call).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        let call = self.inner.consumption(versions);
        self.points.pass("chain.consumption", call).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        let call = self.inner.is_absent(digest, epoch, until);
        self.points.pass("chain.is_absent", call).await
    }

    fn expect_chain(&self, chain: Digest) -> Result<(), ChainError> {
        self.inner.expect_chain(chain)
    }

    fn through_one_node(&self) -> Option<Arc<dyn Chain>> {
        Some(Arc::new(Self {
            inner: self.inner.through_one_node()?,
            points: Arc::clone(&self.points),
        }))
    }
}

#[derive(Debug)]
struct FailPointSigner {
    inner: Arc<dyn Signer>,
    points: Arc<FailPoints>,
}

#[async_trait]
impl Signer for FailPointSigner {
    fn address(&self) -> Address {
        self.inner.address()
    }

    async fn sign(&self, transaction: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        let call = self.inner.sign(transaction);
        self.points.pass("signer.sign", call).await
    }
}
