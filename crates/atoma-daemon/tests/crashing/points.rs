//! What happens at which call of a port.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::StoreError;
use atoma_localnet::{Fault, LocalNet};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Which side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    After,
}

/// What happens at a call.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The call never comes back, and whoever drives the generation is told to kill it.
    Crash,
    /// The network suffers a fault.
    Fault(Fault),
    /// The network's epoch ends.
    EndEpoch,
}

/// The happenings of one generation, by call number (from 1) and side.
pub(crate) type Plan = BTreeMap<(usize, Side), Vec<Happening>>;

/// Numbers the calls of one generation, and has things happen at them.
#[derive(Debug)]
pub(crate) struct Points {
    network: LocalNet,
    inner: Mutex<Inner>,
    crashed: CancellationToken,
    refused: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Plan,
    calls: Vec<&'static str>,
    /// Calls of the journal that fail, and how often still.
    refusals: BTreeMap<&'static str, usize>,
    /// A call of the journal that is done, but whose answer is lost, once.
    lost: Option<&'static str>,
    /// Before the next call of that name the epoch ends, once.
    epoch_ends_before: Option<&'static str>,
}

impl Points {
    /// Points at which nothing happens yet.
    pub(crate) fn new(network: &LocalNet) -> Self {
        Self {
            network: network.clone(),
            inner: Mutex::default(),
            crashed: CancellationToken::new(),
            refused: Notify::new(),
        }
    }

    /// The network that things happen to.
    pub(crate) const fn network(&self) -> &LocalNet {
        &self.network
    }

    /// Begins to count anew, with a plan.
    pub(crate) fn arm(&self, plan: Plan) {
        let mut inner = self.inner();
        inner.plan = plan;
        inner.calls.clear();
    }

    /// Plans a crash only.
    pub(crate) fn arm_crash(&self, number: usize, side: Side) {
        self.arm(Plan::from([((number, side), vec![Happening::Crash])]));
    }

    /// The names of the calls since [`arm`](Self::arm), in order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.inner().calls.clone()
    }

    /// How often the call of that name was made.
    pub(crate) fn count(&self, name: &str) -> usize {
        let inner = self.inner();
        inner.calls.iter().filter(|call| **call == name).count()
    }

    /// Has the journal's call of that name fail so many times.
    pub(crate) fn refuse(&self, name: &'static str, times: usize) {
        self.inner().refusals.insert(name, times);
    }

    /// Has the journal's next call of that name be done, and answered with a failure.
    pub(crate) fn lose_answer(&self, name: &'static str) {
        self.inner().lost = Some(name);
    }

    /// Has the epoch end before the next call of that name.
    pub(crate) fn end_epoch_before(&self, name: &'static str) {
        self.inner().epoch_ends_before = Some(name);
    }

    /// Waits until a call was refused since this was last asked.
    pub(crate) async fn refused(&self) {
        self.refused.notified().await;
    }

    /// Waits for the crash.
    pub(crate) async fn crashed(&self) {
        self.crashed.cancelled().await;
    }

    /// Lets a call pass.
    pub(crate) async fn pass<T>(&self, name: &'static str, call: impl Future<Output = T>) -> T {
        let number = {
            let mut inner = self.inner();
            inner.calls.push(name);
            if inner
                .epoch_ends_before
                .take_if(|call| *call == name)
                .is_some()
            {
                self.network.advance_epoch().unwrap();
            }
            inner.calls.len()
        };
        self.happen(number, Side::Before).await;
        let answer = call.await;
        self.happen(number, Side::After).await;
        answer
    }

    /// Lets a call of the journal pass, or fail.
    pub(crate) async fn pass_store<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pass(name, async {
            if self.refuses(name) {
                self.refused.notify_one();
                return Err(StoreError::Unavailable(
                    "the disk is full (injected)".into(),
                ));
            }
            let answer = call.await;
            match self.inner().lost.take_if(|lost| *lost == name) {
                Some(_) => Err(StoreError::Unavailable(
                    "the answer was lost (injected)".into(),
                )),
                None => answer,
            }
        })
        .await
    }

    fn refuses(&self, name: &'static str) -> bool {
        match self.inner().refusals.get_mut(name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    async fn happen(&self, number: usize, side: Side) {
        let happenings = self.inner().plan.remove(&(number, side));
        for happening in happenings.into_iter().flatten() {
            match happening {
                Happening::Crash => {
                    self.crashed.cancel();
                    pending::<()>().await;
                }
                Happening::Fault(fault) => self.network.inject_fault(fault),
                Happening::EndEpoch => {
                    self.network.advance_epoch().unwrap();
                }
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
