//! Kills a daemon in the middle of what it does: before or after a call of the chain, or while it signs.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, SignError, SignedTransaction, Signer, SimulatedGas, Simulation,
    SubmitError, TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use tokio_util::sync::CancellationToken;

/// Where a daemon crashes.
#[derive(Debug, Default)]
pub(crate) struct CrashPoint {
    /// How many sides of calls it passes before.
    left: Mutex<Option<u32>>,
    crashed: CancellationToken,
}

impl CrashPoint {
    /// Lets the daemon crash after that many sides of calls.
    pub(crate) fn arm(&self, left: u32) {
        *self.left() = Some(left);
    }

    /// Lets it live, unless it has crashed. Returns whether it has.
    pub(crate) fn disarm(&self) -> bool {
        *self.left() = None;
        self.crashed.is_cancelled()
    }

    /// Waits for the crash.
    pub(crate) async fn crashed(&self) {
        self.crashed.cancelled().await;
    }

    /// One side of a call. After the crash, no call returns.
    async fn pass(&self) {
        {
            let mut left = self.left();
            *left = match *left {
                Some(0) => {
                    self.crashed.cancel();
                    None
                }
                Some(left) => Some(left - 1),
                None => None,
            };
        }
        if self.crashed.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        self.pass().await;
        let answer = call.await;
        self.pass().await;
        answer
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Option<u32>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signer at which the daemon can crash.
#[derive(Debug)]
pub(crate) struct CrashingSigner {
    inner: Arc<dyn Signer>,
    point: Arc<CrashPoint>,
}

impl CrashingSigner {
    pub(crate) const fn new(inner: Arc<dyn Signer>, point: Arc<CrashPoint>) -> Self {
        Self { inner, point }
    }
}

#[async_trait]
impl Signer for CrashingSigner {
    fn address(&self) -> Address {
        self.inner.address()
    }

    async fn sign(&self, transaction: UnsignedTransaction) -> Result<SignedTransaction, SignError> {
        self.point.around(self.inner.sign(transaction)).await
    }
}

/// A chain at which the daemon can crash: at the calls that an attempt makes.
#[derive(Debug)]
pub(crate) struct CrashingChain {
    inner: Arc<dyn Chain>,
    point: Arc<CrashPoint>,
}

impl CrashingChain {
    pub(crate) const fn new(inner: Arc<dyn Chain>, point: Arc<CrashPoint>) -> Self {
        Self { inner, point }
    }
}

#[async_trait]
impl Chain for CrashingChain {
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
        self.point.around(self.inner.view(query)).await
    }

    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.inner.build(plan)
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        let call = self.inner.simulate(transaction, gas);
        self.point.around(call).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        self.point.around(self.inner.execute(transaction)).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.point.around(self.inner.lookup(digest)).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.point.around(self.inner.consumption(versions)).await
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
