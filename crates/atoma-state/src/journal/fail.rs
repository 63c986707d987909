//! The transition that fails a queued intent.

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, TimestampMs};

use super::freeze;
use super::rows::{LockedIntent, missing_intent};
use crate::batch::{Batch, Results};
use crate::columns::{json, number, row_number};

/// Adds the statements whose rows [`decide`] takes.
pub(super) fn select(reads: &mut Batch, id: IntentId) {
    reads
        .statement("SELECT id, kind, stack_small_id, status FROM intents WHERE id = $1")
        .bind(row_number(id.get()))
        .statement(
            "SELECT other.id, other.kind, other.stack_small_id, other.status FROM intents own \
             JOIN intents other ON other.stack_small_id = own.stack_small_id \
             WHERE own.id = $1 AND other.status <> 'failed'",
        )
        .bind(row_number(id.get()));
}

/// The statements that fail a queued intent: they free its key and thaw its record.
///
/// # Errors
/// [`StoreError::Missing`] when there is no such intent, [`StoreError::Transition`] when it is not
/// queued: once submitted, only the outcome of its attempt can fail it.
pub(super) fn decide(
    rows: &mut Results,
    id: IntentId,
    failure: &Failure,
    now: TimestampMs,
) -> Result<Batch, StoreError> {
    let own = rows.next();
    let intent = LockedIntent::read(own.first().ok_or_else(|| missing_intent(id))?)?;
    if intent.status != IntentStatus::Queued {
        return Err(intent.refuse(IntentStatus::Failed));
    }
    let thawed = freeze::thawed(&[intent], &rows.next())?;
    let mut writes = Batch::new();
    writes
        .statement(
            "UPDATE intents SET status = 'failed', holds_key = 0, failure = $1, updated_at = $2 \
             WHERE id = $3",
        )
        .bind(json("a failure", failure)?)
        .bind(number(now.get()))
        .bind(row_number(id.get()))
        .changing(1);
    freeze::thaw(&mut writes, &thawed);
    Ok(writes)
}
