//! What stands between a daemon and the network: gates that hold a call until they are opened, and
//! a network that is slower than the daemon's patience.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Consumption, ContractView, EpochInfo, Executed,
    GasCoin, SignedTransaction, SimulatedGas, Simulation, SubmitError, TransactionPlan,
    UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference};
use atoma_operator::Ports;
use tokio_util::sync::CancellationToken;

use super::points::Side;
use super::witness::{Witness, WitnessedJournal};

/// By the number of a generation's submission (from 1): for how many calls of the chain the network
/// keeps the bytes to itself before it executes them.
pub(crate) type Lateness = BTreeMap<usize, usize>;

/// What stands between; shared by the generations of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Between {
    pub(crate) witness: Arc<Witness>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    gates: Vec<(&'static str, Side, Gate)>,
    lateness: Lateness,
    submissions: usize,
    calls: usize,
    /// What is under way to the network, with the call that it comes in by.
    under_way: Vec<(SignedTransaction, usize)>,
    /// How many came in late.
    late: usize,
}

/// Holds one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    reached: CancellationToken,
    opened: CancellationToken,
}

impl Gate {
    /// Waits for the call to stand before it.
    pub(crate) async fn reached(&self) {
        self.reached.cancelled().await;
    }

    /// Lets the call go on.
    pub(crate) fn open(&self) {
        self.opened.cancel();
    }

    async fn pass(&self) {
        self.reached.cancel();
        self.opened.cancelled().await;
    }
}

impl Between {
    /// The ports, with this between them and their daemon.
    pub(crate) fn stand(self: &Arc<Self>, ports: &Ports) -> Ports {
        Ports {
            chain: Arc::new(FarChain {
                inner: Arc::clone(&ports.chain),
                between: Arc::clone(self),
            }),
            journal: Arc::new(WitnessedJournal {
                inner: Arc::clone(&ports.journal),
                witness: Arc::clone(&self.witness),
            }),
            ..ports.clone()
        }
    }

    /// Has the next call of that name wait at a gate.
    pub(crate) fn gate(&self, name: &'static str, side: Side) -> Gate {
        let gate = Gate::default();
        self.inner().gates.push((name, side, gate.clone()));
        gate
    }

    /// Begins to count submissions anew.
    pub(crate) fn arm(&self, lateness: Lateness) {
        let mut inner = self.inner();
        inner.lateness = lateness;
        inner.submissions = 0;
    }

    /// How many transactions came in after their daemon had been told nothing of them.
    pub(crate) fn late(&self) -> usize {
        self.inner().late
    }

    /// Has all come in that is under way.
    pub(crate) async fn deliver_all(&self, chain: &dyn Chain) {
        self.arm(Lateness::new());
        for (_, due) in &mut self.inner().under_way {
            *due = 0;
        }
        self.deliver(chain).await;
    }

    async fn deliver(&self, chain: &dyn Chain) {
        loop {
            let due = {
                let mut inner = self.inner();
                let calls = inner.calls;
                let due = inner.under_way.iter().position(|(_, due)| *due <= calls);
                let Some(due) = due else { return };
                inner.late += 1;
                inner.under_way.swap_remove(due).0
            };
            // Refused or executed, nobody is told.
            let _ = chain.execute(&due).await;
        }
    }

    /// Whether these bytes are on a long way: sent before, or by this submission.
    fn is_far(&self, transaction: &SignedTransaction) -> bool {
        let mut inner = self.inner();
        inner.submissions += 1;
        let number = inner.submissions;
        let mut under_way = inner.under_way.iter();
        if under_way.any(|(other, _)| other.digest == transaction.digest) {
            return true;
        }
        let Some(calls) = inner.lateness.remove(&number) else {
            return false;
        };
        let due = inner.calls + calls;
        inner.under_way.push((transaction.clone(), due));
        true
    }

    async fn stop(&self, name: &str, side: Side) {
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

/// A chain that is not close by.
#[derive(Debug)]
struct FarChain {
    inner: Arc<dyn Chain>,
    between: Arc<Between>,
}

impl FarChain {
    async fn pass<T>(&self, name: &str, call: impl Future<Output = T>) -> T {
        self.between.inner().calls += 1;
        self.between.deliver(self.inner.as_ref()).await;
        self.between.stop(name, Side::Before).await;
        let answer = call.await;
        self.between.stop(name, Side::After).await;
        answer
    }
}

#[async_trait]
impl Chain for FarChain {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.pass("identity", self.inner.identity()).await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.pass("height", self.inner.height()).await
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

    async fn object(
        &self,
        id: ObjectId,
    ) -> Result<Option<(ObjectReference, Option<Digest>)>, ChainError> {
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
        self.between.witness.sends(transaction.digest);
        self.pass("execute", async {
            if self.between.is_far(transaction) {
                return Err(SubmitError::Unknown("the time is over (injected)".into()));
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
}
