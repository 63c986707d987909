//! Recording a message.

use atoma_domain::model::{MessageWarning, NewMessage, RecordedMessage};
use atoma_domain::ports::{RecordError, StoreError};
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId};
use sqlx::SqliteConnection;

use super::record::StoredRecord;
use super::reservations::Trace;
use super::stack::ServedStack;
use super::{recorded, release, reservations};
use crate::key_clock::KeyClock;

/// Records a message under the write lock, or returns what was recorded under its key or id.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    clock: &KeyClock,
    message: &NewMessage,
) -> Result<RecordedMessage, RecordError> {
    if let Some(known) = recorded::of_request(connection, clock, message).await? {
        return Ok(known);
    }
    let stack = ServedStack::load(connection, message.stack_small_id).await?;
    let stack = stack.ok_or(RecordError::UnknownStack(message.stack_small_id))?;
    let node = message.node_small_id.unwrap_or(stack.selected_node);
    if let Some(known) = recorded::of_id(connection, message, node).await? {
        return repeat(connection, clock, &stack, node, message, known).await;
    }
    release::end_expired(connection, message.recorded_at).await?;
    let mut record = StoredRecord::load(connection, &stack, node).await?;
    // Another node's record is its own check of the work: settlement doesn't close it.
    if node == stack.selected_node {
        if stack.is_claimed {
            return Err(RecordError::Claimed(stack.id));
        }
        if stack.is_closed(record.is_frozen()) {
            return Err(RecordError::InSettlement(stack.id));
        }
    }
    let mut warnings = Vec::new();
    if let Some(id) = message.reservation {
        match end(connection, &stack, node, id).await? {
            Ended::Now { left } => record.set_reserved(left),
            // Its units are among the free ones, if nobody else has taken them.
            Ended::Before => {}
            Ended::Never => warnings.push(MessageWarning::UnknownReservation(id)),
            Ended::NotOfStack => {
                return Err(RecordError::OtherReservation {
                    reservation: id,
                    stack: stack.id,
                });
            }
        }
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
        warnings,
    };
    recorded::remember(connection, clock, message, node, &result).await?;
    Ok(result)
}

/// Answers a message that was recorded under its id. The repetition may have been served under a
/// reservation of its own, which nothing else would end before its lease expires.
async fn repeat(
    connection: &mut SqliteConnection,
    clock: &KeyClock,
    stack: &ServedStack,
    node: NodeSmallId,
    message: &NewMessage,
    mut known: RecordedMessage,
) -> Result<RecordedMessage, RecordError> {
    if message.request.is_some() {
        // The row with the id has its own key.
        let keyed = NewMessage {
            id: None,
            ..message.clone()
        };
        recorded::remember(connection, clock, &keyed, node, &known).await?;
    }
    let Some(id) = message.reservation else {
        return Ok(known);
    };
    match end(connection, stack, node, id).await? {
        Ended::Now { left } => {
            let mut record = StoredRecord::load(connection, stack, node).await?;
            record.set_reserved(left);
            record.save_reserved(connection).await?;
        }
        Ended::Before => {}
        Ended::Never => known.warnings.push(MessageWarning::UnknownReservation(id)),
        // The message is recorded: an error would hide that.
        Ended::NotOfStack => known.warnings.push(MessageWarning::OtherReservation(id)),
    }
    Ok(known)
}

/// What became of the reservation that a message names.
enum Ended {
    /// It ended with the message. `left` units stay reserved in the record.
    Now { left: ComputeUnits },
    /// It had expired, or was released.
    Before,
    /// There was none.
    Never,
    /// It is of another stack, or of the stack's selected node while another node's message names it.
    NotOfStack,
}

/// Ends the reservation of a message.
async fn end(
    connection: &mut SqliteConnection,
    stack: &ServedStack,
    node: NodeSmallId,
    id: ReservationId,
) -> Result<Ended, StoreError> {
    if node != stack.selected_node {
        return Ok(Ended::NotOfStack);
    }
    if let Some(left) = reservations::end(connection, id, stack.id).await? {
        return Ok(Ended::Now { left });
    }
    Ok(match reservations::trace(connection, id).await? {
        Trace::Present => Ended::NotOfStack,
        Trace::Ended => Ended::Before,
        Trace::None => Ended::Never,
    })
}
