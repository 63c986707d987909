//! Nodes that show old versions of objects although their ledger is up to date.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use atoma_domain::ObjectReference;
use atoma_domain::ports::ChainError;

/// How long a node may show an object's version after another one has been seen. Nodes differ by a few
/// checkpoints, also those behind one address.
const GRACE: Duration = Duration::from_secs(30);

/// Objects remembered at most. Forgetting only delays the next finding.
const MOST: usize = 10_000;

/// The newest version seen of each object, by any node or in effects.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    newest: Mutex<HashMap<atoma_domain::ObjectId, Newest>>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    version: u64,
    first_seen: Instant,
}

impl Versions {
    /// Notes a version that exists.
    pub(crate) fn note(&self, object: &ObjectReference) {
        // A version that is old by now is no finding here.
        let _ = self.check_at(Instant::now(), object);
    }

    /// Notes a version that a node shows as the latest one.
    ///
    /// # Errors
    /// [`ChainError::Behind`] if a newer one has been known for so long that the node should show it.
    pub(crate) fn check(&self, object: &ObjectReference) -> Result<(), ChainError> {
        self.check_at(Instant::now(), object)
    }

    fn check_at(&self, at: Instant, object: &ObjectReference) -> Result<(), ChainError> {
        let (id, shown) = (*object.object_id(), object.version());
        // At worst a panic of a holder leaves a version out.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match newest.get(&id) {
            Some(known) if known.version == shown => Ok(()),
            Some(known) if known.version > shown => {
                let since = at.saturating_duration_since(known.first_seen);
                if since <= GRACE {
                    return Ok(());
                }
                Err(ChainError::Behind {
                    object: id,
                    shown: Some(shown),
                    known: known.version,
                })
            }
            _ => {
                if newest.len() >= MOST {
                    newest.clear();
                }
                let seen = Newest {
                    version: shown,
                    first_seen: at,
                };
                newest.insert(id, seen);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::{Digest, ObjectId};

    use super::*;

    #[test]
    fn an_old_version_is_found_once_a_newer_one_has_been_known_for_a_while() {
        let versions = Versions::default();
        let start = Instant::now();
        let shows = |version, seconds| {
            let object = ObjectReference::new(ObjectId::TWO, version, Digest::ZERO);
            versions.check_at(start + Duration::from_secs(seconds), &object)
        };
        assert!(shows(5, 0).is_ok());
        assert!(shows(5, 100).is_ok());
        assert!(shows(9, 200).is_ok());
        // Another node, a moment later.
        assert!(shows(5, 230).is_ok());
        assert!(matches!(
            shows(5, 231),
            Err(ChainError::Behind {
                shown: Some(5),
                known: 9,
                ..
            })
        ));
        assert!(shows(9, 300).is_ok());
        assert!(shows(10, 300).is_ok());
        assert!(shows(9, 330).is_ok());
    }
}
