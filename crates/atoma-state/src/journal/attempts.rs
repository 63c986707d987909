//! Signed attempts: written before they are sent. As many statements for a batch as for a single
//! intent, since each is a way to SQLite's thread and back.

use std::collections::BTreeSet;

use atoma_domain::TimestampMs;
use atoma_domain::journal::{Attempt, AttemptStatus, IntentStatus};
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;

use super::rows::StoredReference;
use super::transitions;
use crate::columns::{json, number};
use crate::store::unavailable;

/// Writes a signed attempt down and makes its intents `Submitted`.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let Some(first) = attempt.intents.first() else {
        return Err(StoreError::Missing {
            what: format!("an intent of transaction {}", attempt.digest()),
        });
    };
    let inserted = match insert(connection, attempt, now).await {
        Ok(Some(row)) => carry(connection, row, attempt, now).await,
        // Bytes that were proved dead aren't sent again: their digest can't stand here twice. Nor
        // are two signed attempts to use one version of a badge or coin.
        Ok(None) => Err(StoreError::Transition {
            id: *first,
            from: IntentStatus::Queued,
            to: IntentStatus::Submitted,
        }),
        Err(error) => Err(error),
    };
    let Err(error) = inserted else {
        return Ok(());
    };
    // Looked up only now: what is as expected needs no reading.
    Err(misfit(connection, attempt).await?.unwrap_or(error))
}

/// Links the attempt with its intents and moves them on.
async fn carry(
    connection: &mut SqliteConnection,
    row: i64,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let ids: Vec<u64> = attempt.intents.iter().map(|id| id.get()).collect();
    sqlx::query(
        "INSERT INTO attempt_intents (attempt, place, intent) \
         SELECT ?, key, value FROM json_each(?)",
    )
    .bind(row)
    .bind(json("the intents of an attempt", &ids)?)
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    sqlx::query(
        "UPDATE intents SET status = ?, updated_at = ? \
         WHERE id IN (SELECT intent FROM attempt_intents WHERE attempt = ?)",
    )
    .bind(IntentStatus::Submitted.as_str())
    .bind(number(now.get()))
    .bind(row)
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Which intent can't be signed for, if one can't: it is not queued, not there, or named twice.
async fn misfit(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
) -> Result<Option<StoreError>, StoreError> {
    let mut seen = BTreeSet::new();
    for id in &attempt.intents {
        let from = match transitions::status(connection, *id).await {
            Ok(IntentStatus::Queued) if seen.insert(*id) => continue,
            Ok(IntentStatus::Queued) => IntentStatus::Submitted,
            Ok(other) => other,
            Err(error) => return Ok(Some(error)),
        };
        return Ok(Some(StoreError::Transition {
            id: *id,
            from,
            to: IntentStatus::Submitted,
        }));
    }
    Ok(None)
}

/// The new row's number; `None` when the digest is there already, or a signed attempt that uses the
/// same version of a badge or coin.
async fn insert(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<Option<i64>, StoreError> {
    let badge = attempt.badge.as_ref().map(StoredReference::from);
    let badge = badge.map(|badge| json("a badge", &badge)).transpose()?;
    let gas: Vec<StoredReference> = attempt.gas.iter().map(StoredReference::from).collect();
    let signatures =
        bcs::to_bytes(&attempt.transaction.signatures).map_err(|_| StoreError::OutOfRange {
            what: format!("a signature of transaction {}", attempt.digest()),
        })?;
    let inserted = sqlx::query(
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, badge, gas, gas_budget, \
         status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(attempt.digest().as_bytes())
    .bind(&attempt.transaction.bytes)
    .bind(signatures)
    .bind(number(attempt.expires_after.get()))
    .bind(badge)
    .bind(json("gas coins", &gas)?)
    .bind(number(attempt.gas_budget.get()))
    .bind(AttemptStatus::Signed.as_str())
    .bind(number(now.get()))
    .execute(connection)
    .await;
    match inserted {
        Ok(inserted) => Ok(Some(inserted.last_insert_rowid())),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}
