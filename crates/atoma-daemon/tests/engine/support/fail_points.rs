//! Injects crashes and faults at chosen calls of the ports.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::TimestampMs;
use atoma_domain::ports::{Clock, StoreError};
use atoma_localnet::{Fault, LocalNet, LocalNode};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    After,
}

/// What is injected at a call.
#[derive(Clone, Debug)]
pub(crate) enum Injection {
    /// The call never returns, and [`FailPoints::crashed`] does.
    Crash,
    /// A fault of the network's first node.
    Fault(Fault),
    /// A fault of another node.
    FaultOf(LocalNode, Fault),
    /// The end of the network's epoch.
    EndEpoch,
    /// The daemon's clock shows this time from now on.
    SetClock(TimestampMs),
}

/// The injections of one generation, by number of the call (from 1) and side.
pub(crate) type Plan = BTreeMap<(usize, Side), Vec<Injection>>;

/// A side of the `nth` call (from 1) of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrashPoint {
    pub(crate) name: &'static str,
    pub(crate) nth: usize,
    pub(crate) side: Side,
}

impl CrashPoint {
    /// Both sides of each of these calls.
    pub(crate) fn all(calls: &[&'static str]) -> Vec<Self> {
        let mut crash_points = Vec::with_capacity(calls.len() * 2);
        for (place, name) in calls.iter().enumerate() {
            let nth = calls[..=place].iter().filter(|call| *call == name).count();
            for side in [Side::Before, Side::After] {
                crash_points.push(Self { name, nth, side });
            }
        }
        crash_points
    }
}

/// Counts the calls of one generation, and injects at them.
#[derive(Debug)]
pub(crate) struct FailPoints {
    network: LocalNet,
    clock: Arc<SetClock>,
    inner: Mutex<Inner>,
    crashed: CancellationToken,
    passed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Plan,
    crash: Option<CrashPoint>,
    calls: Vec<&'static str>,
    /// Calls of the journal that fail, and how many more times.
    failures: BTreeMap<&'static str, usize>,
    /// The next call of the journal with this name breaks a rule of the schema.
    rejected: Option<&'static str>,
    /// The next call of the journal with this name succeeds, but its answer is lost.
    lost_answer: Option<&'static str>,
    /// Each runs before the next call with its name.
    before: Vec<(&'static str, Hook)>,
    /// The next call with this name waits.
    held: Option<(&'static str, CancellationToken)>,
}

/// Code that runs once.
struct Hook(Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hook")
    }
}

/// A clock that stands at the time to which it was set.
#[derive(Debug)]
struct SetClock(AtomicU64);

impl Default for SetClock {
    fn default() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Clock for SetClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(self.0.load(Relaxed))
    }
}

impl FailPoints {
    /// Fail points without injections.
    pub(crate) fn new(network: &LocalNet) -> Self {
        Self {
            network: network.clone(),
            clock: Arc::default(),
            inner: Mutex::default(),
            crashed: CancellationToken::new(),
            passed: Notify::new(),
        }
    }

    /// The network that faults are injected into.
    pub(crate) const fn network(&self) -> &LocalNet {
        &self.network
    }

    /// The daemon's clock, which stands until it is set.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Restarts the count, with a plan.
    pub(crate) fn arm(&self, plan: Plan) {
        let mut inner = self.inner();
        inner.plan = plan;
        inner.crash = None;
        inner.calls.clear();
    }

    /// Restarts the count, with a crash and nothing else.
    pub(crate) fn arm_crash(&self, at: CrashPoint) {
        self.arm(Plan::new());
        self.inner().crash = Some(at);
    }

    /// The names of the calls since [`arm`](Self::arm), in order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.inner().calls.clone()
    }

    /// How many calls with this name were made.
    pub(crate) fn count(&self, name: &str) -> usize {
        let inner = self.inner();
        inner.calls.iter().filter(|call| **call == name).count()
    }

    /// Makes the journal's next calls with this name fail.
    pub(crate) fn fail_next(&self, name: &'static str, times: usize) {
        self.inner().failures.insert(name, times);
    }

    /// Makes the journal reject the next call with this name, for good.
    pub(crate) fn reject_next(&self, name: &'static str) {
        self.inner().rejected = Some(name);
    }

    /// Makes the journal's next call with this name succeed, but answer with a failure.
    pub(crate) fn lose_answer(&self, name: &'static str) {
        self.inner().lost_answer = Some(name);
    }

    /// Runs `hook` before the next call with this name, on the calling thread.
    pub(crate) fn before(&self, name: &'static str, hook: impl FnOnce() + Send + 'static) {
        let mut inner = self.inner();
        inner.before.retain(|(other, _)| *other != name);
        inner.before.push((name, Hook(Box::new(hook))));
    }

    /// Makes the next call with this name wait until the returned token is cancelled.
    pub(crate) fn hold(&self, name: &'static str) -> CancellationToken {
        let released = CancellationToken::new();
        self.inner().held = Some((name, released.clone()));
        released
    }

    /// Calls `look` now and after each call of a port, until it finds something. The engine changes
    /// nothing without such a call.
    pub(crate) async fn until<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        loop {
            let mut passed = pin!(self.passed.notified());
            // Registered before `look`, so that no call in between is missed.
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

    /// Makes a call with what is injected at it. After the crash, calls never return.
    pub(crate) async fn pass<T>(&self, name: &'static str, call: impl Future<Output = T>) -> T {
        if self.crashed.is_cancelled() {
            pending::<()>().await;
        }
        let (number, nth, hook, held) = {
            let mut inner = self.inner();
            inner.calls.push(name);
            let nth = inner.calls.iter().filter(|call| **call == name).count();
            let hook = inner.before.iter().position(|(call, _)| *call == name);
            let hook = hook.map(|place| inner.before.swap_remove(place));
            let held = inner.held.take_if(|(call, _)| *call == name);
            (inner.calls.len(), nth, hook, held)
        };
        // Wakes those who wait for this call to be reached.
        self.passed.notify_waiters();
        if let Some((_, Hook(hook))) = hook {
            hook();
        }
        if let Some((_, released)) = held {
            released.cancelled().await;
        }
        let crash_point = |side| CrashPoint { name, nth, side };
        self.inject(number, crash_point(Side::Before)).await;
        let answer = call.await;
        self.inject(number, crash_point(Side::After)).await;
        self.passed.notify_waiters();
        answer
    }

    /// The same for a call of the journal, which can also fail.
    pub(crate) async fn pass_store<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pass(name, async {
            if self.fails(name) {
                return Err(StoreError::Unavailable(
                    "the disk is full (injected)".into(),
                ));
            }
            if self
                .inner()
                .rejected
                .take_if(|call| *call == name)
                .is_some()
            {
                return Err(StoreError::Rejected("a rule (injected)".into()));
            }
            let answer = call.await;
            match self.inner().lost_answer.take_if(|lost| *lost == name) {
                Some(_) => Err(StoreError::Unavailable(
                    "the answer was lost (injected)".into(),
                )),
                None => answer,
            }
        })
        .await
    }

    fn fails(&self, name: &'static str) -> bool {
        match self.inner().failures.get_mut(name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    async fn inject(&self, number: usize, at: CrashPoint) {
        let (mut injections, crashes) = {
            let mut inner = self.inner();
            let injections = inner.plan.remove(&(number, at.side));
            let crashes = inner.crash.take_if(|planned| *planned == at).is_some();
            (injections.unwrap_or_default(), crashes)
        };
        injections.extend(crashes.then_some(Injection::Crash));
        for injection in injections {
            match injection {
                Injection::Crash => {
                    self.crashed.cancel();
                    pending::<()>().await;
                }
                Injection::Fault(fault) => self.network.inject_fault(fault),
                Injection::FaultOf(node, fault) => node.inject_fault(fault),
                Injection::SetClock(time) => self.clock.0.store(time.get(), Relaxed),
                Injection::EndEpoch => {
                    self.network.advance_epoch().unwrap();
                }
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
