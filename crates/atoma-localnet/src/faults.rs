//! Faults on purpose, for tests of what clients do about them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// A submitted transaction is refused as unavailable, and nothing is executed.
    ExecuteLostBefore,
    /// A submitted transaction is executed, and its answer is lost.
    ExecuteLostAfter,
    /// A submitted transaction waits [`Fault::ms`] before it is executed, whether or not its client
    /// waits as long.
    ExecuteDelay,
    /// Any call but a subscription is refused as unavailable.
    Unavailable,
    /// Calls for objects, also those that an address owns, answer the version before the current one of
    /// each.
    StaleObjects,
    /// Streams break off: each open stream uses one count, as does each new one.
    EventsCut,
    /// Subscriptions give nothing for [`Fault::ms`].
    EventsStall,
    /// Clients' transactions on shared objects are cancelled for congestion, with gas charged.
    Congestion,
}

/// A fault to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many calls suffer; 1 if left out.
    #[serde(default = "once")]
    pub count: u64,
    /// Milliseconds, for the kinds that take time; 1,000 if left out.
    #[serde(default = "a_second")]
    pub ms: u64,
}

const fn once() -> u64 {
    1
}

const fn a_second() -> u64 {
    1_000
}

impl Fault {
    /// A fault that one call suffers.
    pub const fn once(kind: FaultKind) -> Self {
        Self {
            kind,
            count: 1,
            ms: 1_000,
        }
    }
}

/// The faults that wait for calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<BTreeMap<FaultKind, Fault>>,
    /// Told of each change, so that open streams look.
    changed: tokio::sync::Notify,
}

impl Faults {
    /// Arms a fault, in place of one of its kind.
    pub(crate) fn inject(&self, fault: Fault) {
        self.lock().insert(fault.kind, fault);
        self.changed.notify_waiters();
    }

    /// What is armed.
    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.lock().values().copied().collect()
    }

    /// Disarms all.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.changed.notify_waiters();
    }

    /// Whether this call suffers a fault of `kind`, and for how long.
    pub(crate) fn take(&self, kind: FaultKind) -> Option<Duration> {
        let mut armed = self.lock();
        let fault = armed.get_mut(&kind)?;
        if fault.count == 0 {
            armed.remove(&kind);
            return None;
        }
        let ms = fault.ms;
        fault.count -= 1;
        if fault.count == 0 {
            armed.remove(&kind);
        }
        Some(Duration::from_millis(ms))
    }

    /// Returns once faults are changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<FaultKind, Fault>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_suffered_as_often_as_asked() {
        let faults = Faults::default();
        faults.inject(Fault {
            count: 2,
            ..Fault::once(FaultKind::ExecuteDelay)
        });
        assert!(faults.take(FaultKind::Unavailable).is_none());
        let second = Some(Duration::from_secs(1));
        assert_eq!(faults.take(FaultKind::ExecuteDelay), second);
        assert_eq!(faults.take(FaultKind::ExecuteDelay), second);
        assert_eq!(faults.take(FaultKind::ExecuteDelay), None);
    }
}
