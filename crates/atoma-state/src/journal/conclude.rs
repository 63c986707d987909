//! The transition that concludes a signed attempt.

use atoma_domain::journal::{Action, Conclusion, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, TimestampMs};
use sqlx::SqliteConnection;

use super::freeze;
use super::rows::{LockedIntent, attempt_status};
use crate::batch::Batch;
use crate::columns::{Cells, json, number, optional_number};
use crate::error::unavailable;

/// Concludes a signed attempt: writes its outcome, releases its object versions and moves its intents
/// as the outcome says. Two round trips, and two more when intents fail that froze a record.
///
/// # Errors
/// [`StoreError::Missing`] when there is no such attempt, [`StoreError::Transition`] when it is
/// concluded already.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let intents = check(connection, conclusion).await?;
    let mut writes = Batch::new();
    write_attempt(&mut writes, conclusion, now)?;
    write_intents(&mut writes, conclusion, &intents, now)?;
    writes.run(&mut *connection).await?;
    if conclusion.outcome.intent_status() == IntentStatus::Failed {
        freeze::thaw(connection, intents.iter().map(|intent| &intent.action)).await?;
    }
    Ok(())
}

/// Reads the attempt's intents, and refuses an outcome that attempt or intents can't take.
async fn check(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
) -> Result<Vec<LockedIntent>, StoreError> {
    let Conclusion { digest, outcome } = conclusion;
    let rows = sqlx::query(
        "SELECT attempts.id AS attempt, attempts.status AS attempt_status, \
         intents.id, intents.action, intents.status FROM attempts \
         JOIN attempt_intents ON attempt_intents.attempt = attempts.id \
         JOIN intents ON intents.id = attempt_intents.intent \
         WHERE attempts.digest = $1 ORDER BY attempt_intents.place",
    )
    .bind(digest.as_bytes().to_vec())
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    let Some(row) = rows.first() else {
        return Err(StoreError::Missing {
            what: format!("an attempt with digest {digest}"),
        });
    };
    let status = attempt_status(&Cells::new(row, "attempts", "attempt"), "attempt_status")?;
    let next = outcome.intent_status();
    let mut intents = Vec::with_capacity(rows.len());
    for row in &rows {
        let intent = LockedIntent::read(row)?;
        if !status.can_become(outcome.status()) || !intent.status.can_become(next) {
            return Err(intent.refuse(next));
        }
        intents.push(intent);
    }
    Ok(intents)
}

fn write_attempt(
    writes: &mut Batch,
    conclusion: &Conclusion,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let Conclusion { digest, outcome } = conclusion;
    let receipt = outcome.receipt();
    let failure = outcome.failure();
    let failure = failure.map(|failure| json("a failure", failure));
    let checkpoint = receipt.and_then(|receipt| receipt.checkpoint);
    let registered = receipt.and_then(|receipt| receipt.registered_badge);
    writes
        .statement(
            // The mirror may have found the checkpoint before the node named one.
            "UPDATE attempts SET status = $1, gas_used = $2, effects = $3, failure = $4, \
             reason = $5, checkpoint = coalesce($6, checkpoint), registered_badge = $7, \
             concluded_at = $8 WHERE digest = $9",
        )
        .bind(outcome.status().as_str())
        .bind(optional_number(
            receipt.map(|receipt| receipt.gas_used.get()),
        ))
        .bind(receipt.map(|receipt| receipt.effects.clone()))
        .bind(failure.transpose()?)
        .bind(outcome.reason().map(str::to_owned))
        .bind(optional_number(checkpoint.map(CheckpointNumber::get)))
        .bind(registered.map(|badge| badge.to_string()))
        .bind(number(now.get()))
        .bind(digest.as_bytes().to_vec())
        .changing(1)
        .statement("DELETE FROM signed_versions WHERE digest = $1")
        .bind(digest.as_bytes().to_vec());
    Ok(())
}

fn write_intents(
    writes: &mut Batch,
    conclusion: &Conclusion,
    intents: &[LockedIntent],
    now: TimestampMs,
) -> Result<(), StoreError> {
    let Conclusion { digest, outcome } = conclusion;
    let next = outcome.intent_status();
    // The failure of a batch belongs to its attempt alone: the intents are queued again.
    let failure = outcome.failure().filter(|_| next == IntentStatus::Failed);
    let failure = failure.map(|failure| json("a failure", failure));
    let with_key = intents
        .iter()
        .filter(|intent| keeps_key(&intent.action, next));
    let with_key: Vec<u64> = with_key.map(|intent| intent.id.get()).collect();
    writes
        .statement(
            "UPDATE intents SET status = $1, failure = $2, updated_at = $3, \
             holds_key = CASE WHEN id IN (SELECT value FROM json_each($4)) THEN 1 ELSE 0 END \
             WHERE id IN (SELECT attempt_intents.intent FROM attempts \
             JOIN attempt_intents ON attempt_intents.attempt = attempts.id \
             WHERE attempts.digest = $5)",
        )
        .bind(next.as_str())
        .bind(failure.transpose()?)
        .bind(number(now.get()))
        .bind(json("the intents that keep their key", &with_key)?)
        .bind(digest.as_bytes().to_vec())
        .changing(intents.len());
    Ok(())
}

/// Whether an intent holds its key in a status.
const fn keeps_key(action: &Action, status: IntentStatus) -> bool {
    match status {
        IntentStatus::Queued | IntentStatus::Submitted => true,
        IntentStatus::Succeeded => action.succeeds_only_once(),
        IntentStatus::Failed => false,
    }
}
