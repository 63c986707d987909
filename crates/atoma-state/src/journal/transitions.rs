//! Steps of a single intent.

use atoma_domain::journal::{Action, Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{StackSmallId, TimestampMs, TransactionId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows;
use crate::columns::{Cells, json, key_set, number, row_number};
use crate::store::unavailable;

/// Where an intent stands.
pub(super) async fn status(
    connection: &mut SqliteConnection,
    id: TransactionId,
) -> Result<IntentStatus, StoreError> {
    let row = load(connection, id).await?;
    rows::status_of(&Cells::new(&row, "intents", "id"))
}

async fn load(
    connection: &mut SqliteConnection,
    id: TransactionId,
) -> Result<SqliteRow, StoreError> {
    let row = sqlx::query("SELECT * FROM intents WHERE id = ?")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    row.ok_or_else(|| StoreError::Missing {
        what: format!("transaction {id}"),
    })
}

/// Fails a queued intent: frees its key, and thaws the record that it had closed.
pub(super) async fn fail(
    connection: &mut SqliteConnection,
    id: TransactionId,
    failure: &Failure,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "UPDATE intents SET status = 'failed', holds_key = 0, failure = ?, updated_at = ? \
         WHERE id = ? AND status = 'queued' RETURNING id, action",
    )
    .bind(json("a failure", failure)?)
    .bind(number(now.get()))
    .bind(row_number(id.get()))
    .fetch_optional(&mut *connection)
    .await
    .map_err(unavailable)?;
    let Some(row) = row else {
        return Err(StoreError::Transition {
            id,
            from: status(connection, id).await?,
            to: IntentStatus::Failed,
        });
    };
    let action: Action = Cells::new(&row, "intents", "id").json("action")?;
    set_frozen(connection, action.closes_record(), false).await
}

/// Freezes or thaws the selected nodes' records of stacks.
pub(super) async fn set_frozen(
    connection: &mut SqliteConnection,
    stacks: impl IntoIterator<Item = StackSmallId>,
    frozen: bool,
) -> Result<(), StoreError> {
    let stacks: Vec<u64> = stacks.into_iter().map(StackSmallId::get).collect();
    if stacks.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE work_records SET is_frozen = ? WHERE (stack_small_id, node_small_id) IN \
         (SELECT stack_small_id, selected_node_id FROM stacks \
          WHERE stack_small_id IN (SELECT unhex(value) FROM json_each(?)))",
    )
    .bind(frozen)
    .bind(key_set(stacks))
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}
