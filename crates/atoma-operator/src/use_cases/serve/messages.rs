//! Recording messages.

use atoma_domain::journal::Failure;
use atoma_domain::model::{MessageId, NewMessage, RecordedMessage};
use atoma_domain::ports::RecordError;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, ReservationId, StackSmallId};

use crate::causes::internal;
use crate::use_cases::operator::Operator;

/// A served request/response pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedMessage {
    /// The stack that it was served for.
    pub stack_small_id: StackSmallId,
    /// The node whose record it belongs to; `None` for the selected node.
    pub node_small_id: Option<NodeSmallId>,
    /// The [hash](Hash32::of_message) of the pair.
    pub message_hash: Hash32,
    /// The units that it used.
    pub num_compute_units: ComputeUnits,
    /// The reservation that it was served under.
    pub reservation: Option<ReservationId>,
    /// The client's id of it.
    pub id: Option<MessageId>,
}

impl Operator {
    /// Records a message of one of the operator's nodes, or returns what was recorded under its id or
    /// the request's key. A dry run writes nothing.
    ///
    /// # Errors
    /// When the stack or node is unknown, the record is closed, or the id or key is another message's.
    pub async fn record_message(&self, served: ServedMessage) -> Result<RecordedMessage, Failure> {
        self.readiness.require().await?;
        match served.node_small_id {
            Some(node) => drop(self.node(node).await?),
            None => self.check_serves(served.stack_small_id).await?,
        }
        let message = NewMessage {
            stack_small_id: served.stack_small_id,
            node_small_id: served.node_small_id,
            message_hash: served.message_hash,
            num_compute_units: served.num_compute_units,
            reservation: served.reservation,
            id: served.id,
            request: self.key.clone(),
            recorded_at: self.ports.clock.now(),
        };
        let work = &self.ports.work;
        let recorded = match self.is_dry_run {
            true => work.would_record(&message).await,
            false => work.record_message(&message).await,
        };
        recorded.map_err(failure)
    }
}

fn failure(error: RecordError) -> Failure {
    match error {
        RecordError::UnknownStack(stack_small_id) => Failure::UnknownStack { stack_small_id },
        RecordError::InSettlement(stack_small_id) => Failure::AlreadySettling { stack_small_id },
        RecordError::Claimed(stack_small_id) => Failure::AlreadyClaimed { stack_small_id },
        RecordError::OtherReservation { reservation, stack } => {
            Failure::ReservationOfAnotherStack {
                reservation_id: reservation,
                stack_small_id: stack,
            }
        }
        RecordError::OtherMessage { id, stack } => Failure::MessageIdReused {
            stack_small_id: stack,
            message_id: id.to_string(),
        },
        RecordError::OtherRequest => Failure::IdempotencyKeyReused {},
        RecordError::Store(cause) => internal(cause),
    }
}
