//! Badges that somebody else was seen to use.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::{ObjectId, ObjectReference};

/// The badges that somebody else was seen to use, with the version that showed it.
#[derive(Debug, Default)]
pub(in crate::engine) struct ForeignUses {
    versions: Mutex<BTreeMap<ObjectId, u64>>,
}

impl ForeignUses {
    /// Notes that somebody else used a badge; says whether this version is news.
    pub(in crate::engine) fn note(&self, badge: &ObjectReference) -> bool {
        let known = self.lock().insert(*badge.object_id(), badge.version());
        known != Some(badge.version())
    }

    /// How many badges somebody else was seen to use.
    pub(in crate::engine) fn count(&self) -> usize {
        self.lock().len()
    }

    /// One sentence for each such badge.
    pub(in crate::engine) fn sentences(&self) -> Vec<String> {
        let sentence = |(badge, version): (&ObjectId, &u64)| {
            format!(
                "other software used badge {badge}, seen at version {version}: is another daemon running with this key?"
            )
        };
        self.lock().iter().map(sentence).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectId, u64>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
