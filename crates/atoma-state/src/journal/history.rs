//! What became of an intent's attempts, for who asks.

use atoma_domain::journal::{AttemptRecord, AttemptStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, Epoch, Mist, TimestampMs, TransactionId};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, row_number};
use crate::store::unavailable;

/// Every attempt that carries an intent, oldest first.
pub(super) async fn attempts_of(
    readers: &SqlitePool,
    id: TransactionId,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.id, a.digest, a.status, a.expires_after, a.gas_budget, a.gas_used, \
         a.checkpoint, a.reason, a.failure, a.created_at, a.concluded_at, \
         (SELECT json_group_array(other.intent ORDER BY other.place) FROM attempt_intents other \
          WHERE other.attempt = a.id) AS intents \
         FROM attempt_intents own JOIN attempts a ON a.id = own.attempt \
         WHERE own.intent = ? ORDER BY a.id",
    )
    .bind(row_number(id.get()))
    .fetch_all(readers)
    .await
    .map_err(unavailable)?;
    rows.iter().map(record).collect()
}

fn record(row: &SqliteRow) -> Result<AttemptRecord, StoreError> {
    let cells = Cells::new(row, "attempts", "id");
    let name = cells.text("status")?;
    let status = AttemptStatus::from_name(name)
        .ok_or_else(|| cells.corrupt("status", format!("no status is called {name:?}")))?;
    let intents: Vec<u64> = cells.json("intents")?;
    Ok(AttemptRecord {
        digest: cells.digest("digest")?,
        intents: intents.into_iter().map(TransactionId::new).collect(),
        status,
        expires_after: Epoch::new(cells.number("expires_after")?),
        gas_budget: Mist::new(cells.number("gas_budget")?),
        gas_used: cells.optional_number("gas_used")?.map(Mist::new),
        checkpoint: cells
            .optional_number("checkpoint")?
            .map(CheckpointNumber::new),
        reason: cells.optional_text("reason")?.map(str::to_owned),
        failure: cells.optional_json("failure")?,
        created_at: TimestampMs::new(cells.number("created_at")?),
        concluded_at: cells.optional_number("concluded_at")?.map(TimestampMs::new),
    })
}
