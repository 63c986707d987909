//! Badges that somebody else was seen to use.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::{ObjectId, ObjectReference};

/// The badges that somebody else was seen to use, with the version that showed it.
#[derive(Debug, Default)]
pub(in crate::engine) struct ForeignUses(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    versions: BTreeMap<ObjectId, u64>,
    /// How many uses there were, and the badge of the latest.
    uses: u64,
    latest: Option<ObjectId>,
}

impl ForeignUses {
    /// Notes that somebody else used a badge; says whether this version is news.
    pub(in crate::engine) fn note(&self, badge: &ObjectReference) -> bool {
        let mut seen = self.lock();
        let known = seen.versions.insert(*badge.object_id(), badge.version());
        let is_news = known != Some(badge.version());
        if is_news {
            seen.uses = seen.uses.saturating_add(1);
            seen.latest = Some(*badge.object_id());
        }
        is_news
    }

    /// How many badges somebody else was seen to use.
    pub(in crate::engine) fn count(&self) -> usize {
        self.lock().versions.len()
    }

    /// How many uses were seen, and the badge of the latest.
    pub(in crate::engine) fn seen(&self) -> (u64, Option<ObjectId>) {
        let seen = self.lock();
        (seen.uses, seen.latest)
    }

    /// One sentence for each such badge.
    pub(in crate::engine) fn sentences(&self) -> Vec<String> {
        let sentence = |(badge, version): (&ObjectId, &u64)| {
            format!(
                "other software used badge {badge}, seen at version {version}: is another daemon running with this key?"
            )
        };
        self.lock().versions.iter().map(sentence).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Each field is right by itself, even if a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
