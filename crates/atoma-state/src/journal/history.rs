//! What the journal tells of attempts: those that are open, those of an intent, what was spent.

use std::collections::BTreeMap;

use atoma_domain::journal::{Attempt, AttemptRecord, AttemptStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, Digest, Epoch, IntentId, Mist, ObjectId, TimestampMs};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::rows;
use crate::columns::{Cells, number, row_number};
use crate::store::unavailable;

/// Every attempt that may be with the network, by each of the intents that it carries.
pub(super) async fn open(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<IntentId, Attempt>, StoreError> {
    let rows = sqlx::query("SELECT * FROM attempts WHERE status = 'signed' ORDER BY id")
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    let mut open = BTreeMap::new();
    for row in &rows {
        let mut attempt = rows::attempt(row)?;
        let number = Cells::new(row, "attempts", "id").small("id")?;
        attempt.intents = carried(connection, number).await?;
        for id in &attempt.intents {
            open.insert(*id, attempt.clone());
        }
    }
    Ok(open)
}

/// Every attempt that carries an intent, oldest first.
pub(super) async fn attempts_of(
    readers: &SqlitePool,
    id: IntentId,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT a.id, a.digest, a.status, a.expires_after, a.gas_budget, a.gas_used, \
         a.checkpoint, a.registered_badge, a.reason, a.failure, a.created_at, a.concluded_at, \
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
        intents: intents.into_iter().map(IntentId::new).collect(),
        status,
        expires_after: Epoch::new(cells.number("expires_after")?),
        gas_budget: Mist::new(cells.number("gas_budget")?),
        gas_used: cells.optional_number("gas_used")?.map(Mist::new),
        checkpoint: cells
            .optional_number("checkpoint")?
            .map(CheckpointNumber::new),
        registered_badge: cells
            .optional_text("registered_badge")?
            .map(|badge| badge.parse())
            .transpose()
            .map_err(|source| cells.corrupt("registered_badge", source))?,
        reason: cells.optional_text("reason")?.map(str::to_owned),
        failure: cells.optional_json("failure")?,
        created_at: TimestampMs::new(cells.number("created_at")?),
        concluded_at: cells.optional_number("concluded_at")?.map(TimestampMs::new),
    })
}

/// The digest of the last attempt that executed with a badge, or registered its node.
pub(super) async fn last_use(
    connection: &mut SqliteConnection,
    badge: ObjectId,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query(
        "SELECT id, digest FROM attempts WHERE id = (SELECT max(id) FROM (\
         SELECT max(id) AS id FROM attempts WHERE registered_badge = ?1 UNION ALL \
         SELECT max(id) FROM attempts \
         WHERE json_extract(badge, '$.object_id') = ?1 AND effects IS NOT NULL))",
    )
    .bind(badge.to_string())
    .fetch_optional(connection)
    .await
    .map_err(unavailable)?;
    row.map(|row| Cells::new(&row, "attempts", "id").digest("digest"))
        .transpose()
}

/// The gas spent by attempts concluded at or after `since`.
pub(super) async fn gas_spent_since(
    connection: &mut SqliteConnection,
    since: TimestampMs,
) -> Result<Mist, StoreError> {
    // What is alike costs alike: a day's thousands are a few rows.
    let rows = sqlx::query(
        "SELECT max(id) AS id, gas_used, count(*) AS attempts FROM attempts \
         WHERE gas_used IS NOT NULL AND concluded_at >= ? GROUP BY gas_used",
    )
    .bind(number(since.get()))
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter().try_fold(Mist::ZERO, |sum, row| {
        let cells = Cells::new(row, "attempts", "id");
        let gas = cells.number("gas_used")?;
        let attempts: u64 = cells.small("attempts")?;
        let all = gas.checked_mul(attempts).map(Mist::new);
        all.and_then(|all| sum.checked_add(all).ok())
            .ok_or_else(|| StoreError::OutOfRange {
                what: String::from("the gas spent"),
            })
    })
}

/// The intents of an attempt, in the order of its calls.
pub(super) async fn carried(
    connection: &mut SqliteConnection,
    attempt: i64,
) -> Result<Vec<IntentId>, StoreError> {
    let rows =
        sqlx::query("SELECT attempt, intent FROM attempt_intents WHERE attempt = ? ORDER BY place")
            .bind(attempt)
            .fetch_all(connection)
            .await
            .map_err(unavailable)?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "attempt_intents", "attempt");
            Ok(IntentId::new(cells.row_number("intent")?))
        })
        .collect()
}
