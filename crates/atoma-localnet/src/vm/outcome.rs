//! What a transaction leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use sui_sdk_types::Event;

use crate::vm::ObjectState;
use atoma_domain::ObjectId;

/// Everything that a transaction changed. Objects that were written with the value they had
/// before, or were created and deleted within the transaction, do not stand here. Inputs that the
/// network must give a new version although no value changed (owned ones, and shared ones taken
/// mutably) are the network's to add.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The new values of [`Self::created`] and [`Self::mutated`].
    pub written: BTreeMap<ObjectId, ObjectState>,
    /// Objects that did not exist before.
    pub created: BTreeSet<ObjectId>,
    /// Objects whose contents or owner changed.
    pub mutated: BTreeSet<ObjectId>,
    /// Objects that are gone.
    pub deleted: BTreeSet<ObjectId>,
    /// Events in the order of emission.
    pub events: Vec<Event>,
    /// Existing objects that were looked at, the written ones among them.
    pub read: BTreeSet<ObjectId>,
    /// Created objects that nobody received: the network refuses such a transaction
    /// (`UnusedValueWithoutDrop`).
    pub ownerless: Vec<ObjectId>,
}
