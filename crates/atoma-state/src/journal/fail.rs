//! The transition that fails a queued intent.

use std::collections::BTreeSet;

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, StackSmallId, TimestampMs};
use sqlx::SqliteConnection;

use super::freeze;
use super::rows::{LockedIntent, missing_intent};
use crate::batch::Batch;
use crate::columns::{json, number, row_number};

/// Fails a queued intent: frees its key and thaws its record. Two round trips.
///
/// # Errors
/// [`StoreError::Missing`] when there is no such intent, [`StoreError::Transition`] when it is not
/// queued: once submitted, only the outcome of its attempt can fail it.
pub(super) async fn fail(
    connection: &mut SqliteConnection,
    id: IntentId,
    failure: &Failure,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let thawed = check(connection, id).await?;
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
    writes.run(connection).await
}

/// Refuses an intent that can't fail, and returns the stacks whose records thaw with it.
async fn check(
    connection: &mut SqliteConnection,
    id: IntentId,
) -> Result<BTreeSet<StackSmallId>, StoreError> {
    let mut reads = Batch::new();
    reads
        .statement("SELECT id, kind, stack_small_id, status FROM intents WHERE id = $1")
        .bind(row_number(id.get()))
        .statement(
            "SELECT other.id, other.kind, other.stack_small_id, other.status FROM intents own \
             JOIN intents other ON other.stack_small_id = own.stack_small_id \
             WHERE own.id = $1 AND other.status <> 'failed'",
        )
        .bind(row_number(id.get()));
    let mut rows = reads.query(connection).await?;
    let own = rows.next();
    let intent = LockedIntent::read(own.first().ok_or_else(|| missing_intent(id))?)?;
    if intent.status != IntentStatus::Queued {
        return Err(intent.refuse(IntentStatus::Failed));
    }
    freeze::thawed(&[intent], &rows.next())
}
