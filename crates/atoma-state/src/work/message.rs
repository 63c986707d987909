//! Recording a message.

use atoma_domain::model::{NewMessage, RecordedMessage};
use atoma_domain::ports::RecordError;
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId};
use sqlx::SqliteConnection;

use super::record::StoredRecord;
use super::stack::ServedStack;
use super::{recorded, release, reservations};

/// Records a message under the write lock, or returns what was recorded under its key or id.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    message: &NewMessage,
) -> Result<RecordedMessage, RecordError> {
    if let Some(known) = recorded::of_request(connection, message).await? {
        return Ok(known);
    }
    let stack = ServedStack::load(connection, message.stack_small_id).await?;
    let stack = stack.ok_or(RecordError::UnknownStack(message.stack_small_id))?;
    let node = message.node_small_id.unwrap_or(stack.selected_node);
    if let Some(known) = recorded::of_id(connection, message, node).await? {
        return Ok(known);
    }
    release::end_expired(connection, message.recorded_at).await?;
    let mut record = StoredRecord::load(connection, stack.id, node).await?;
    // Another node's record is its own check of the work: settlement doesn't close it.
    if node == stack.selected_node {
        if stack.is_claimed {
            return Err(RecordError::Claimed(stack.id));
        }
        if stack.is_closed(record.is_frozen()) {
            return Err(RecordError::InSettlement(stack.id));
        }
    }
    if let Some(id) = message.reservation {
        end(connection, &stack, node, &mut record, id).await?;
    }
    // The work is done: what the stack can't pay is no reason to lose the message.
    let covered = message.num_compute_units.min(record.free_units(stack.size));
    let uncovered = message.num_compute_units.get() - covered.get();
    let merkle_root = record.append(message.message_hash, covered)?;
    record.save(connection).await?;
    let result = RecordedMessage {
        num_total_messages: record.messages(),
        already_computed_units: record.computed(),
        merkle_root,
        num_uncovered_units: ComputeUnits::new(uncovered),
        is_repetition: false,
    };
    recorded::remember(connection, message, node, &result).await?;
    Ok(result)
}

/// Ends the reservation of a message. One that is gone has expired or was released: its units are among
/// the free ones, if nobody else has taken them.
async fn end(
    connection: &mut SqliteConnection,
    stack: &ServedStack,
    node: NodeSmallId,
    record: &mut StoredRecord,
    id: ReservationId,
) -> Result<(), RecordError> {
    let other = RecordError::OtherReservation {
        reservation: id,
        stack: stack.id,
    };
    if node != stack.selected_node {
        return Err(other);
    }
    let Some(reservation) = reservations::load(connection, id).await? else {
        return Ok(());
    };
    if reservation.stack_small_id != stack.id {
        return Err(other);
    }
    reservations::delete(connection, id).await?;
    Ok(record.release(reservation.num_compute_units)?)
}
