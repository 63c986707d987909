//! Reading the journal.

use std::collections::{BTreeMap, HashSet};

use atoma_domain::journal::{Attempt, AttemptRecord, IntentRecord, IntentStatus};
use atoma_domain::ports::{
    GasSpent, JournalFilter, JournalKey, Page, Stock, StoreError, UnfinishedIntent,
};
use atoma_domain::{Digest, IntentId, Mist, ObjectId, TimestampMs, with_causes};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool};

use super::rows;
use crate::columns::{Cells, number, row_number};
use crate::error::statement_failed;

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

/// The coins of the latest attempts, newest first.
macro_rules! recent_gas {
    () => {
        "SELECT id, gas FROM attempts ORDER BY id DESC LIMIT 32"
    };
}

/// All that is unfinished, and what of it can't be read.
pub(super) async fn take_stock(connection: &mut SqliteConnection) -> Result<Stock, StoreError> {
    let intents =
        sqlx::query("SELECT * FROM intents WHERE status IN ('queued', 'submitted') ORDER BY id")
            .fetch_all(&mut *connection)
            .await
            .map_err(statement_failed)?;
    let mut stock = Stock::default();
    let signed = signed(connection, &mut stock.unreadable).await?;
    for row in &intents {
        let is_submitted = rows::intent_status(&Cells::new(row, "intents", "id"));
        let is_submitted = is_submitted.is_ok_and(|status| status == IntentStatus::Submitted);
        match rows::intent(row) {
            Ok(intent) => match signed.get(&intent.id).cloned() {
                // Its attempt can't be read.
                None if is_submitted => {}
                attempt => stock.unfinished.push(UnfinishedIntent { intent, attempt }),
            },
            Err(error) => stock.unreadable.push(with_causes(&error)),
        }
    }
    Ok(stock)
}

/// What is wrong with each final intent, and with the coins of each recent attempt, that can't be read.
/// Lists and the coin pool skip them. No transaction spans the parts: it would keep the write-ahead log
/// from being copied.
pub(super) async fn unreadable(readers: &SqlitePool) -> Result<Vec<String>, StoreError> {
    /// How many rows are in memory at once.
    const PART: u32 = 1_000;
    let mut unreadable = Vec::new();
    let mut after = 0_i64;
    loop {
        let sql = "SELECT *, NULL AS tx_digest FROM intents \
                   WHERE id > $1 AND status IN ('succeeded', 'failed') ORDER BY id LIMIT $2";
        let rows = sqlx::query(sql).bind(after).bind(PART);
        let rows = rows.fetch_all(readers).await.map_err(statement_failed)?;
        for row in &rows {
            after = row.try_get("id").map_err(statement_failed)?;
            unreadable.extend(rows::intent_record(row).err());
        }
        if rows.is_empty() {
            break;
        }
    }
    let recent = sqlx::query(recent_gas!()).fetch_all(readers).await;
    for row in &recent.map_err(statement_failed)? {
        unreadable.extend(rows::gas_coins(&Cells::new(row, "attempts", "id")).err());
    }
    Ok(unreadable.iter().map(|error| with_causes(error)).collect())
}

/// Every attempt that may be with the network, by each of its intents.
async fn signed(
    connection: &mut SqliteConnection,
    unreadable: &mut Vec<String>,
) -> Result<BTreeMap<IntentId, Attempt>, StoreError> {
    let attempts = sqlx::query(attempts!("WHERE a.status = 'signed' ORDER BY a.id"))
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    let mut signed = BTreeMap::new();
    for row in &attempts {
        match rows::attempt(row) {
            Ok(attempt) => {
                for id in &attempt.intents {
                    signed.insert(*id, attempt.clone());
                }
            }
            Err(error) => unreadable.push(with_causes(&error)),
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

/// Intents, newest first. Skips those that can't be read, and fills the page with others.
pub(super) async fn list(
    readers: &SqlitePool,
    filter: &JournalFilter,
    page: Page<IntentId>,
) -> Result<Vec<IntentRecord>, StoreError> {
    // SQLite never gives out its largest row number.
    let before = page.after.and_then(|id| row_number(id.get()));
    let mut before = before.unwrap_or(i64::MAX);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    loop {
        let rows = intents_before(readers, filter, before, page.limit).await?;
        let is_last = rows.len() < limit;
        for row in &rows {
            before = row.try_get("id").map_err(statement_failed)?;
            if records.len() < limit
                && let Ok(record) = rows::intent_record(row)
            {
                records.push(record);
            }
        }
        if is_last || records.len() >= limit {
            return Ok(records);
        }
    }
}

/// The rows of at most `limit` intents below a row number, newest first.
async fn intents_before(
    readers: &SqlitePool,
    filter: &JournalFilter,
    before: i64,
    limit: u32,
) -> Result<Vec<SqliteRow>, StoreError> {
    let mut query = query_before(filter, before, limit);
    let rows = query.build().fetch_all(readers).await;
    rows.map_err(statement_failed)
}

/// Selects those rows. For any one filter, or two, an index has the rows in their order.
fn query_before(filter: &JournalFilter, before: i64, limit: u32) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(intents!("WHERE i.id < "));
    query.push_bind(before);
    if let Some(kind) = filter.kind {
        query.push(" AND i.kind = ").push_bind(kind);
    }
    if let Some(status) = filter.status {
        // SQLite takes an index of some statuses only where the condition of the index is named.
        // A stack's own index has fewer.
        query.push(match (filter.stack, status.is_final()) {
            (Some(_), _) => " AND +i.status = ",
            (None, true) => " AND i.status IN ('succeeded', 'failed') AND i.status = ",
            (None, false) => " AND i.status IN ('queued', 'submitted') AND i.status = ",
        });
        query.push_bind(status.as_str());
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
    query.push(" ORDER BY i.id DESC LIMIT ").push_bind(limit);
    query
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

/// Whether a transaction is an attempt's, or acknowledged as the badge's use.
pub(super) async fn knows_use(
    readers: &SqlitePool,
    badge: ObjectId,
    digest: Digest,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM attempts WHERE digest = $1) \
         OR EXISTS (SELECT 1 FROM acknowledged_uses WHERE badge = $2 AND digest = $1)",
    )
    .bind(digest.as_bytes().to_vec())
    .bind(badge.as_bytes().to_vec())
    .fetch_optional(readers)
    .await
    .map_err(statement_failed)?;
    Ok(row.is_some())
}

/// The coins that the latest attempts used and left over, newest first.
pub(super) async fn recent_gas_coins(readers: &SqlitePool) -> Result<Vec<ObjectId>, StoreError> {
    let rows = sqlx::query(recent_gas!())
        .fetch_all(readers)
        .await
        .map_err(statement_failed)?;
    let mut coins = Vec::new();
    // The pool only prefers them. A row that can't be read is no reason not to start.
    let readable = rows
        .iter()
        .filter_map(|row| rows::gas_coins(&Cells::new(row, "attempts", "id")).ok());
    let mut seen = HashSet::new();
    for gas in readable {
        for (place, coin) in gas.iter().enumerate() {
            // All but the first are merged into it. What a newer attempt merged is gone.
            if seen.insert(*coin.object_id()) && place == 0 {
                coins.push(*coin.object_id());
            }
        }
    }
    Ok(coins)
}

/// A row of gas spent.
struct Cost {
    id: u64,
    at: TimestampMs,
    gas: Mist,
}

/// The gas spent by attempts concluded at or after `since`, with times after `now` corrected.
pub(super) async fn gas_spent(
    connection: &mut SqliteConnection,
    since: TimestampMs,
    now: TimestampMs,
) -> Result<Vec<GasSpent>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, concluded_at, gas_used, gas_budget FROM attempts \
         WHERE gas_used IS NOT NULL AND concluded_at >= $1 ORDER BY id",
    )
    .bind(number(since.get()))
    .fetch_all(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let costs = rows.iter().map(|row| {
        let cells = Cells::new(row, "attempts", "id");
        // A damaged row must not stop the start, nor make room under the cap.
        let at = cells.number("concluded_at").unwrap_or(now.get());
        let gas = cells.number("gas_used");
        Ok(Cost {
            id: cells.row_number("id")?,
            at: TimestampMs::new(at),
            gas: Mist::new(gas.or_else(|_| cells.number("gas_budget")).unwrap_or(0)),
        })
    });
    let costs = costs.collect::<Result<Vec<_>, StoreError>>()?;
    let (past, ahead): (Vec<_>, Vec<_>) = costs.into_iter().partition(|cost| cost.at <= now);
    let spent = past.iter().map(|cost| GasSpent {
        at: cost.at,
        gas: cost.gas,
    });
    let mut spent: Vec<_> = spent.collect();
    // Attempts are concluded about in the order in which they are signed.
    if let Some(first) = ahead.first() {
        let before_since = last_before(connection, first.id, since).await?;
        let still_counting = ahead.iter().filter(|cost| Some(cost.id) > before_since);
        spent.extend(still_counting.map(|cost| {
            let next = past.partition_point(|past| past.id < cost.id);
            GasSpent {
                at: past.get(next).map_or(now, |next| next.at),
                gas: cost.gas,
            }
        }));
    }
    Ok(spent)
}

/// The last attempt with a number above `id` that was concluded before a time.
async fn last_before(
    connection: &mut SqliteConnection,
    id: u64,
    time: TimestampMs,
) -> Result<Option<u64>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM attempts WHERE id > $1 AND concluded_at < $2 ORDER BY id DESC LIMIT 1",
    )
    .bind(row_number(id))
    .bind(number(time.get()))
    .fetch_optional(connection)
    .await
    .map_err(statement_failed)?;
    row.map(|row| Cells::new(&row, "attempts", "id").row_number("id"))
        .transpose()
}

#[cfg(test)]
mod tests;
