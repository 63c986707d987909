//! An intent's way through the state machine.

use atoma_domain::journal::{Action, Failure, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{StackSmallId, TimestampMs, TransactionId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows;
use crate::columns::{Cells, json, number, row_number};
use crate::store::unavailable;

/// Where an intent stands.
pub(super) async fn status(
    connection: &mut SqliteConnection,
    id: TransactionId,
) -> Result<IntentStatus, StoreError> {
    let row = load(connection, id).await?;
    rows::status_of(&Cells::new(&row, "intents", "id"))
}

/// What an intent asks for.
pub(super) async fn action(
    connection: &mut SqliteConnection,
    id: TransactionId,
) -> Result<Action, StoreError> {
    let row = load(connection, id).await?;
    Cells::new(&row, "intents", "id").json("action")
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

/// One step of an intent.
#[derive(Clone, Copy)]
pub(super) struct Step<'f> {
    pub(super) from: IntentStatus,
    pub(super) to: IntentStatus,
    /// Why, if it fails.
    pub(super) failure: Option<&'f Failure>,
    pub(super) now: TimestampMs,
}

/// Moves an intent on. A final failure frees its key and thaws the record that it had closed; success keeps the key where the action is once for ever. The `action` is needed for
/// steps to an end.
pub(super) async fn advance(
    connection: &mut SqliteConnection,
    id: TransactionId,
    action: Option<&Action>,
    step: Step<'_>,
) -> Result<(), StoreError> {
    let Step { from, to, now, .. } = step;
    let holds_key = match to {
        IntentStatus::Queued | IntentStatus::Submitted => true,
        IntentStatus::Succeeded => action.is_none_or(Action::is_once_for_ever),
        IntentStatus::Failed => false,
    };
    let failure = match (to, step.failure) {
        (IntentStatus::Failed, Some(failure)) => Some(json("a failure", failure)?),
        _ => None,
    };
    let moved = sqlx::query(
        "UPDATE intents SET status = ?, holds_key = ?, failure = ?, updated_at = ? \
         WHERE id = ? AND status = ?",
    )
    .bind(to.as_str())
    .bind(holds_key)
    .bind(failure)
    .bind(number(now.get()))
    .bind(row_number(id.get()))
    .bind(from.as_str())
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    if moved.rows_affected() == 0 {
        // Looked up only now: what is as expected needs no reading.
        let from = status(connection, id).await?;
        return Err(StoreError::Transition { id, from, to });
    }
    if to == IntentStatus::Failed
        && let Some(stack) = action.and_then(Action::closes_record)
    {
        set_frozen(connection, stack, false).await?;
    }
    Ok(())
}

/// Freezes or thaws the selected node's record of a stack.
pub(super) async fn set_frozen(
    connection: &mut SqliteConnection,
    stack: StackSmallId,
    frozen: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE work_records SET is_frozen = ?1 WHERE stack_small_id = ?2 AND node_small_id = \
         (SELECT selected_node_id FROM stacks WHERE stack_small_id = ?2)",
    )
    .bind(frozen)
    .bind(number(stack.get()))
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}
