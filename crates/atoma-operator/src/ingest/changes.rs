//! What the ingestion has applied, for subscribers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::{LedgerFrame, LedgerTransaction, Progress};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// How many changes wait for a subscriber. One that is further behind has missed some.
const KEPT: usize = 4_096;

/// A change of the mirror, as a subscriber is told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MirrorChange {
    /// The mirror has applied a transaction. Transactions come in ledger order, each at most once.
    Applied(Arc<LedgerTransaction>),
    /// The mirror differed from the contract and was repaired: read what you depend on again.
    Repaired,
    /// Some changes were not told, because the subscriber was too slow or because the mirror was rebuilt: read what you
    /// depend on again.
    Missed,
}

/// A subscription to the changes of the mirror, from when it began. Each change is in the database before it is told.
///
/// Subscribe first, then read the state: what is told from then on may be in that state already, and nothing is lost in
/// between. A subscription lives in memory, so do the same after a restart. A new epoch and badges that change hands
/// are not told: no transaction of the contract says so.
#[derive(Debug)]
pub struct MirrorChanges {
    changes: Receiver<MirrorChange>,
}

impl MirrorChanges {
    /// Waits for the next change; `None` once the mirror is no longer followed and all changes are told.
    pub async fn next(&mut self) -> Option<MirrorChange> {
        match self.changes.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(MirrorChange::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Those who are told of changes. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscribers(Arc<Mutex<Channel>>);

#[derive(Debug, Default)]
enum Channel {
    /// Nobody has subscribed yet, so nothing is kept.
    #[default]
    Unused,
    Open(Sender<MirrorChange>),
    Ended,
}

impl Subscribers {
    pub(super) fn subscribe(&self) -> MirrorChanges {
        let mut channel = self.channel();
        let changes = match &*channel {
            Channel::Open(sender) => sender.subscribe(),
            Channel::Unused => {
                let (sender, receiver) = broadcast::channel(KEPT);
                *channel = Channel::Open(sender);
                receiver
            }
            // The sender is dropped.
            Channel::Ended => broadcast::channel(1).1,
        };
        MirrorChanges { changes }
    }

    /// Tells what these steps changed in a mirror that stood at `before`: steps at or before that changed nothing.
    pub(super) fn tell_steps(&self, before: &Progress, steps: Vec<LedgerFrame>) {
        let Channel::Open(sender) = &*self.channel() else {
            return;
        };
        let transactions = steps.into_iter().filter_map(|step| step.transaction);
        for transaction in transactions.filter(|transaction| is_after(before, transaction)) {
            // Without a subscriber it is lost, as it should be.
            let _ = sender.send(MirrorChange::Applied(Arc::new(transaction)));
        }
    }

    pub(super) fn tell(&self, change: MirrorChange) {
        if let Channel::Open(sender) = &*self.channel() {
            let _ = sender.send(change);
        }
    }

    /// Ends all subscriptions.
    pub(super) fn end(&self) {
        *self.channel() = Channel::Ended;
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        // It is assigned at once, so a panic of a holder leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a transaction comes after everything that is mirrored. After a rebuild, only the contract's version tells.
fn is_after(mirrored: &Progress, transaction: &LedgerTransaction) -> bool {
    let is_known = |version| mirrored.contract_version >= Some(version);
    mirrored.position < Some(transaction.position)
        && !transaction.contract_version.is_some_and(is_known)
}

#[cfg(test)]
mod tests;
