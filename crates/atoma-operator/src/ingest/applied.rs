//! What the ingestion has applied, for whoever waits for it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::Digest;
use atoma_domain::ports::{LedgerFrame, Progress};
use tokio::sync::watch;

use super::changes::{MirrorChange, MirrorChanges, Subscribers};

/// How many of the latest applied digests are kept for callers that wait for them.
const REMEMBERED: usize = 16_384;
/// After how many failures in a row the mirror counts as stuck: a stream that breaks is no reason for alarm.
const FAILURES_TO_REPORT: u32 = 3;

/// What the ingestion has applied, for callers that wait for it. Clones share their state.
#[derive(Clone, Debug)]
pub struct Applied {
    progress: watch::Sender<Progress>,
    recent: Arc<Mutex<Recent>>,
    failures: Arc<Mutex<Failures>>,
    subscribers: Subscribers,
}

/// The steps that failed in a row.
#[derive(Debug, Default)]
struct Failures {
    in_a_row: u32,
    last: String,
}

#[derive(Debug, Default)]
struct Recent {
    digests: HashSet<Digest>,
    order: VecDeque<Digest>,
}

impl Default for Applied {
    fn default() -> Self {
        Self {
            progress: watch::Sender::new(Progress::default()),
            recent: Arc::default(),
            failures: Arc::default(),
            subscribers: Subscribers::default(),
        }
    }
}

impl Applied {
    /// A subscription to the changes of the mirror from now on.
    pub fn subscribe(&self) -> MirrorChanges {
        self.subscribers.subscribe()
    }

    /// The progress of the mirror.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Tells when the mirror has moved.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Waits until the transaction is applied, or `limit` has passed. Returns whether it is applied.
    pub async fn wait_for(&self, digest: Digest, limit: Duration) -> bool {
        let mut progress = self.progress.subscribe();
        let applied = async {
            // Subscribed before this check, so that nothing applied in between is missed.
            while !self.has(digest) {
                if progress.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, applied).await.is_ok()
    }

    /// Waits until the progress of the mirror differs from `seen`.
    pub(crate) async fn changed_since(&self, seen: &Progress) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`, so this ends only with a change.
        let _ = progress.wait_for(|now| now != seen).await;
    }

    /// Whether this process has applied the transaction, among its last [`REMEMBERED`] ones.
    pub(crate) fn has(&self, digest: Digest) -> bool {
        self.recent().digests.contains(&digest)
    }

    /// Why the mirror does not move, if several steps in a row have failed.
    pub(crate) fn failure(&self) -> Option<String> {
        let failures = self.failures();
        (failures.in_a_row >= FAILURES_TO_REPORT).then(|| failures.last.clone())
    }

    pub(super) fn note_failure(&self, failure: String) {
        let mut failures = self.failures();
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.last = failure;
    }

    pub(super) fn note_success(&self) {
        self.failures().in_a_row = 0;
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        // Both fields are assigned at once, so a panic of a holder leaves them fitting.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what is in the database before the first step of a stream. Steps that are in it and were not
    /// [published](Self::publish), because their caller left or learned of a failure, are missed by the subscribers.
    pub(super) fn publish_progress(&self, progress: Progress) {
        let position = progress.position;
        let before = self.progress.send_replace(progress);
        if before.position.is_some() && before.position != position {
            self.tell(MirrorChange::Missed);
        }
    }

    /// Publishes steps that are in the database, with the progress that they made.
    pub(super) fn publish(&self, steps: Vec<LedgerFrame>, progress: Progress) {
        let transactions = steps.iter().filter_map(|step| step.transaction.as_ref());
        self.remember(transactions.map(|transaction| transaction.digest));
        let before = self.progress.send_replace(progress);
        self.subscribers.tell_steps(&before, steps);
    }

    /// Tells subscribers that the mirror changed without a transaction.
    pub(crate) fn tell(&self, change: MirrorChange) {
        self.subscribers.tell(change);
    }

    /// Ends all subscriptions.
    pub(crate) fn end_subscriptions(&self) {
        self.subscribers.end();
    }

    fn remember(&self, digests: impl Iterator<Item = Digest>) {
        let mut recent = self.recent();
        for digest in digests {
            if recent.digests.insert(digest) {
                recent.order.push_back(digest);
            }
            if recent.order.len() > REMEMBERED
                && let Some(oldest) = recent.order.pop_front()
            {
                recent.digests.remove(&oldest);
            }
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A panic while it is held leaves at worst a digest that is never evicted.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::CheckpointNumber;
    use atoma_domain::ports::LedgerPosition;

    use super::*;

    fn at(checkpoint: u64) -> Progress {
        Progress {
            position: Some(LedgerPosition {
                checkpoint: CheckpointNumber::new(checkpoint),
                index: 0,
            }),
            ..Progress::default()
        }
    }

    /// A step whose caller left is in the database without having been told.
    #[tokio::test]
    async fn what_a_new_stream_finds_applied_was_missed() {
        let applied = Applied::default();
        let mut changes = applied.subscribe();
        applied.publish_progress(at(1));
        applied.publish(Vec::new(), at(2));
        applied.publish_progress(at(2));
        applied.tell(MirrorChange::Repaired);
        assert_eq!(changes.next().await, Some(MirrorChange::Repaired));
        applied.publish_progress(at(3));
        assert_eq!(changes.next().await, Some(MirrorChange::Missed));
        applied.end_subscriptions();
        assert_eq!(changes.next().await, None);
    }
}
