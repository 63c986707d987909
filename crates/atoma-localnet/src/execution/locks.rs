//! Owned objects that transactions on their way to execution hold.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::{Digest, ObjectId};
use sui_sdk_types::ObjectReference;

use super::refusal::TransactionRefusal;

/// The object versions that submitted transactions hold until they have executed or are refused.
#[derive(Debug, Default)]
pub(crate) struct InputLocks {
    held: Mutex<HashMap<(ObjectId, u64), Holder>>,
}

#[derive(Debug)]
struct Holder {
    transaction: Digest,
    /// How many submissions of this transaction are on their way.
    submissions: usize,
}

/// The locks of one submission, released when it is dropped.
#[derive(Debug)]
pub(crate) struct HeldLocks {
    locks: Arc<InputLocks>,
    transaction: Digest,
    versions: Vec<(ObjectId, u64)>,
}

impl InputLocks {
    /// Locks the object versions for a transaction. `is_executed` returns whether a transaction has executed: then
    /// it holds nothing any more, although a submission of it may still be on its way.
    ///
    /// # Errors
    /// [`TransactionRefusal::LockConflict`] when another transaction holds one of them. Then none is locked.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        transaction: Digest,
        references: &[&ObjectReference],
        is_executed: impl Fn(&Digest) -> bool,
    ) -> Result<HeldLocks, TransactionRefusal> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for reference in references {
            let version = (*reference.object_id(), reference.version());
            let Some(holder) = held.get(&version).map(|holder| holder.transaction) else {
                continue;
            };
            if holder == transaction {
                continue;
            }
            if !is_executed(&holder) {
                return Err(TransactionRefusal::LockConflict {
                    locked: (*reference).clone(),
                    holder,
                });
            }
            held.remove(&version);
        }
        let versions: Vec<_> = references
            .iter()
            .map(|reference| (*reference.object_id(), reference.version()))
            .collect();
        for version in &versions {
            held.entry(*version)
                .or_insert(Holder {
                    transaction,
                    submissions: 0,
                })
                .submissions += 1;
        }
        Ok(HeldLocks {
            locks: Arc::clone(self),
            transaction,
            versions,
        })
    }
}

impl Drop for HeldLocks {
    fn drop(&mut self) {
        let held = self.locks.held.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        for version in &self.versions {
            if let Entry::Occupied(mut holder) = held.entry(*version)
                && holder.get().transaction == self.transaction
            {
                holder.get_mut().submissions -= 1;
                if holder.get().submissions == 0 {
                    holder.remove();
                }
            }
        }
    }
}
