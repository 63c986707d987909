//! Stands between a daemon and the network: gates that hold a call until they are opened, and a
//! network that delivers some transactions after the daemon's timeout.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use atoma_operator::Ports;
use tokio_util::sync::CancellationToken;

use super::fail_points::Side;
use super::observer::{ObservedJournal, Observer};

/// For how many calls of the chain the network holds a transaction before it executes it, by the
/// number of the submission in its generation (from 1).
pub(crate) type Delays = BTreeMap<usize, usize>;

/// Intercepts the calls of several generations of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Interceptor {
    pub(crate) observer: Arc<Observer>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    gates: Vec<(&'static str, Side, Gate)>,
    delays: Delays,
    submissions: usize,
    calls: usize,
    /// Delayed transactions, with the number of the call that delivers each.
    delayed: Vec<(SignedTransaction, usize)>,
    /// How many were delivered late.
    late: usize,
}

/// Holds one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    reached: CancellationToken,
    opened: CancellationToken,
}

impl Gate {
    /// Waits until the call has reached the gate.
    pub(crate) async fn reached(&self) {
        self.reached.cancelled().await;
    }

    /// Lets the call continue.
    pub(crate) fn open(&self) {
        self.opened.cancel();
    }

    async fn pass(&self) {
        self.reached.cancel();
        self.opened.cancelled().await;
    }
}

impl Interceptor {
    /// Wraps the ports of a daemon.
    pub(crate) fn wrap(self: &Arc<Self>, ports: &Ports) -> Ports {
        Ports {
            chain: Arc::new(InterceptedChain {
                inner: Arc::clone(&ports.chain),
                interceptor: Arc::clone(self),
            }),
            journal: Arc::new(ObservedJournal {
                inner: Arc::clone(&ports.journal),
                observer: Arc::clone(&self.observer),
            }),
            ..ports.clone()
        }
    }

    /// Puts a gate in front of the next call with this name, or behind it.
    pub(crate) fn gate(&self, name: &'static str, side: Side) -> Gate {
        let gate = Gate::default();
        self.inner().gates.push((name, side, gate.clone()));
        gate
    }

    /// Restarts the count of submissions, with these delays.
    pub(crate) fn arm(&self, delays: Delays) {
        let mut inner = self.inner();
        inner.delays = delays;
        inner.submissions = 0;
    }

    /// How many transactions were delivered after their daemon had got no answer.
    pub(crate) fn late(&self) -> usize {
        self.inner().late
    }

    /// Delivers all delayed transactions.
    pub(crate) async fn deliver_all(&self, chain: &dyn Chain) {
        self.arm(Delays::new());
        for (_, due) in &mut self.inner().delayed {
            *due = 0;
        }
        self.deliver(chain).await;
    }

    async fn deliver(&self, chain: &dyn Chain) {
        loop {
            let due = {
                let mut inner = self.inner();
                let calls = inner.calls;
                let due = inner.delayed.iter().position(|(_, due)| *due <= calls);
                let Some(due) = due else { return };
                inner.late += 1;
                inner.delayed.swap_remove(due).0
            };
            // The daemon doesn't get this answer.
            let _ = chain.execute(&due).await;
        }
    }

    /// Whether this transaction is delayed, by this submission or an earlier one.
    fn is_delayed(&self, transaction: &SignedTransaction) -> bool {
        let mut inner = self.inner();
        inner.submissions += 1;
        let number = inner.submissions;
        let mut delayed = inner.delayed.iter();
        if delayed.any(|(other, _)| other.digest == transaction.digest) {
            return true;
        }
        let Some(calls) = inner.delays.remove(&number) else {
            return false;
        };
        let due = inner.calls + calls;
        inner.delayed.push((transaction.clone(), due));
        true
    }

    async fn wait_at_gate(&self, name: &str, side: Side) {
        let gate = {
            let mut inner = self.inner();
            let here = |gate: &(&str, Side, Gate)| gate.0 == name && gate.1 == side;
            let place = inner.gates.iter().position(here);
            place.map(|place| inner.gates.swap_remove(place).2)
        };
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The chain behind an interceptor.
#[derive(Debug)]
struct InterceptedChain {
    inner: Arc<dyn Chain>,
    interceptor: Arc<Interceptor>,
}

impl InterceptedChain {
    async fn pass<T>(&self, name: &str, call: impl Future<Output = T>) -> T {
        self.interceptor.inner().calls += 1;
        self.interceptor.deliver(self.inner.as_ref()).await;
        self.interceptor.wait_at_gate(name, Side::Before).await;
        let answer = call.await;
        self.interceptor.wait_at_gate(name, Side::After).await;
        answer
    }
}

#[async_trait]
impl Chain for InterceptedChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.pass("identity", self.inner.identity()).await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.pass("height", self.inner.height()).await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.pass("checkpoint_time", self.inner.checkpoint_time(checkpoint))
            .await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.pass("epoch", self.inner.epoch()).await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.pass("badges", self.inner.badges(owner)).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.pass("gas_coins", self.inner.gas_coins(owner)).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.pass("object", self.inner.object(id)).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.pass("view", self.inner.view(query)).await
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
        self.pass("simulate", call).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        self.interceptor.observer.sends(transaction.digest);
        self.pass("execute", async {
            if self.interceptor.is_delayed(transaction) {
                return Err(SubmitError::Unknown("timed out (injected)".into()));
            }
            self.inner.execute(transaction).await
        })
        .await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.pass("lookup", self.inner.lookup(digest)).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.pass("consumption", self.inner.consumption(versions))
            .await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        let call = self.inner.is_absent(digest, epoch, until);
        self.pass("is_absent", call).await
    }

    fn expect_chain(&self, chain: Digest) -> Result<(), ChainError> {
        self.inner.expect_chain(chain)
    }

    fn through_one_node(&self) -> Option<Arc<dyn Chain>> {
        Some(Arc::new(Self {
            inner: self.inner.through_one_node()?,
            interceptor: Arc::clone(&self.interceptor),
        }))
    }
}
