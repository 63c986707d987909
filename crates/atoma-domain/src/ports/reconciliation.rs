//! Comparing the mirror with the contract, and repairing it.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{EventCursor, StoreError};
use crate::contract::{EntriesRead, EntryKey};
use crate::reconciliation::{Cause, Difference};
use crate::{NodeSmallId, ObjectId, StackSmallId, TimestampMs};

/// An object that a transaction changed without an event to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexplainedChange {
    /// The object.
    pub object: ObjectId,
    /// The version of the `AtomaDb` since then.
    pub contract_version: u64,
}

/// What to do about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Only tell them.
    Nothing,
    /// Repair the mirror, and record each difference.
    Mirror(Cause),
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The differences.
    pub differences: Vec<Difference>,
    /// How many entries were compared.
    pub compared: u64,
    /// The entries that could not be compared: the mirror has not got so far, or has got past the read.
    pub open: Vec<EntryKey>,
}

/// The mirror, as it is compared with the contract.
#[async_trait]
pub trait MirrorRepair: Debug + Send + Sync {
    /// The version of the contract that is mirrored; 0 before the first.
    async fn mirrored_version(&self) -> Result<u64, StoreError>;

    /// Compares entries as they were read with the mirror, and repairs it, in one database transaction. `explained` are the
    /// changes that the entries were read for: they are forgotten once all entries are compared and repaired.
    async fn reconcile(
        &self,
        read: &EntriesRead,
        repair: Repair,
        explained: &[UnexplainedChange],
        now: TimestampMs,
    ) -> Result<Compared, StoreError>;

    /// Brings the mirror to the version at which the contract's whole state was read, in one database transaction: what it
    /// lacks is added, what is gone is closed, and the ledger is followed from `cursor` on. Served work, reservations and
    /// the journal stay. Events that are set aside, and unexplained changes, are deleted. `None`, and nothing is changed, if
    /// the mirror is past that version.
    async fn rebuild(
        &self,
        read: &EntriesRead,
        cursor: &EventCursor,
        now: TimestampMs,
    ) -> Result<Option<Vec<Difference>>, StoreError>;

    /// The oldest unexplained changes, at most `limit` of them.
    async fn unexplained_changes(&self, limit: u32) -> Result<Vec<UnexplainedChange>, StoreError>;

    /// The stacks that are open in the mirror with their nodes, in this order, after `after`.
    async fn open_stacks(
        &self,
        after: Option<(NodeSmallId, StackSmallId)>,
        limit: u32,
    ) -> Result<Vec<(NodeSmallId, StackSmallId)>, StoreError>;

    /// Those of these stacks that the mirror lacks.
    async fn missing_stacks(
        &self,
        stacks: &[StackSmallId],
    ) -> Result<Vec<StackSmallId>, StoreError>;
}
