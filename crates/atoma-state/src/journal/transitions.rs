//! An intent's way through the state machine.

use atoma_domain::journal::{Action, Failure, Intent, IntentStatus};
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

/// Moves an intent on. A final failure frees its key and thaws the record that a settlement had
/// frozen; success keeps the key where the action is once for ever.
pub(super) async fn advance(
    connection: &mut SqliteConnection,
    id: TransactionId,
    to: IntentStatus,
    failure: Option<&Failure>,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let row = load(connection, id).await?;
    let from = rows::status_of(&Cells::new(&row, "intents", "id"))?;
    if !from.can_become(to) {
        return Err(StoreError::Transition { id, from, to });
    }
    let intent: Intent = rows::intent(&row)?;
    let holds_key = match to {
        IntentStatus::Queued | IntentStatus::Submitted => true,
        IntentStatus::Succeeded => intent.action.is_once_for_ever(),
        IntentStatus::Failed => false,
    };
    let failure = match (to, failure) {
        (IntentStatus::Failed, Some(failure)) => Some(json("a failure", failure)?),
        _ => None,
    };
    sqlx::query(
        "UPDATE intents SET status = ?, holds_key = ?, failure = ?, updated_at = ? WHERE id = ?",
    )
    .bind(to.as_str())
    .bind(holds_key)
    .bind(failure)
    .bind(number(now.get()))
    .bind(row_number(id.get()))
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    if let (IntentStatus::Failed, Action::SettleStack { stack_small_id, .. }) = (to, &intent.action)
    {
        set_frozen(connection, *stack_small_id, false).await?;
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
