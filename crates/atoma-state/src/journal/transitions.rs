//! Steps of a single intent.

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, TimestampMs};
use sqlx::SqliteConnection;

use super::rows;
use crate::columns::{Cells, json, number, row_number};
use crate::store::{SqliteState, unavailable};

/// Where an intent stands.
pub(super) async fn status(
    connection: &mut SqliteConnection,
    id: IntentId,
) -> Result<IntentStatus, StoreError> {
    let row = sqlx::query("SELECT id, status FROM intents WHERE id = ?")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    let row = row.ok_or_else(|| StoreError::Missing {
        what: format!("transaction {id}"),
    })?;
    rows::status_of(&Cells::new(&row, "intents", "id"))
}

/// Fails a queued intent and frees its key.
pub(super) async fn fail(
    store: &SqliteState,
    id: IntentId,
    failure: &Failure,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let failed = sqlx::query(
        "UPDATE intents SET status = 'failed', holds_key = 0, failure = ?, updated_at = ? \
         WHERE id = ? AND status = 'queued'",
    )
    .bind(json("a failure", failure)?)
    .bind(number(now.get()))
    .bind(row_number(id.get()))
    .execute(&store.writer)
    .await
    .map_err(unavailable)?;
    if failed.rows_affected() == 0 {
        return Err(StoreError::Transition {
            id,
            from: status(&mut *store.snapshot().await?, id).await?,
            to: IntentStatus::Failed,
        });
    }
    Ok(())
}
