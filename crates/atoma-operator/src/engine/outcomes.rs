//! Telling those who wait what became of an intent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::TransactionId;
use atoma_domain::journal::{ActionKey, Failure, Intent, IntentRecord};
use atoma_domain::{Digest, journal::IntentStatus};
use tokio::sync::watch;

/// What became of an intent, as far as this process knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) status: IntentStatus,
    pub(super) tx_digest: Option<Digest>,
    pub(super) failure: Option<Failure>,
}

impl From<IntentRecord> for Outcome {
    fn from(record: IntentRecord) -> Self {
        Self {
            status: record.status,
            tx_digest: record.tx_digest,
            failure: record.failure,
        }
    }
}

/// How far an intent is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// In its lane.
    Underway,
    /// Queued, and nothing is done about it for this reason, until that is over.
    Held(Failure),
    /// Final.
    Over(Outcome),
}

/// The unfinished intents of this process, with who waits for them.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    progress: HashMap<TransactionId, (ActionKey, watch::Sender<Progress>)>,
    /// Which of them has a key.
    holders: HashMap<ActionKey, TransactionId>,
}

impl Outcomes {
    /// Begins to keep track of an intent.
    pub(super) fn track(&self, intent: &Intent) {
        let key = intent.action.key(&intent.actor);
        let mut open = self.lock();
        open.holders.insert(key.clone(), intent.id);
        open.progress
            .entry(intent.id)
            .or_insert_with(|| (key, watch::Sender::new(Progress::Underway)));
    }

    /// Whether an unfinished intent has the key.
    pub(super) fn is_open(&self, key: &ActionKey) -> bool {
        self.lock().holders.contains_key(key)
    }

    /// A receiver of the intent's progress; `None` when it is finished or not this process's.
    pub(super) fn watch(&self, id: TransactionId) -> Option<watch::Receiver<Progress>> {
        let open = self.lock();
        open.progress.get(&id).map(|(_, sender)| sender.subscribe())
    }

    /// Why nothing is done about an intent, if so.
    pub(super) fn held(&self, id: TransactionId) -> Option<Failure> {
        match &*self.lock().progress.get(&id)?.1.borrow() {
            Progress::Held(reason) => Some(reason.clone()),
            Progress::Underway | Progress::Over(_) => None,
        }
    }

    /// How many unfinished intents nothing is done about, by the reason.
    pub(super) fn all_held(&self) -> BTreeMap<String, usize> {
        let mut held = BTreeMap::new();
        for (_, sender) in self.lock().progress.values() {
            if let Progress::Held(reason) = &*sender.borrow() {
                *held.entry(reason.to_string()).or_default() += 1;
            }
        }
        held
    }

    /// Announces that nothing is done about these intents for now, and why.
    pub(super) fn hold(&self, ids: impl Iterator<Item = TransactionId>, reason: &Failure) {
        self.set(ids, &Progress::Held(reason.clone()));
    }

    /// Announces that they are under way again.
    pub(super) fn release(&self, ids: impl Iterator<Item = TransactionId>) {
        self.set(ids, &Progress::Underway);
    }

    fn set(&self, ids: impl Iterator<Item = TransactionId>, progress: &Progress) {
        let open = self.lock();
        for id in ids {
            if let Some((_, sender)) = open.progress.get(&id) {
                sender.send_if_modified(|known| {
                    let changes = known != progress;
                    known.clone_from(progress);
                    changes
                });
            }
        }
    }

    /// Announces the final outcome and forgets the intent; false when it was announced before.
    pub(super) fn finish(&self, id: TransactionId, outcome: Outcome) -> bool {
        let mut open = self.lock();
        let Some((key, sender)) = open.progress.remove(&id) else {
            return false;
        };
        // Given up, it may have left its key to another already.
        if open.holders.get(&key) == Some(&id) {
            open.holders.remove(&key);
        }
        sender.send_replace(Progress::Over(outcome));
        true
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing in here panics between two changes that belong together.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
