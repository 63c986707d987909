//! A node's record of the work that it did for a stack.

use serde::{Deserialize, Serialize};

use crate::settlement::StackAccumulator;
use crate::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};

/// One node's record of one stack. The selected node records what it serves; an attesting node records
/// its repetition of the same requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRecord {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The node.
    pub node_small_id: NodeSmallId,
    /// The Merkle accumulator over its message hashes.
    pub accumulator: StackAccumulator,
    /// The units computed.
    pub computed_units: ComputeUnits,
    /// Whether a settlement, or the claim of a confidential stack, has closed it to further messages.
    pub is_frozen: bool,
}

/// A served request/response pair that is to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The stack that it was served for.
    pub stack_small_id: StackSmallId,
    /// The node whose record it belongs to; `None` for the selected node.
    pub node_small_id: Option<NodeSmallId>,
    /// The hash of the pair.
    pub message_hash: Hash32,
    /// The units that it used.
    pub num_compute_units: ComputeUnits,
    /// The reservation that it was served under, which is released in the same step.
    pub reservation: Option<ReservationId>,
}

/// A record after a message was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkSummary {
    /// The number of messages.
    pub num_total_messages: u64,
    /// The units computed.
    pub already_computed_units: ComputeUnits,
    /// The Merkle root over the messages.
    pub merkle_root: Hash32,
}

/// The number of a reservation of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReservationId(u64);

impl ReservationId {
    /// Wraps the number of the database.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
