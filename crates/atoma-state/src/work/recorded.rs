//! Messages that were recorded under a client's id or key, so that a repeated request records nothing
//! twice.

use atoma_domain::journal::RequestKey;
use atoma_domain::model::{MessageId, MessageWarning, NewMessage, RecordedMessage};
use atoma_domain::ports::{RecordError, StoreError};
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::batch::Batch;
use crate::columns::{Cells, number};
use crate::error::statement_failed;
use crate::key_clock::{KeyClock, KeyTime, is_repeatable, oldest};

/// What was recorded under the message's key; `None` for a new or expired key, or none. With another body a
/// key is free after its lifetime by the system's clock. The same request counts as a repetition until both
/// clocks say so: a message that is recorded twice can cost the stack.
///
/// # Errors
/// [`RecordError::OtherRequest`] when the key was used with another body.
pub(super) async fn of_request(
    connection: &mut SqliteConnection,
    clock: &KeyClock,
    message: &NewMessage,
) -> Result<Option<RecordedMessage>, RecordError> {
    let Some(key) = &message.request else {
        return Ok(None);
    };
    let row = sqlx::query("SELECT * FROM recorded_messages WHERE request_scope = $1")
        .bind(&key.scope)
        .fetch_optional(&mut *connection)
        .await
        .map_err(statement_failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let now = message.recorded_at;
    let recorded_at = cells(&row).number("recorded_at")?;
    if cells(&row).optional_hash("request_body")? == Some(key.body) {
        let key_stored = cells(&row).number("key_stored")?;
        return match is_repeatable(connection, clock, now, recorded_at, key_stored).await? {
            true => Ok(Some(read(&row, message)?)),
            false => Ok(None),
        };
    }
    match recorded_at < oldest(now) {
        true => Ok(None),
        false => Err(RecordError::OtherRequest),
    }
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
    Ok(Some(read(&row, message)?))
}

/// Stores the answer under the message's id and key, if it has any. Forgets the keys that are too old by
/// both clocks.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    clock: &KeyClock,
    message: &NewMessage,
    node: NodeSmallId,
    answer: &RecordedMessage,
) -> Result<(), StoreError> {
    let (id, key) = (message.id.as_ref(), message.request.as_ref());
    if id.is_none() && key.is_none() {
        return Ok(());
    }
    let time = match key {
        Some(_) => Some(KeyTime::step(connection, clock, message.recorded_at).await?),
        None => None,
    };
    let mut writes = Batch::new();
    if let (Some(time), Some(key)) = (&time, key) {
        forget_keys(&mut writes, time, key);
    }
    writes
        .statement(
            "INSERT INTO recorded_messages (stack_small_id, node_small_id, message_id, \
             request_scope, request_body, message_hash, num_compute_units, num_total_messages, \
             computed_units, merkle_root, num_uncovered_units, recorded_at, key_stored) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(number(message.stack_small_id.get()))
        .bind(number(node.get()))
        .bind(id.map(|id: &MessageId| id.as_str().to_owned()))
        .bind(key.map(|key: &RequestKey| key.scope.clone()))
        .bind(key.map(|key| bytes(key.body)))
        .bind(bytes(message.message_hash))
        .bind(number(message.num_compute_units.get()))
        .bind(number(answer.num_total_messages))
        .bind(number(answer.already_computed_units.get()))
        .bind(bytes(answer.merkle_root))
        .bind(number(answer.num_uncovered_units.get()))
        .bind(number(message.recorded_at.get()))
        .bind(time.as_ref().map(KeyTime::stored));
    writes.run(connection).await
}

/// Deletes the keys that are too old by both clocks, and the expired one that is about to be used again. A
/// message with an id stays, without its key.
fn forget_keys(writes: &mut Batch, time: &KeyTime, reused: &RequestKey) {
    for statement in [
        "DELETE FROM recorded_messages WHERE request_scope IS NOT NULL \
         AND key_stored < $1 AND recorded_at < $2 AND message_id IS NULL",
        "UPDATE recorded_messages SET request_scope = NULL, request_body = NULL, key_stored = NULL \
         WHERE request_scope IS NOT NULL AND key_stored < $1 AND recorded_at < $2",
    ] {
        writes
            .statement(statement)
            .bind(time.oldest_stored())
            .bind(time.oldest());
    }
    for statement in [
        "DELETE FROM recorded_messages WHERE request_scope = $1 AND message_id IS NULL",
        "UPDATE recorded_messages SET request_scope = NULL, request_body = NULL, key_stored = NULL \
         WHERE request_scope = $1",
    ] {
        writes.statement(statement).bind(reused.scope.clone());
    }
}

fn bytes(hash: Hash32) -> Vec<u8> {
    hash.as_bytes().to_vec()
}

fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells::new(row, "recorded_messages", "sequence")
}

/// The answer to a repetition of the message in a row.
fn read(row: &SqliteRow, repetition: &NewMessage) -> Result<RecordedMessage, StoreError> {
    let cells = cells(row);
    let recorded = ComputeUnits::new(cells.number("num_compute_units")?);
    let repeated = repetition.num_compute_units;
    let other_units = MessageWarning::OtherUnits { recorded, repeated };
    let has_other_units = recorded != repeated;
    let root = cells.bytes("merkle_root")?;
    let root = Hash32::try_from(root.as_slice());
    Ok(RecordedMessage {
        num_total_messages: cells.number("num_total_messages")?,
        already_computed_units: ComputeUnits::new(cells.number("computed_units")?),
        merkle_root: root.map_err(|source| cells.corrupt("merkle_root", source))?,
        num_uncovered_units: ComputeUnits::new(cells.number("num_uncovered_units")?),
        is_repetition: true,
        warnings: has_other_units.then_some(other_units).into_iter().collect(),
    })
}
