//! Signed attempts: written before they are sent, concluded once.

use std::collections::BTreeMap;

use atoma_domain::journal::{Action, Attempt, AttemptStatus, Conclusion, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, Digest, Mist, ObjectId, TimestampMs, TransactionId};
use sqlx::SqliteConnection;

use super::rows::{self, StoredReference};
use super::transitions::{self, Step};
use crate::columns::{Cells, json, number, optional_number, row_number};
use crate::store::unavailable;

/// Writes a signed attempt down and makes its intents `Submitted`.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let digest = attempt.digest();
    if attempt.intents.is_empty() {
        return Err(StoreError::Missing {
            what: format!("an intent of transaction {digest}"),
        });
    }
    let step = Step {
        from: IntentStatus::Queued,
        to: IntentStatus::Submitted,
        failure: None,
        now,
    };
    // First, so that a second signature is refused as the transition that it would be.
    for id in &attempt.intents {
        transitions::advance(connection, *id, None, step).await?;
    }
    let Some(row) = insert(connection, attempt, now).await? else {
        // Bytes that were proved dead aren't sent again: their digest can't stand here twice.
        return Err(StoreError::Transition {
            id: attempt.intents[0],
            from: IntentStatus::Queued,
            to: IntentStatus::Submitted,
        });
    };
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

/// The new row's number; `None` when the digest is there already.
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
         status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
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
    .await
    .map_err(unavailable)?;
    Ok((inserted.rows_affected() == 1).then(|| inserted.last_insert_rowid()))
}

/// Writes down what came of an attempt, for it and all its intents.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let Conclusion { digest, outcome } = conclusion;
    let receipt = outcome.receipt();
    let failure = outcome.failure();
    let failure_text = failure.map(|failure| json("a failure", failure));
    let checkpoint = receipt.and_then(|receipt| receipt.checkpoint);
    // The mirror may have met it before.
    let row = sqlx::query(
        "UPDATE attempts SET status = ?, gas_used = ?, effects = ?, failure = ?, reason = ?, \
         checkpoint = coalesce(?, checkpoint), concluded_at = ? \
         WHERE digest = ? AND status = 'signed' RETURNING id",
    )
    .bind(outcome.status().as_str())
    .bind(optional_number(
        receipt.map(|receipt| receipt.gas_used.get()),
    ))
    .bind(receipt.map(|receipt| &receipt.effects))
    .bind(failure_text.transpose()?)
    .bind(outcome.reason())
    .bind(optional_number(checkpoint.map(CheckpointNumber::get)))
    .bind(number(now.get()))
    .bind(digest.as_bytes())
    .fetch_optional(&mut *connection)
    .await
    .map_err(unavailable)?;
    let Some(row) = row else {
        return Err(not_open(connection, conclusion).await?);
    };
    let row = Cells::new(&row, "attempts", "id").row_number("id")?;
    let step = Step {
        from: IntentStatus::Submitted,
        to: outcome.intent_status(),
        failure,
        now,
    };
    for (id, action) in carried(connection, row).await? {
        transitions::advance(connection, id, Some(&action), step).await?;
    }
    Ok(())
}

/// Why an attempt can't be concluded.
async fn not_open(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
) -> Result<StoreError, StoreError> {
    let digest = conclusion.digest;
    let row = sqlx::query("SELECT id FROM attempts WHERE digest = ?")
        .bind(digest.as_bytes())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let attempt = row
        .map(|row| Cells::new(&row, "attempts", "id").row_number("id"))
        .transpose()?;
    let first = match attempt {
        Some(attempt) => carried(connection, attempt).await?.into_iter().next(),
        None => None,
    };
    Ok(match first {
        Some((id, _)) => StoreError::Transition {
            id,
            from: transitions::status(connection, id).await?,
            to: conclusion.outcome.intent_status(),
        },
        None => StoreError::Missing {
            what: format!("an attempt with digest {digest}"),
        },
    })
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
        let carried = carried(connection, number).await?;
        attempt.intents = carried.into_iter().map(|(id, _)| id).collect();
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

/// The intents of an attempt, in the order of its calls, with what they ask for.
async fn carried(
    connection: &mut SqliteConnection,
    attempt: u64,
) -> Result<Vec<(TransactionId, Action)>, StoreError> {
    let rows = sqlx::query(
        "SELECT i.id, i.action FROM attempt_intents carried JOIN intents i ON i.id = carried.intent \
         WHERE carried.attempt = ? ORDER BY carried.place",
    )
    .bind(row_number(attempt))
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "intents", "id");
            let id = TransactionId::new(cells.row_number("id")?);
            Ok((id, cells.json("action")?))
        })
        .collect()
}
