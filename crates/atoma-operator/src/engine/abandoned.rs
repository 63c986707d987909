//! Intents that the operator gives up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::IntentId;

/// How far the giving up of an intent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is to be failed as soon as nothing of it can execute any more.
    Wanted,
    /// It is failed, and who waited is told; its lane drops it.
    Failed,
}

/// Intents that are not to be signed (again).
#[derive(Debug, Default)]
pub(super) struct Abandoned {
    marks: Mutex<HashMap<IntentId, Mark>>,
}

impl Abandoned {
    /// Marks an intent.
    pub(super) fn mark(&self, id: IntentId, mark: Mark) {
        self.lock().insert(id, mark);
    }

    /// Takes the mark of an intent away.
    pub(super) fn take(&self, id: IntentId) -> Option<Mark> {
        self.lock().remove(&id)
    }

    /// Takes the mark of an intent away if it is failed; says whether it is.
    pub(super) fn take_failed(&self, id: IntentId) -> bool {
        let mut marks = self.lock();
        let is_failed = marks.get(&id) == Some(&Mark::Failed);
        if is_failed {
            marks.remove(&id);
        }
        is_failed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IntentId, Mark>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
