//! Telling those who wait what became of an intent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use atoma_domain::TransactionId;
use atoma_domain::journal::Failure;
use atoma_domain::{Digest, journal::IntentStatus};
use tokio::sync::watch;

/// What became of an intent, as far as this process knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: IntentStatus,
    pub(crate) tx_digest: Option<Digest>,
    pub(crate) failure: Option<Failure>,
}

/// The unfinished intents of this process, with who waits for them.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    open: Mutex<HashMap<TransactionId, watch::Sender<Option<Outcome>>>>,
}

impl Outcomes {
    /// Begins to keep track of an intent.
    pub(super) fn track(&self, id: TransactionId) {
        self.lock()
            .entry(id)
            .or_insert_with(|| watch::Sender::new(None));
    }

    /// A receiver of the intent's outcome; `None` when it is finished or not this process's.
    pub(super) fn watch(&self, id: TransactionId) -> Option<watch::Receiver<Option<Outcome>>> {
        self.lock().get(&id).map(watch::Sender::subscribe)
    }

    /// Announces the final outcome and forgets the intent.
    pub(super) fn finish(&self, id: TransactionId, outcome: Outcome) {
        if let Some(sender) = self.lock().remove(&id) {
            sender.send_replace(Some(outcome));
        }
    }

    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<TransactionId, watch::Sender<Option<Outcome>>>> {
        // The map is whole even if a holder panicked: every change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
