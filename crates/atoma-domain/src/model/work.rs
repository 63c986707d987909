//! A node's record of the work that it did for a stack.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::reservation::MessageId;
use crate::journal::RequestKey;
use crate::settlement::StackAccumulator;
use crate::{ComputeUnits, Hash32, NodeSmallId, ReservationId, StackSmallId, TimestampMs};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The stack that it was served for.
    pub stack_small_id: StackSmallId,
    /// The node whose record it belongs to; `None` for the selected node.
    pub node_small_id: Option<NodeSmallId>,
    /// The [hash](Hash32::of_message) of the pair.
    pub message_hash: Hash32,
    /// The units that it used.
    pub num_compute_units: ComputeUnits,
    /// The reservation that it was served under, which ends in the same step. An expired one is fine.
    pub reservation: Option<ReservationId>,
    /// The client's id of it.
    pub id: Option<MessageId>,
    /// The client's key of the request that records it.
    pub request: Option<RequestKey>,
    /// When it is recorded.
    pub recorded_at: TimestampMs,
}

impl NewMessage {
    /// A message for the selected node's record, without a reservation, an id or a key.
    pub const fn new(
        stack_small_id: StackSmallId,
        message_hash: Hash32,
        num_compute_units: ComputeUnits,
        recorded_at: TimestampMs,
    ) -> Self {
        Self {
            stack_small_id,
            node_small_id: None,
            message_hash,
            num_compute_units,
            reservation: None,
            id: None,
            request: None,
            recorded_at,
        }
    }
}

/// A recorded message, and the record right after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedMessage {
    /// The number of messages. This one is the last of them.
    pub num_total_messages: u64,
    /// The units computed.
    pub already_computed_units: ComputeUnits,
    /// The Merkle root over the messages.
    pub merkle_root: Hash32,
    /// Those of the message's units that were not added, because the stack had fewer left.
    pub num_uncovered_units: ComputeUnits,
    /// Whether it had been recorded before, under the same id or key. Then nothing has changed but the
    /// reservation, which ends.
    pub is_repetition: bool,
    /// What looks wrong about the request.
    pub warnings: Vec<MessageWarning>,
}

/// What looks wrong about a message that is recorded all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MessageWarning {
    /// It names a reservation that never existed.
    #[error(
        "There was never a reservation {0}. The message's own reservation, if it has one, stays open until its \
         lease expires."
    )]
    UnknownReservation(ReservationId),
    /// It was recorded before, and the repetition names a reservation of another stack or node.
    #[error("Reservation {0} belongs to another stack or node and stays open.")]
    OtherReservation(ReservationId),
    /// It was recorded before, with other units.
    #[error(
        "The message was recorded before with {recorded} compute units; these {repeated} have no effect."
    )]
    OtherUnits {
        /// The units that it was recorded with.
        recorded: ComputeUnits,
        /// The units of the repetition.
        repeated: ComputeUnits,
    },
}
