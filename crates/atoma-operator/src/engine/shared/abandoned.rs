//! Intents that the operator abandons.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::IntentId;

/// How far the abandoning of an intent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum AbandonMark {
    /// Fail it as soon as none of its transactions can execute any more.
    Requested,
    /// It has failed and its callers know; the lane drops it.
    Failed,
}

/// Intents that must not be signed (again).
#[derive(Debug, Default)]
pub(in crate::engine) struct Abandoned {
    marks: Mutex<HashMap<IntentId, AbandonMark>>,
}

impl Abandoned {
    /// Marks an intent.
    pub(in crate::engine) fn mark(&self, id: IntentId, mark: AbandonMark) {
        self.lock().insert(id, mark);
    }

    /// Removes an intent's mark and returns it.
    pub(in crate::engine) fn take(&self, id: IntentId) -> Option<AbandonMark> {
        self.lock().remove(&id)
    }

    /// Removes an intent's mark if the intent has failed; says whether it has.
    pub(in crate::engine) fn take_failed(&self, id: IntentId) -> bool {
        let mut marks = self.lock();
        let has_failed = marks.get(&id) == Some(&AbandonMark::Failed);
        if has_failed {
            marks.remove(&id);
        }
        has_failed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IntentId, AbandonMark>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
