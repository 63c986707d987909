//! The results of executing a transaction.

use std::collections::{BTreeMap, BTreeSet};

use sui_sdk_types::Event;

use crate::vm::ObjectState;
use atoma_domain::ObjectId;

/// Everything that a transaction changed. Objects written with an unchanged value, and objects
/// created and deleted within the transaction, are not included. The caller adds the inputs that
/// get a new version although their value is unchanged: owned ones, and shared ones taken mutably.
#[derive(Clone, Debug, Default)]
pub struct ExecutionResults {
    /// The new values of [`Self::created`] and [`Self::mutated`].
    pub written: BTreeMap<ObjectId, ObjectState>,
    /// Objects that did not exist before.
    pub created: BTreeSet<ObjectId>,
    /// Objects whose contents or owner changed.
    pub mutated: BTreeSet<ObjectId>,
    /// Objects that existed before and were deleted.
    pub deleted: BTreeSet<ObjectId>,
    /// Events in the order of emission.
    pub events: Vec<Event>,
    /// Existing objects that were accessed, including those written.
    pub read: BTreeSet<ObjectId>,
    /// Created objects without an owner. The network fails a transaction that leaves any
    /// (`UnusedValueWithoutDrop`).
    pub ownerless: Vec<ObjectId>,
}
