//! A Sui node that refuses valid transactions, or loses their effects.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, Refusal, RefusalKind, SignedTransaction, SimulatedGas, Simulation,
    SubmitError, TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use atoma_operator::EngineConfig;

/// An engine that retries without delay.
pub(crate) fn config() -> EngineConfig {
    EngineConfig {
        backoff: Duration::from_millis(1),
        backoff_limit: Duration::from_millis(1),
        effects_interval: Duration::from_millis(1),
        ..EngineConfig::default()
    }
}

/// A faulty node in front of a real one.
#[derive(Debug)]
pub(crate) struct FaultyNode {
    inner: Arc<dyn Chain>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    refusals: VecDeque<RefusalKind>,
    /// The effects of the next transaction will be lost.
    loses_next: bool,
    lost: BTreeSet<Digest>,
}

impl FaultyNode {
    pub(crate) fn over(inner: &Arc<dyn Chain>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            state: Mutex::default(),
        })
    }

    /// Refuses the next submission.
    pub(crate) fn refuse_next(&self, kind: RefusalKind) {
        self.state().refusals.push_back(kind);
    }

    /// Executes the next transaction, but loses its effects.
    pub(crate) fn lose_next_outcome(&self) {
        self.state().loses_next = true;
    }

    /// Finds all lost effects again.
    pub(crate) fn restore_outcomes(&self) {
        self.state().lost.clear();
    }

    fn is_lost(&self, digest: Digest) -> bool {
        self.state().lost.contains(&digest)
    }

    pub(crate) async fn coins(&self, owner: Address) -> Vec<GasCoin> {
        self.inner.gas_coins(owner).await.unwrap()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Chain for FaultyNode {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.inner.identity().await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.inner.height().await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.inner.checkpoint_time(checkpoint).await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.inner.epoch().await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.inner.badges(owner).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.inner.gas_coins(owner).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.inner.object(id).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.inner.view(query).await
    }

    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.inner.build(plan)
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        self.inner.simulate(transaction, gas).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        if let Some(kind) = self.state().refusals.pop_front() {
            let message = String::from("no");
            return Err(SubmitError::Refused(Refusal { kind, message }));
        }
        if std::mem::take(&mut self.state().loses_next) {
            self.state().lost.insert(transaction.digest);
        }
        let executed = self.inner.execute(transaction).await;
        if self.is_lost(transaction.digest) {
            return Err(SubmitError::Unknown("lost (injected)".into()));
        }
        executed
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        if self.is_lost(digest) {
            return Ok(None);
        }
        self.inner.lookup(digest).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.inner.consumption(versions).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        self.inner.is_absent(digest, epoch, until).await
    }
}
