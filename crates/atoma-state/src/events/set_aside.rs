//! What the events don't tell: events that can't be read, and changes without an event.

use atoma_domain::ports::{EventSetAside, LedgerTransaction, StoreError};
use sqlx::SqliteConnection;

use crate::columns::{JsonRows, number};
use crate::error::{out_of_range, statement_failed};

/// How many events are kept, the newest ones.
const MOST: u64 = 10_000;

/// Stores what the events of a transaction don't tell. Takes how many events are set aside, and returns how many are
/// afterwards.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    transaction: &LedgerTransaction,
    mut count: u64,
) -> Result<u64, StoreError> {
    for event in &transaction.set_aside {
        count = count.saturating_add(keep(connection, transaction, event).await?);
    }
    if count > MOST {
        let dropped = sqlx::query(
            "DELETE FROM events_set_aside WHERE sequence NOT IN \
             (SELECT sequence FROM events_set_aside ORDER BY sequence DESC LIMIT $1)",
        )
        .bind(i64::try_from(MOST).map_err(|_| out_of_range("a limit"))?)
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
        count = count.saturating_sub(dropped.rows_affected());
    }
    let mut changes = JsonRows::default();
    for object in &transaction.unexplained {
        changes.row().bytes(object.as_bytes());
    }
    let Some(changes) = changes.finish() else {
        return Ok(count);
    };
    sqlx::query(
        "INSERT OR REPLACE INTO unexplained_changes (object_id, contract_version) \
         SELECT unhex(value ->> 0), $2 FROM json_each($1)",
    )
    .bind(changes)
    .bind(number(transaction.contract_version.unwrap_or_default()))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(count)
}

/// Keeps an event, and returns how many there are more than before.
async fn keep(
    connection: &mut SqliteConnection,
    transaction: &LedgerTransaction,
    event: &EventSetAside,
) -> Result<u64, StoreError> {
    let index = i64::try_from(event.index).map_err(|_| out_of_range("an event's index"))?;
    let kept = sqlx::query(
        "INSERT INTO events_set_aside (transaction_digest, event_index, checkpoint, event_type, \
         contents, reason, emitted_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(transaction.digest.as_bytes())
    .bind(index)
    .bind(number(transaction.position.checkpoint.get()))
    .bind(&event.event_type)
    .bind(event.contents.as_ref())
    .bind(&event.reason)
    .bind(number(transaction.timestamp.get()))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(kept.rows_affected())
}
