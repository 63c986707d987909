//! Intents that the operator gives up.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::TransactionId;

/// Intents that are not to be signed (again). The lane that holds one fails it when it comes to
/// it; one with a transaction that may execute stays until that is decided.
#[derive(Debug, Default)]
pub(super) struct Abandoned {
    ids: Mutex<HashSet<TransactionId>>,
}

impl Abandoned {
    /// Marks an intent.
    pub(super) fn mark(&self, id: TransactionId) {
        self.lock().insert(id);
    }

    /// Takes the mark back; says whether there was one.
    pub(super) fn unmark(&self, id: TransactionId) -> bool {
        self.lock().remove(&id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<TransactionId>> {
        // Every change is one call, so the set is whole even if a holder panicked.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
