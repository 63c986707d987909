//! Idempotency keys: requests with the outcome of their parts.

use atoma_domain::TimestampMs;
use atoma_domain::journal::{EntryOutcome, PlannedRequest, Recalled, RequestEntry, RequestKey};
use atoma_domain::ports::{Opened, StoreError};
use sqlx::SqliteConnection;

use crate::columns::{Cells, json, number};
use crate::error::statement_failed;
use crate::key_clock::{KeyClock, KeyTime, is_repeatable, oldest};

/// Stores a request with the outcome of its parts, unless none of them is in the journal. Updates the
/// parts of a known one, and deletes those that are too old by both clocks.
pub(super) async fn remember(
    connection: &mut SqliteConnection,
    request: &PlannedRequest,
    opened: &[Opened],
    clock: &KeyClock,
    now: TimestampMs,
) -> Result<(), StoreError> {
    if request.known.is_none() && !opened.iter().any(is_journalled) {
        return Ok(());
    }
    let time = KeyTime::step(connection, clock, now).await?;
    sqlx::query("DELETE FROM requests WHERE key_stored < $1 AND created_at < $2")
        .bind(time.oldest_stored())
        .bind(time.oldest())
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    let entries = entries(request, opened);
    let statement = match request.known {
        Some(_) => {
            "INSERT INTO requests (scope, body, entries, created_at, key_stored) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (scope) DO UPDATE SET entries = excluded.entries"
        }
        // A row that is there all the same is expired, and not deleted yet.
        None => {
            "INSERT INTO requests (scope, body, entries, created_at, key_stored) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (scope) DO UPDATE SET body = excluded.body, entries = excluded.entries, \
             created_at = excluded.created_at, key_stored = excluded.key_stored"
        }
    };
    sqlx::query(statement)
        .bind(&request.key.scope)
        .bind(request.key.body.as_bytes().as_slice())
        .bind(json("a request", &entries)?)
        .bind(number(now.get()))
        .bind(time.stored())
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    Ok(())
}

/// Looks up a key. With another body it is free after its lifetime by the system's clock. The same request
/// counts as a repetition until both clocks say so.
pub(super) async fn recall(
    connection: &mut SqliteConnection,
    key: &RequestKey,
    clock: &KeyClock,
    now: TimestampMs,
) -> Result<Recalled, StoreError> {
    let row = sqlx::query("SELECT * FROM requests WHERE scope = $1")
        .bind(&key.scope)
        .fetch_optional(&mut *connection)
        .await
        .map_err(statement_failed)?;
    let Some(row) = row else {
        return Ok(Recalled::Unknown);
    };
    let cells = Cells::new(&row, "requests", "scope");
    let created_at = cells.number("created_at")?;
    if cells.optional_hash("body")? != Some(key.body) {
        return Ok(match created_at < oldest(now) {
            true => Recalled::Unknown,
            false => Recalled::OtherBody,
        });
    }
    let key_stored = cells.number("key_stored")?;
    match is_repeatable(connection, clock, now, created_at, key_stored).await? {
        true => Ok(Recalled::Entries(cells.json("entries")?)),
        false => Ok(Recalled::Unknown),
    }
}

const fn is_journalled(opened: &Opened) -> bool {
    matches!(opened, Opened::New(_) | Opened::Joined(_))
}

/// The parts in order: those that had an outcome before, and the intents that were opened.
fn entries(request: &PlannedRequest, opened: &[Opened]) -> Vec<RequestEntry> {
    let mut opened = opened.iter();
    request
        .entries
        .iter()
        .filter_map(|planned| {
            let outcome = match &planned.outcome {
                Some(outcome) => outcome.clone(),
                None => match opened.next()? {
                    Opened::New(intent) | Opened::Joined(intent) => {
                        EntryOutcome::Accepted(intent.id)
                    }
                    Opened::Refused(failure) => EntryOutcome::Refused(failure.clone()),
                },
            };
            Some(RequestEntry {
                stack_small_id: planned.stack_small_id,
                node_small_id: planned.node_small_id,
                warnings: planned.warnings.clone(),
                outcome,
            })
        })
        .collect()
}
