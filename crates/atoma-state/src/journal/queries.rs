//! Reading the journal.

use std::collections::BTreeMap;

use atoma_domain::journal::{Attempt, AttemptRecord, IntentRecord};
use atoma_domain::ports::{JournalFilter, JournalKey, Page, StoreError, UnfinishedIntent};
use atoma_domain::{Digest, IntentId, Mist, ObjectId, TimestampMs};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::rows;
use crate::columns::{Cells, number, row_number};
use crate::error::{out_of_range, statement_failed};

/// Intents with the digest of their latest attempt that may have reached the network.
macro_rules! intents {
    ($rest:literal) => {
        concat!(
            "SELECT i.*, (SELECT a.digest FROM attempt_intents ai \
             JOIN attempts a ON a.id = ai.attempt \
             WHERE ai.intent = i.id AND a.status <> 'dead' \
             ORDER BY a.id DESC LIMIT 1) AS tx_digest FROM intents i ",
            $rest
        )
    };
}

/// Attempts with the intents that they carry, in the order of their calls.
macro_rules! attempts {
    ($rest:literal) => {
        concat!(
            "SELECT a.*, (SELECT json_group_array(ai.intent ORDER BY ai.place) \
             FROM attempt_intents ai WHERE ai.attempt = a.id) AS intents FROM attempts a ",
            $rest
        )
    };
}

/// Every intent that is not final, ascending, with its signed attempt.
pub(super) async fn unfinished(
    connection: &mut SqliteConnection,
) -> Result<Vec<UnfinishedIntent>, StoreError> {
    let intents =
        sqlx::query("SELECT * FROM intents WHERE status IN ('queued', 'submitted') ORDER BY id")
            .fetch_all(&mut *connection)
            .await
            .map_err(statement_failed)?;
    let signed = signed(connection).await?;
    intents
        .iter()
        .map(|row| {
            let intent = rows::intent(row)?;
            let attempt = signed.get(&intent.id).cloned();
            Ok(UnfinishedIntent { intent, attempt })
        })
        .collect()
}

/// Every attempt that may be with the network, by each of its intents.
async fn signed(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<IntentId, Attempt>, StoreError> {
    let attempts = sqlx::query(attempts!("WHERE a.status = 'signed' ORDER BY a.id"))
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    let mut signed = BTreeMap::new();
    for row in &attempts {
        let attempt = rows::attempt(row)?;
        for id in &attempt.intents {
            signed.insert(*id, attempt.clone());
        }
    }
    Ok(signed)
}

/// One intent; of the attempt with that digest, the first that it carries.
pub(super) async fn find(
    readers: &SqlitePool,
    key: JournalKey,
) -> Result<Option<IntentRecord>, StoreError> {
    let query = match key {
        JournalKey::Id(id) => sqlx::query(intents!("WHERE i.id = $1")).bind(row_number(id.get())),
        JournalKey::Digest(digest) => sqlx::query(intents!(
            "JOIN attempt_intents first ON first.intent = i.id AND first.place = 0 \
             JOIN attempts sent ON sent.id = first.attempt WHERE sent.digest = $1"
        ))
        .bind(digest.as_bytes().to_vec()),
    };
    let row = query
        .fetch_optional(readers)
        .await
        .map_err(statement_failed)?;
    row.as_ref().map(rows::intent_record).transpose()
}

/// Intents, newest first.
pub(super) async fn list(
    readers: &SqlitePool,
    filter: &JournalFilter,
    page: Page<IntentId>,
) -> Result<Vec<IntentRecord>, StoreError> {
    // SQLite never gives out its largest row number.
    let before = page.after.and_then(|id| row_number(id.get()));
    let mut query = QueryBuilder::<Sqlite>::new(intents!("WHERE i.id < "));
    query.push_bind(before.unwrap_or(i64::MAX));
    if let Some(kind) = filter.kind {
        query.push(" AND i.kind = ").push_bind(kind);
    }
    if let Some(status) = filter.status {
        query.push(" AND i.status = ").push_bind(status.as_str());
    }
    if let Some(node) = filter.node {
        query
            .push(" AND i.node_small_id = ")
            .push_bind(number(node.get()));
    }
    if let Some(stack) = filter.stack {
        query
            .push(" AND i.stack_small_id = ")
            .push_bind(number(stack.get()));
    }
    if let Some(digest) = filter.tx_digest {
        query
            .push(
                " AND i.id IN (SELECT ai.intent FROM attempts sent \
                 JOIN attempt_intents ai ON ai.attempt = sent.id WHERE sent.digest = ",
            )
            .push_bind(digest.as_bytes().to_vec())
            .push(")");
    }
    query
        .push(" ORDER BY i.id DESC LIMIT ")
        .push_bind(page.limit);
    let intents = query
        .build()
        .fetch_all(readers)
        .await
        .map_err(statement_failed)?;
    intents.iter().map(rows::intent_record).collect()
}

/// Every attempt that carries an intent, oldest first.
pub(super) async fn attempts_of(
    readers: &SqlitePool,
    id: IntentId,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let attempts = sqlx::query(attempts!(
        "JOIN attempt_intents own ON own.attempt = a.id WHERE own.intent = $1 ORDER BY a.id"
    ))
    .bind(row_number(id.get()))
    .fetch_all(readers)
    .await
    .map_err(statement_failed)?;
    attempts.iter().map(rows::attempt_record).collect()
}

/// The digest of the last attempt that executed with a badge, or of the one that registered its node.
pub(super) async fn last_use(
    readers: &SqlitePool,
    badge: ObjectId,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query(
        "SELECT id, digest FROM attempts WHERE id = (SELECT max(id) FROM (\
         SELECT max(id) AS id FROM attempts WHERE registered_badge = $1 UNION ALL \
         SELECT max(id) FROM attempts WHERE badge ->> 'object_id' = $1 AND effects IS NOT NULL))",
    )
    .bind(badge.to_string())
    .fetch_optional(readers)
    .await
    .map_err(statement_failed)?;
    row.map(|row| Cells::new(&row, "attempts", "id").digest("digest"))
        .transpose()
}

/// The gas spent by attempts concluded at or after `since`.
pub(super) async fn gas_spent_since(
    readers: &SqlitePool,
    since: TimestampMs,
) -> Result<Mist, StoreError> {
    // Transactions that are alike cost the same: a day's thousands make a few rows.
    let costs = sqlx::query(
        "SELECT max(id) AS id, gas_used, count(*) AS attempts FROM attempts \
         WHERE gas_used IS NOT NULL AND concluded_at >= $1 GROUP BY gas_used",
    )
    .bind(number(since.get()))
    .fetch_all(readers)
    .await
    .map_err(statement_failed)?;
    costs.iter().try_fold(Mist::ZERO, |sum, row| {
        let cells = Cells::new(row, "attempts", "id");
        let gas = cells.number("gas_used")?;
        let attempts: u64 = cells.small("attempts")?;
        let all = gas.checked_mul(attempts).map(Mist::new);
        all.and_then(|all| sum.checked_add(all).ok())
            .ok_or_else(|| out_of_range("the gas spent"))
    })
}
