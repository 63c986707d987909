//! Fault injection, to test how clients cope.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// A submission fails with `UNAVAILABLE` and the transaction is not executed.
    ExecuteLostBefore,
    /// A submission fails with `UNAVAILABLE` although the transaction is executed.
    ExecuteLostAfter,
    /// A submission fails with `INVALID_ARGUMENT` although the transaction is executed.
    ExecuteRefusedAfter,
    /// A submitted transaction is executed after [`Fault::ms`], even if its client stops waiting.
    ExecuteDelay,
    /// Any call except a subscription fails with `UNAVAILABLE`.
    Unavailable,
    /// Object reads, including lists of owned objects, return the version before the current one.
    StaleObjects,
    /// Look-ups find no transaction of the current epoch. Those of earlier epochs are shown: a node that has
    /// executed an epoch to its end has them.
    TransactionsHidden,
    /// Lists of owned objects are empty.
    OwnedObjectsHidden,
    /// Streams break off. Each open stream and each new one counts once.
    EventsCut,
    /// Subscriptions are silent for [`Fault::ms`].
    EventsStall,
    /// The newest checkpoint is [`Fault::ms`] old according to a response.
    OldTip,
    /// A response comes from another chain, according to its headers.
    OtherChain,
    /// Clients' transactions on shared objects are cancelled for congestion, and gas is charged.
    Congestion,
}

/// A fault to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The number of calls that it affects; 1 by default.
    #[serde(default = "once")]
    pub count: u64,
    /// The duration in milliseconds, for delays and stalls; 1,000 by default.
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
    /// A fault that affects one call.
    pub const fn once(kind: FaultKind) -> Self {
        Self {
            kind,
            count: 1,
            ms: 1_000,
        }
    }
}

/// The injected faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Mutex<BTreeMap<FaultKind, Fault>>,
    /// Notified of each change, so that open streams check for faults.
    changed: tokio::sync::Notify,
}

impl Faults {
    /// Injects a fault, replacing a pending one of the same kind.
    pub(crate) fn inject(&self, fault: Fault) {
        self.lock().insert(fault.kind, fault);
        self.changed.notify_waiters();
    }

    /// The faults that calls have yet to hit, each with its remaining count.
    pub(crate) fn pending(&self) -> Vec<Fault> {
        self.lock().values().copied().collect()
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.changed.notify_waiters();
    }

    /// Uses up one count of a fault of `kind`, if one is pending, and returns its duration.
    pub(crate) fn take(&self, kind: FaultKind) -> Option<Duration> {
        let mut pending = self.lock();
        let fault = pending.get_mut(&kind)?;
        if fault.count == 0 {
            pending.remove(&kind);
            return None;
        }
        let ms = fault.ms;
        fault.count -= 1;
        if fault.count == 0 {
            pending.remove(&kind);
        }
        Some(Duration::from_millis(ms))
    }

    /// Waits until faults are injected or removed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<FaultKind, Fault>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_affects_as_many_calls_as_its_count() {
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
