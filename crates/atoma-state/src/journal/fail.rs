//! The transition that fails a queued intent.

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, TimestampMs};
use sqlx::SqliteConnection;

use super::freeze;
use super::rows::{LockedIntent, missing_intent};
use crate::batch::Batch;
use crate::columns::{json, number, row_number};
use crate::error::unavailable;

/// Fails a queued intent: frees its key and thaws its record. Two round trips, and two more for an
/// intent that froze a record.
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
    let row = sqlx::query("SELECT id, action, status FROM intents WHERE id = $1")
        .bind(row_number(id.get()))
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let row = row.ok_or_else(|| missing_intent(id))?;
    let intent = LockedIntent::read(&row)?;
    if intent.status != IntentStatus::Queued {
        return Err(intent.refuse(IntentStatus::Failed));
    }
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
    writes.run(connection).await?;
    freeze::thaw(connection, [&intent.action]).await
}
