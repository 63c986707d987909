//! What came of an attempt, written once.

use atoma_domain::journal::{Action, Conclusion, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, TimestampMs, TransactionId};
use sqlx::SqliteConnection;

use super::history::carried;
use super::transitions;
use crate::columns::{Cells, json, number, optional_number};
use crate::store::unavailable;

/// Writes down what came of an attempt, for it and all its intents. A final failure frees their keys
/// and thaws the records that they had closed; success keeps the key where the action is once for
/// ever.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let Some(attempt) = end(connection, conclusion, now).await? else {
        return Err(not_open(connection, conclusion).await?);
    };
    let to = conclusion.outcome.intent_status();
    let failure = match to {
        IntentStatus::Failed => conclusion.outcome.failure(),
        // It is the attempt's; the intent goes on.
        _ => None,
    };
    let failure = failure.map(|failure| json("a failure", failure));
    // Only what is about a stack is once for ever; a trigger knows it by its kind.
    sqlx::query(
        "UPDATE intents SET status = ?1, failure = ?2, updated_at = ?3, holds_key = CASE ?1 \
         WHEN 'succeeded' THEN stack_small_id IS NOT NULL WHEN 'failed' THEN 0 ELSE 1 END \
         WHERE id IN (SELECT intent FROM attempt_intents WHERE attempt = ?4)",
    )
    .bind(to.as_str())
    .bind(failure.transpose()?)
    .bind(number(now.get()))
    .bind(attempt)
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    if to == IntentStatus::Failed {
        let actions = actions(connection, attempt).await?;
        let closed = actions.iter().filter_map(Action::closes_record);
        transitions::set_frozen(connection, closed, false).await?;
    }
    Ok(())
}

/// The number of the attempt, which was signed and now has come to its end; `None` when it was not.
async fn end(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
    now: TimestampMs,
) -> Result<Option<i64>, StoreError> {
    let Conclusion { digest, outcome } = conclusion;
    let receipt = outcome.receipt();
    let failure = outcome.failure();
    let failure = failure.map(|failure| json("a failure", failure));
    let checkpoint = receipt.and_then(|receipt| receipt.checkpoint);
    let registered = receipt.and_then(|receipt| receipt.registered_badge);
    // The mirror may have met it before the node named a checkpoint.
    sqlx::query_scalar(
        "UPDATE attempts SET status = ?, gas_used = ?, effects = ?, failure = ?, reason = ?, \
         checkpoint = coalesce(?, checkpoint), registered_badge = ?, concluded_at = ? \
         WHERE digest = ? AND status = 'signed' RETURNING id",
    )
    .bind(outcome.status().as_str())
    .bind(optional_number(
        receipt.map(|receipt| receipt.gas_used.get()),
    ))
    .bind(receipt.map(|receipt| &receipt.effects))
    .bind(failure.transpose()?)
    .bind(outcome.reason())
    .bind(optional_number(checkpoint.map(CheckpointNumber::get)))
    .bind(registered.map(|badge| badge.to_string()))
    .bind(number(now.get()))
    .bind(digest.as_bytes())
    .fetch_optional(connection)
    .await
    .map_err(unavailable)
}

/// What the intents of an attempt ask for.
async fn actions(
    connection: &mut SqliteConnection,
    attempt: i64,
) -> Result<Vec<Action>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, action FROM intents \
         WHERE id IN (SELECT intent FROM attempt_intents WHERE attempt = ?)",
    )
    .bind(attempt)
    .fetch_all(connection)
    .await
    .map_err(unavailable)?;
    rows.iter()
        .map(|row| Cells::new(row, "intents", "id").json("action"))
        .collect()
}

/// Why an attempt can't be concluded.
async fn not_open(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
) -> Result<StoreError, StoreError> {
    let digest = conclusion.digest;
    let row: Option<i64> = sqlx::query_scalar("SELECT id FROM attempts WHERE digest = ?")
        .bind(digest.as_bytes())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let first: Option<TransactionId> = match row {
        Some(row) => carried(connection, row).await?.into_iter().next(),
        None => None,
    };
    Ok(match first {
        Some(id) => StoreError::Transition {
            id,
            from: transitions::status(connection, id).await?,
            to: conclusion.outcome.intent_status(),
        },
        None => StoreError::Missing {
            what: format!("an attempt with digest {digest}"),
        },
    })
}
