//! Messages that were recorded under a client's id or key, so that a repeated request records nothing
//! twice.

use atoma_domain::journal::{REQUEST_KEY_LIFETIME_MS, RequestKey};
use atoma_domain::model::{MessageId, NewMessage, RecordedMessage};
use atoma_domain::ports::{RecordError, StoreError};
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::batch::Batch;
use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// What was recorded under the message's key; `None` for a new or expired key, or none.
///
/// # Errors
/// [`RecordError::OtherRequest`] when the key was used with another body.
pub(super) async fn of_request(
    connection: &mut SqliteConnection,
    message: &NewMessage,
) -> Result<Option<RecordedMessage>, RecordError> {
    let Some(key) = &message.request else {
        return Ok(None);
    };
    let row = sqlx::query(
        "SELECT * FROM recorded_messages WHERE request_scope = $1 AND recorded_at >= $2",
    )
    .bind(&key.scope)
    .bind(number(oldest(message.recorded_at)))
    .fetch_optional(connection)
    .await
    .map_err(statement_failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    if cells(&row).optional_hash("request_body")? != Some(key.body) {
        return Err(RecordError::OtherRequest);
    }
    Ok(Some(read(&row)?))
}

/// What was recorded under the message's id, in the record of this node; `None` for a new id, or none.
///
/// # Errors
/// [`RecordError::OtherMessage`] when a message with another hash was.
pub(super) async fn of_id(
    connection: &mut SqliteConnection,
    message: &NewMessage,
    node: NodeSmallId,
) -> Result<Option<RecordedMessage>, RecordError> {
    let Some(id) = &message.id else {
        return Ok(None);
    };
    let row = sqlx::query(
        "SELECT * FROM recorded_messages \
         WHERE stack_small_id = $1 AND node_small_id = $2 AND message_id = $3",
    )
    .bind(number(message.stack_small_id.get()))
    .bind(number(node.get()))
    .bind(id.as_str())
    .fetch_optional(connection)
    .await
    .map_err(statement_failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    if cells(&row).optional_hash("message_hash")? != Some(message.message_hash) {
        return Err(RecordError::OtherMessage {
            id: id.clone(),
            stack: message.stack_small_id,
        });
    }
    Ok(Some(read(&row)?))
}

/// Stores the answer under the message's id and key, if it has any, and forgets expired keys.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    message: &NewMessage,
    node: NodeSmallId,
    answer: &RecordedMessage,
) -> Result<(), StoreError> {
    let (id, key) = (message.id.as_ref(), message.request.as_ref());
    if id.is_none() && key.is_none() {
        return Ok(());
    }
    let mut writes = Batch::new();
    if key.is_some() {
        let oldest = number(oldest(message.recorded_at));
        writes
            .statement(
                "DELETE FROM recorded_messages WHERE request_scope IS NOT NULL \
                 AND recorded_at < $1 AND message_id IS NULL",
            )
            .bind(oldest.clone());
        writes
            .statement(
                "UPDATE recorded_messages SET request_scope = NULL, request_body = NULL \
                 WHERE request_scope IS NOT NULL AND recorded_at < $1",
            )
            .bind(oldest);
    }
    writes
        .statement(
            "INSERT INTO recorded_messages (stack_small_id, node_small_id, message_id, \
             request_scope, request_body, message_hash, num_total_messages, computed_units, \
             merkle_root, num_uncovered_units, recorded_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(number(message.stack_small_id.get()))
        .bind(number(node.get()))
        .bind(id.map(|id: &MessageId| id.as_str().to_owned()))
        .bind(key.map(|key: &RequestKey| key.scope.clone()))
        .bind(key.map(|key| bytes(key.body)))
        .bind(bytes(message.message_hash))
        .bind(number(answer.num_total_messages))
        .bind(number(answer.already_computed_units.get()))
        .bind(bytes(answer.merkle_root))
        .bind(number(answer.num_uncovered_units.get()))
        .bind(number(message.recorded_at.get()));
    writes.run(connection).await
}

fn oldest(now: TimestampMs) -> u64 {
    now.get().saturating_sub(REQUEST_KEY_LIFETIME_MS)
}

fn bytes(hash: Hash32) -> Vec<u8> {
    hash.as_bytes().to_vec()
}

fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells::new(row, "recorded_messages", "sequence")
}

fn read(row: &SqliteRow) -> Result<RecordedMessage, StoreError> {
    let cells = cells(row);
    let root = cells.bytes("merkle_root")?;
    let root = Hash32::try_from(root.as_slice());
    Ok(RecordedMessage {
        num_total_messages: cells.number("num_total_messages")?,
        already_computed_units: ComputeUnits::new(cells.number("computed_units")?),
        merkle_root: root.map_err(|source| cells.corrupt("merkle_root", source))?,
        num_uncovered_units: ComputeUnits::new(cells.number("num_uncovered_units")?),
        is_repetition: true,
    })
}
