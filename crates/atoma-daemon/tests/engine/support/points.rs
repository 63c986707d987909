//! What happens at which call of a port.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::pin;
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

/// A call by its name, the how manyth of that name (from 1), and one of its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) name: &'static str,
    pub(crate) nth: usize,
    pub(crate) side: Side,
}

impl Moment {
    /// Both sides of each of these calls.
    pub(crate) fn all(calls: &[&'static str]) -> Vec<Self> {
        let mut moments = Vec::with_capacity(calls.len() * 2);
        for (place, name) in calls.iter().enumerate() {
            let nth = calls[..=place].iter().filter(|call| *call == name).count();
            for side in [Side::Before, Side::After] {
                moments.push(Self { name, nth, side });
            }
        }
        moments
    }
}

/// Numbers the calls of one generation, and has things happen at them.
#[derive(Debug)]
pub(crate) struct Points {
    network: LocalNet,
    inner: Mutex<Inner>,
    crashed: CancellationToken,
    passed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Plan,
    crash: Option<Moment>,
    calls: Vec<&'static str>,
    /// Calls of the journal that fail, and how often still.
    refusals: BTreeMap<&'static str, usize>,
    /// A call of the journal that is done, but whose answer is lost, once.
    lost: Option<&'static str>,
    /// Done before the next call of a name, once.
    before: Option<(&'static str, Deed)>,
    /// The next call of that name waits, once.
    held: Option<(&'static str, CancellationToken)>,
}

/// Something to be done once.
struct Deed(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deed")
    }
}

impl Points {
    /// Points at which nothing happens yet.
    pub(crate) fn new(network: &LocalNet) -> Self {
        Self {
            network: network.clone(),
            inner: Mutex::default(),
            crashed: CancellationToken::new(),
            passed: Notify::new(),
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
        inner.crash = None;
        inner.calls.clear();
    }

    /// Begins to count anew, with a crash and nothing else.
    pub(crate) fn arm_crash(&self, at: Moment) {
        self.arm(Plan::new());
        self.inner().crash = Some(at);
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

    /// Has something be done before the next call of that name, in the thread that makes it.
    pub(crate) fn before(&self, name: &'static str, deed: impl FnOnce() + Send + 'static) {
        self.inner().before = Some((name, Deed(Box::new(deed))));
    }

    /// Has the next call of that name wait until the token is cancelled.
    pub(crate) fn hold(&self, name: &'static str) -> CancellationToken {
        let released = CancellationToken::new();
        self.inner().held = Some((name, released.clone()));
        released
    }

    /// Looks, and looks again after each call, until something is found. All that the engine
    /// changes it changes by such a call.
    pub(crate) async fn until<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        loop {
            let mut passed = pin!(self.passed.notified());
            // Registered before looking, so that a call in between is not missed.
            passed.as_mut().enable();
            if let Some(found) = look().await {
                return found;
            }
            passed.await;
        }
    }

    /// Waits for the crash.
    pub(crate) async fn crashed(&self) {
        self.crashed.cancelled().await;
    }

    /// Lets a call pass. None does after the crash.
    pub(crate) async fn pass<T>(&self, name: &'static str, call: impl Future<Output = T>) -> T {
        if self.crashed.is_cancelled() {
            pending::<()>().await;
        }
        let (number, nth, deed, held) = {
            let mut inner = self.inner();
            inner.calls.push(name);
            let nth = inner.calls.iter().filter(|call| **call == name).count();
            let deed = inner.before.take_if(|(call, _)| *call == name);
            let held = inner.held.take_if(|(call, _)| *call == name);
            (inner.calls.len(), nth, deed, held)
        };
        // Who waits for this call to be reached looks.
        self.passed.notify_waiters();
        if let Some((_, Deed(deed))) = deed {
            deed();
        }
        if let Some((_, released)) = held {
            released.cancelled().await;
        }
        let moment = |side| Moment { name, nth, side };
        self.happen(number, moment(Side::Before)).await;
        let answer = call.await;
        self.happen(number, moment(Side::After)).await;
        self.passed.notify_waiters();
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

    async fn happen(&self, number: usize, moment: Moment) {
        let (mut happenings, crashes) = {
            let mut inner = self.inner();
            let happenings = inner.plan.remove(&(number, moment.side));
            let crashes = inner.crash.take_if(|at| *at == moment).is_some();
            (happenings.unwrap_or_default(), crashes)
        };
        happenings.extend(crashes.then_some(Happening::Crash));
        for happening in happenings {
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
