//! Fault injection, to test how clients cope.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// A submission fails with `FAILED_PRECONDITION` because another transaction holds the first
    /// owned input, and the transaction is not executed.
    LockConflict,
    /// A submitted transaction is executed after [`Fault::ms`], even if its client stops waiting.
    ExecuteDelay,
    /// Any call except a subscription fails with `UNAVAILABLE`.
    Unavailable,
    /// Any call except a subscription fails with `RESOURCE_EXHAUSTED`. The status has a `RetryInfo`
    /// with the delay [`Fault::ms`].
    RateLimit,
    /// The server sends `GOAWAY` in the middle of a call and closes the connection. The call takes
    /// effect; it and all others on the connection stay without an answer.
    GoAway,
    /// Object reads, including lists of owned objects, return the version before the current one.
    StaleObjects,
    /// For [`Fault::ms`] of the network's clock, all answers come from a node that is
    /// [`Fault::checkpoints`] behind. Transactions are executed all the same.
    NodeLags,
    /// For [`Fault::ms`] of the network's clock, two nodes take turns behind the network's address,
    /// call by call. The second is [`Fault::checkpoints`] behind the first.
    TwoNodes,
    /// Until the faults are removed, the node has no history before the checkpoint
    /// [`Fault::checkpoints`].
    HistoryPruned,
    /// Until the faults are removed, the node serves none of `ListCheckpoints`, `ListTransactions` and `ListEvents`.
    ListsUnserved,
    /// For [`Fault::ms`] of the network's clock, the node names a height that is [`Fault::checkpoints`] too high.
    HeightTooHigh,
    /// For [`Fault::ms`] of the network's clock, the node shows checkpoints under other digests than the network's.
    OtherCheckpoints,
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
    /// A number of checkpoints, for faults of a node's ledger; 1 by default.
    #[serde(default = "once")]
    pub checkpoints: u64,
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
            checkpoints: 1,
        }
    }
}

impl FaultKind {
    /// Whether the fault lasts for a time, however many calls it affects.
    const fn lasts(self) -> bool {
        matches!(
            self,
            Self::NodeLags
                | Self::TwoNodes
                | Self::HistoryPruned
                | Self::ListsUnserved
                | Self::HeightTooHigh
                | Self::OtherCheckpoints
        )
    }
}

/// The injected faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Mutex<BTreeMap<FaultKind, Fault>>,
    /// The faults that last for a time, with the time of their end.
    lasting: Mutex<BTreeMap<FaultKind, (Fault, u64)>>,
    /// Calls while two nodes take turns.
    turns: AtomicU64,
    /// Notified of each change, so that open streams check for faults.
    changed: tokio::sync::Notify,
}

impl Faults {
    /// Injects a fault at the time given, replacing a pending one of the same kind.
    pub(crate) fn inject(&self, fault: Fault, now_ms: u64) {
        if fault.kind.lasts() {
            let end = match fault.kind {
                FaultKind::HistoryPruned | FaultKind::ListsUnserved => u64::MAX,
                _ => now_ms.saturating_add(fault.ms),
            };
            self.lasting().insert(fault.kind, (fault, end));
        } else {
            self.lock().insert(fault.kind, fault);
        }
        self.changed.notify_waiters();
    }

    /// The faults that calls have yet to hit, each with its remaining count, and those that last.
    pub(crate) fn pending(&self, now_ms: u64) -> Vec<Fault> {
        let lasting = self.lasting();
        let lasting = lasting.values().filter(|(_, end)| now_ms < *end);
        self.lock()
            .values()
            .chain(lasting.map(|(fault, _)| fault))
            .copied()
            .collect()
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.lasting().clear();
        self.changed.notify_waiters();
    }

    /// The checkpoints of a lasting fault, if it has not ended at the time given.
    pub(crate) fn checkpoints(&self, kind: FaultKind, now_ms: u64) -> Option<u64> {
        let lasting = self.lasting();
        let (fault, end) = lasting.get(&kind)?;
        (now_ms < *end).then_some(fault.checkpoints)
    }

    /// Whether it is the second node's turn, while two nodes take turns.
    pub(crate) fn is_seconds_turn(&self, now_ms: u64) -> bool {
        self.checkpoints(FaultKind::TwoNodes, now_ms).is_some()
            && self.turns.fetch_add(1, Ordering::Relaxed) % 2 == 1
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

    /// Makes those who wait for changes check again.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until faults are injected or removed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lasting(&self) -> std::sync::MutexGuard<'_, BTreeMap<FaultKind, (Fault, u64)>> {
        self.lasting.lock().unwrap_or_else(PoisonError::into_inner)
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
        let delay = Fault {
            count: 2,
            ..Fault::once(FaultKind::ExecuteDelay)
        };
        faults.inject(delay, 0);
        assert!(faults.take(FaultKind::Unavailable).is_none());
        let second = Some(Duration::from_secs(1));
        assert_eq!(faults.take(FaultKind::ExecuteDelay), second);
        assert_eq!(faults.take(FaultKind::ExecuteDelay), second);
        assert_eq!(faults.take(FaultKind::ExecuteDelay), None);
    }

    #[test]
    fn a_lasting_fault_ends_with_its_time() {
        let faults = Faults::default();
        let lag = Fault {
            ms: 50,
            checkpoints: 3,
            ..Fault::once(FaultKind::NodeLags)
        };
        faults.inject(lag, 1_000);
        assert_eq!(faults.checkpoints(FaultKind::NodeLags, 1_049), Some(3));
        assert_eq!(faults.pending(1_049), [lag]);
        assert_eq!(faults.checkpoints(FaultKind::NodeLags, 1_050), None);
        assert_eq!(faults.pending(1_050), []);
    }
}
