//! Signed attempts: written before they are sent, concluded once.

use std::collections::BTreeMap;

use atoma_domain::journal::{Attempt, AttemptOutcome, AttemptStatus, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, Mist, ObjectId, TimestampMs, TransactionId};
use sqlx::SqliteConnection;

use super::rows::{self, StoredReference};
use super::transitions;
use crate::columns::{Cells, json, number, row_number};
use crate::store::unavailable;

/// Writes a signed attempt down and makes its intents `Submitted`.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<(), StoreError> {
    if attempt.intents.is_empty() {
        return Err(StoreError::Missing {
            what: format!("an intent of transaction {}", attempt.digest()),
        });
    }
    // First, so that a second signature is refused as the transition that it would be.
    for id in &attempt.intents {
        transitions::advance(connection, *id, IntentStatus::Submitted, None, now).await?;
    }
    if let Some(known) = find(connection, attempt.digest()).await? {
        // Bytes that were proved dead aren't sent again: their digest can't stand here twice.
        return Err(StoreError::Transition {
            id: first(&known.intents, attempt.digest())?,
            from: IntentStatus::Queued,
            to: IntentStatus::Submitted,
        });
    }
    let badge = attempt.badge.as_ref().map(StoredReference::from);
    let badge = badge.map(|badge| json("a badge", &badge)).transpose()?;
    let gas: Vec<StoredReference> = attempt.gas.iter().map(StoredReference::from).collect();
    let signatures =
        bcs::to_bytes(&attempt.transaction.signatures).map_err(|_| StoreError::OutOfRange {
            what: format!("a signature of transaction {}", attempt.digest()),
        })?;
    let row = sqlx::query(
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, badge, gas, status, \
         created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(attempt.digest().as_bytes())
    .bind(&attempt.transaction.bytes)
    .bind(signatures)
    .bind(number(attempt.expires_after.get()))
    .bind(badge)
    .bind(json("gas coins", &gas)?)
    .bind(AttemptStatus::Signed.as_str())
    .bind(number(now.get()))
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?
    .last_insert_rowid();
    for (place, id) in (0_i64..).zip(&attempt.intents) {
        sqlx::query("INSERT INTO attempt_intents (attempt, place, intent) VALUES (?, ?, ?)")
            .bind(row)
            .bind(place)
            .bind(row_number(id.get()))
            .execute(&mut *connection)
            .await
            .map_err(unavailable)?;
    }
    Ok(())
}

/// Writes down what came of an attempt, for it and all its intents.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    digest: Digest,
    outcome: &AttemptOutcome,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let attempt = find(connection, digest)
        .await?
        .ok_or_else(|| StoreError::Missing {
            what: format!("an attempt with digest {digest}"),
        })?;
    if attempt.status != AttemptStatus::Signed {
        let id = first(&attempt.intents, digest)?;
        return Err(StoreError::Transition {
            id,
            from: transitions::status(connection, id).await?,
            to: outcome.intent_status(),
        });
    }
    let (failure, gas_used, effects, reason) = match outcome {
        AttemptOutcome::Succeeded { gas_used, effects }
        | AttemptOutcome::BatchAborted { gas_used, effects }
        | AttemptOutcome::Cancelled { gas_used, effects } => {
            (None, Some(*gas_used), Some(effects), None)
        }
        AttemptOutcome::Aborted {
            failure,
            gas_used,
            effects,
        } => (Some(failure), Some(*gas_used), Some(effects), None),
        AttemptOutcome::Dead { reason } => (None, None, None, Some(reason)),
        AttemptOutcome::Refused { failure } => (Some(failure), None, None, None),
    };
    let failure_text = failure.map(|failure| json("a failure", failure));
    sqlx::query(
        "UPDATE attempts SET status = ?, gas_used = ?, effects = ?, failure = ?, reason = ?, \
         concluded_at = ? WHERE digest = ?",
    )
    .bind(outcome.status().as_str())
    .bind(gas_used.map(|gas| number(gas.get())))
    .bind(effects)
    .bind(failure_text.transpose()?)
    .bind(reason)
    .bind(number(now.get()))
    .bind(digest.as_bytes())
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    for id in attempt.intents {
        transitions::advance(connection, id, outcome.intent_status(), failure, now).await?;
    }
    Ok(())
}

/// Every attempt that may be with the network, by each of the intents that it carries.
pub(super) async fn open(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<TransactionId, Attempt>, StoreError> {
    let rows = sqlx::query("SELECT * FROM attempts WHERE status = 'signed' ORDER BY id")
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    let mut open = BTreeMap::new();
    for row in &rows {
        let mut attempt = rows::attempt(row)?;
        let number = Cells::new(row, "attempts", "id").row_number("id")?;
        attempt.intents = carried(connection, number).await?;
        for id in &attempt.intents {
            open.insert(*id, attempt.clone());
        }
    }
    Ok(open)
}

/// The digest of the last attempt that executed with a badge.
pub(super) async fn last_use(
    connection: &mut SqliteConnection,
    badge: ObjectId,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query(
        "SELECT id, digest FROM attempts \
         WHERE json_extract(badge, '$.object_id') = ? AND effects IS NOT NULL \
         ORDER BY id DESC LIMIT 1",
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
    let rows = sqlx::query(
        "SELECT id, gas_used FROM attempts WHERE gas_used IS NOT NULL AND concluded_at >= ?",
    )
    .bind(number(since.get()))
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter().try_fold(Mist::ZERO, |sum, row| {
        let gas = Cells::new(row, "attempts", "id").number("gas_used")?;
        sum.checked_add(Mist::new(gas))
            .map_err(|_| StoreError::OutOfRange {
                what: String::from("the gas spent"),
            })
    })
}

/// An attempt's status and intents.
struct Known {
    status: AttemptStatus,
    intents: Vec<TransactionId>,
}

async fn find(
    connection: &mut SqliteConnection,
    digest: Digest,
) -> Result<Option<Known>, StoreError> {
    let row = sqlx::query("SELECT id, status FROM attempts WHERE digest = ?")
        .bind(digest.as_bytes())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let cells = Cells::new(&row, "attempts", "id");
    let name = cells.text("status")?;
    Ok(Some(Known {
        status: AttemptStatus::from_name(name)
            .ok_or_else(|| cells.corrupt("status", format!("no status is called {name:?}")))?,
        intents: carried(connection, cells.row_number("id")?).await?,
    }))
}

/// The intents of an attempt, in the order of its calls.
async fn carried(
    connection: &mut SqliteConnection,
    attempt: u64,
) -> Result<Vec<TransactionId>, StoreError> {
    let rows = sqlx::query("SELECT * FROM attempt_intents WHERE attempt = ? ORDER BY place")
        .bind(row_number(attempt))
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    rows.iter()
        .map(|row| {
            Cells::new(row, "attempt_intents", "attempt")
                .row_number("intent")
                .map(TransactionId::new)
        })
        .collect()
}

fn first(intents: &[TransactionId], digest: Digest) -> Result<TransactionId, StoreError> {
    intents.first().copied().ok_or_else(|| StoreError::Missing {
        what: format!("an intent of transaction {digest}"),
    })
}
