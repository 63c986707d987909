//! Recording a message.

use atoma_domain::model::{MessageWarning, NewMessage, RecordedMessage};
use atoma_domain::ports::RecordError;
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId, TimestampMs};

use super::loaded::Loaded;
use super::needs::Needs;
use super::open_reservations::EndedReservation;
use super::operation::Operation;
use super::stack::ServedStack;
use crate::columns::{number, row_number};

/// Records a message, or returns what was recorded under its key or id.
pub(super) struct Record(pub(super) NewMessage);

impl Operation for Record {
    type Answer = RecordedMessage;
    type Error = RecordError;

    fn now(&self) -> TimestampMs {
        self.0.recorded_at
    }

    fn needs(&self, needs: &mut Needs) {
        needs.message(&self.0);
    }

    fn run(&self, loaded: &mut Loaded) -> Result<RecordedMessage, RecordError> {
        let message = &self.0;
        if let Some(known) = loaded.recorded.of_request(message)? {
            return Ok(known);
        }
        let stack = loaded.stack(message.stack_small_id)?;
        let stack = stack.ok_or(RecordError::UnknownStack(message.stack_small_id))?;
        let node = message.node_small_id.unwrap_or(stack.selected_node);
        if let Some(known) = loaded.recorded.of_id(message, node)? {
            return repeat(loaded, &stack, node, message, known);
        }
        loaded.end_expired(message.recorded_at);
        let mut record = loaded.records.load(&stack, node)?;
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
        let mut ended = None;
        if let Some(id) = message.reservation {
            match named(loaded, &stack, node, id) {
                Named::Open { id, ending } => {
                    record.set_reserved(ending.left(record.reserved()));
                    ended = Some(id);
                }
                // Its units are among the free ones, if nobody else has taken them.
                Named::Ended => {}
                Named::Never => warnings.push(MessageWarning::UnknownReservation(id)),
                Named::NotOfStack => {
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
        let merkle_root = record.append(message.message_hash, covered, message.recorded_at)?;
        let result = RecordedMessage {
            num_total_messages: record.messages(),
            already_computed_units: record.computed(),
            merkle_root,
            num_uncovered_units: ComputeUnits::new(uncovered),
            is_repetition: false,
            warnings,
        };
        if let Some(id) = ended {
            loaded.reservations.end(id);
        }
        loaded.records.save(record);
        loaded.recorded.remember(message.clone(), node, &result);
        Ok(result)
    }
}

/// Answers a message that was recorded under its id. The repetition may have been served under a
/// reservation of its own, which nothing else would end before its lease expires.
fn repeat(
    loaded: &mut Loaded,
    stack: &ServedStack,
    node: NodeSmallId,
    message: &NewMessage,
    known: RecordedMessage,
) -> Result<RecordedMessage, RecordError> {
    let mut answer = known.clone();
    if let Some(id) = message.reservation {
        match named(loaded, stack, node, id) {
            Named::Open { id, ending } => {
                let mut record = loaded.records.load(stack, node)?;
                record.set_reserved(ending.left(record.reserved()));
                loaded.reservations.end(id);
                loaded.records.save_reserved(record);
            }
            Named::Ended => {}
            Named::Never => answer.warnings.push(MessageWarning::UnknownReservation(id)),
            // The message is recorded: an error would hide that.
            Named::NotOfStack => answer.warnings.push(MessageWarning::OtherReservation(id)),
        }
    }
    if message.request.is_some() {
        // The row with the id has its own key.
        let keyed = NewMessage {
            id: None,
            ..message.clone()
        };
        loaded.recorded.remember(keyed, node, &known);
    }
    Ok(answer)
}

/// The reservation that a message names.
enum Named {
    /// It ends with the message.
    Open { id: i64, ending: EndedReservation },
    /// It has expired, or was released.
    Ended,
    /// There was none.
    Never,
    /// It is of another stack, or of the stack's selected node while another node's message names it.
    NotOfStack,
}

fn named(loaded: &Loaded, stack: &ServedStack, node: NodeSmallId, id: ReservationId) -> Named {
    if node != stack.selected_node {
        return Named::NotOfStack;
    }
    // SQLite never gives out its largest row number.
    let id = row_number(id.get()).unwrap_or(i64::MAX);
    let reservations = &loaded.reservations;
    match reservations.ending(id) {
        Some(ending) if ending.record.stack == number(stack.id.get()) => Named::Open { id, ending },
        Some(_) => Named::NotOfStack,
        None if reservations.was_given(id) => Named::Ended,
        None => Named::Never,
    }
}
