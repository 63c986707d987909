//! A node's record of the requests that it served for a stack.

use serde::{Deserialize, Serialize};

use crate::settlement::StackAccumulator;
use crate::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};

/// What one node recorded for one stack: the selected node while serving, an attesting node while
/// running the same requests again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRecord {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// Whose record it is.
    pub node_small_id: NodeSmallId,
    /// The Merkle accumulator over its message hashes.
    pub accumulator: StackAccumulator,
    /// The units computed.
    pub computed_units: ComputeUnits,
    /// Whether a settlement, or the claim of a confidential stack, has closed it: no message enters
    /// any more.
    pub is_frozen: bool,
}

/// A served request/response pair, to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The stack that pays for it.
    pub stack_small_id: StackSmallId,
    /// Whose record it enters; `None`: the selected node's.
    pub node_small_id: Option<NodeSmallId>,
    /// The hash of the pair.
    pub message_hash: Hash32,
    /// The units that it used.
    pub num_compute_units: ComputeUnits,
    /// The reservation that it was served under, given back in the same step.
    pub reservation: Option<ReservationId>,
}

/// What a record holds after a message entered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkSummary {
    /// How many messages.
    pub num_total_messages: u64,
    /// How many units.
    pub already_computed_units: ComputeUnits,
    /// The Merkle root over the messages.
    pub merkle_root: Hash32,
}

/// The number of a reservation of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReservationId(u64);

impl ReservationId {
    /// Wraps the database's number.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
