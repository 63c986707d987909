//! Steps of attempts: what came of one, the next one signed before it is sent, or both. However many
//! intents they are about, each step is a single statement, since a lane waits for every way to
//! SQLite's thread and back; triggers move the intents along.

use std::collections::BTreeMap;

use atoma_domain::journal::{Attempt, Conclusion, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, IntentId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::error::DatabaseError;

use super::history::carried;
use super::rows::StoredReference;
use super::transitions;
use crate::columns::{json, number, optional_number};
use crate::store::{SqliteState, unavailable};

/// Writes down what came of an attempt and the next attempt, or one of them. What the journal's rules
/// refuse is looked up only then: what is as expected needs no reading.
pub(super) async fn take(
    store: &SqliteState,
    ended: Option<&Conclusion>,
    signed: Option<&Attempt>,
    now: TimestampMs,
) -> Result<(), StoreError> {
    if let Some(attempt) = signed
        && attempt.intents.is_empty()
    {
        return Err(StoreError::Missing {
            what: format!("an intent of transaction {}", attempt.digest()),
        });
    }
    let Err(error) = insert(store, ended, signed, now).await? else {
        return Ok(());
    };
    let misfit = match is_rule(error.as_ref()) {
        true => misfit(store, ended, signed, error.is_unique_violation()).await?,
        false => None,
    };
    Err(misfit.unwrap_or_else(|| unavailable(sqlx::Error::Database(error))))
}

/// Whether a constraint or trigger refused it, and not a full disk or a lock.
fn is_rule(error: &dyn DatabaseError) -> bool {
    const SQLITE_CONSTRAINT: i32 = 19;
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    // The extended code holds the primary one in its lowest byte.
    code.is_some_and(|code| code & 0xff == SQLITE_CONSTRAINT)
}

/// The step as one row; the inner error is what the database refused.
async fn insert(
    store: &SqliteState,
    ended: Option<&Conclusion>,
    signed: Option<&Attempt>,
    now: TimestampMs,
) -> Result<Result<(), Box<dyn DatabaseError>>, StoreError> {
    let outcome = ended.map(|ended| &ended.outcome);
    let receipt = outcome.and_then(|outcome| outcome.receipt());
    let failure = outcome.and_then(|outcome| outcome.failure());
    let failure = failure.map(|failure| json("a failure", failure));
    let checkpoint = receipt.and_then(|receipt| receipt.checkpoint);
    let registered = receipt.and_then(|receipt| receipt.registered_badge);
    let badge = signed.and_then(|attempt| attempt.badge.as_ref());
    let badge = badge.map(|badge| json("a badge", &StoredReference::from(badge)));
    let inserted = sqlx::query(
        "INSERT INTO attempt_steps (ended, outcome, gas_used, effects, failure, reason, checkpoint, \
         registered_badge, intent_status, digest, bytes, signatures, expires_after, badge, gas, \
         gas_budget, intents, at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(ended.map(|ended| ended.digest.as_bytes().to_vec()))
    .bind(outcome.map(|outcome| outcome.status().as_str()))
    .bind(optional_number(
        receipt.map(|receipt| receipt.gas_used.get()),
    ))
    .bind(receipt.map(|receipt| &receipt.effects))
    .bind(failure.transpose()?)
    .bind(outcome.and_then(|outcome| outcome.reason()))
    .bind(optional_number(checkpoint.map(CheckpointNumber::get)))
    .bind(registered.map(|badge| badge.to_string()))
    .bind(outcome.map(|outcome| outcome.intent_status().as_str()))
    .bind(signed.map(|attempt| attempt.digest().as_bytes().to_vec()))
    .bind(signed.map(|attempt| &attempt.transaction.bytes))
    .bind(signed.map(signatures).transpose()?)
    .bind(optional_number(
        signed.map(|attempt| attempt.expires_after.get()),
    ))
    .bind(badge.transpose()?)
    .bind(signed.map(gas).transpose()?)
    .bind(optional_number(
        signed.map(|attempt| attempt.gas_budget.get()),
    ))
    .bind(signed.map(intents).transpose()?)
    .bind(number(now.get()))
    .execute(&store.writer)
    .await;
    match inserted {
        Ok(_) => Ok(Ok(())),
        Err(sqlx::Error::Database(error)) => Ok(Err(error)),
        Err(error) => Err(unavailable(error)),
    }
}

fn signatures(attempt: &Attempt) -> Result<Vec<u8>, StoreError> {
    bcs::to_bytes(&attempt.transaction.signatures).map_err(|_| StoreError::OutOfRange {
        what: format!("a signature of transaction {}", attempt.digest()),
    })
}

fn gas(attempt: &Attempt) -> Result<String, StoreError> {
    let gas: Vec<_> = attempt.gas.iter().map(StoredReference::from).collect();
    json("gas coins", &gas)
}

fn intents(attempt: &Attempt) -> Result<String, StoreError> {
    let ids: Vec<u64> = attempt.intents.iter().map(|id| id.get()).collect();
    json("the intents of an attempt", &ids)
}

/// Why the rules refuse a step, if they do: the attempt is not open, or an intent can't be signed
/// for. With `is_taken` the digest is there already, or a signed attempt that uses the same version of
/// a badge or coin, and the first intent is named if no other is.
async fn misfit(
    store: &SqliteState,
    ended: Option<&Conclusion>,
    signed: Option<&Attempt>,
    is_taken: bool,
) -> Result<Option<StoreError>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let mut moved = BTreeMap::new();
    if let Some(conclusion) = ended {
        match open(&mut snapshot, conclusion).await? {
            Ok(intents) => {
                let to = conclusion.outcome.intent_status();
                moved.extend(intents.into_iter().map(|id| (id, to)));
            }
            Err(misfit) => return Ok(Some(misfit)),
        }
    }
    let intents = signed.map_or(&[][..], |attempt| &attempt.intents);
    let refused = |id: &IntentId, from: IntentStatus| StoreError::Transition {
        id: *id,
        from,
        to: IntentStatus::Submitted,
    };
    for id in intents {
        let from = match moved.get(id) {
            Some(status) => *status,
            None => match transitions::status(&mut snapshot, *id).await {
                Ok(status) => status,
                Err(misfit) => return Ok(Some(misfit)),
            },
        };
        if from != IntentStatus::Queued {
            return Ok(Some(refused(id, from)));
        }
        // Named again, it would be signed twice.
        moved.insert(*id, IntentStatus::Submitted);
    }
    let first = intents.first().filter(|_| is_taken);
    Ok(first.map(|first| refused(first, IntentStatus::Queued)))
}

/// The intents that an open attempt carries; the inner error says why it can't be concluded.
async fn open(
    connection: &mut SqliteConnection,
    conclusion: &Conclusion,
) -> Result<Result<Vec<IntentId>, StoreError>, StoreError> {
    let digest = conclusion.digest;
    let row: Option<(i64, bool)> =
        sqlx::query_as("SELECT id, status = 'signed' FROM attempts WHERE digest = ?")
            .bind(digest.as_bytes().to_vec())
            .fetch_optional(&mut *connection)
            .await
            .map_err(unavailable)?;
    let (intents, is_open) = match row {
        Some((row, is_open)) => (carried(connection, row).await?, is_open),
        None => (Vec::new(), false),
    };
    Ok(match intents.first() {
        Some(_) if is_open => Ok(intents),
        Some(first) => Err(StoreError::Transition {
            id: *first,
            from: transitions::status(connection, *first).await?,
            to: conclusion.outcome.intent_status(),
        }),
        None => Err(StoreError::Missing {
            what: format!("an attempt with digest {digest}"),
        }),
    })
}
