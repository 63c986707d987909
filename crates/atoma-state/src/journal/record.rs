//! The transition that records a signed attempt.

use std::collections::{BTreeMap, HashSet};

use atoma_domain::journal::{Attempt, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, TimestampMs};
use sqlx::SqliteConnection;

use super::rows::{LockedIntent, StoredReference, missing_intent};
use crate::batch::Batch;
use crate::columns::{json, number};
use crate::error::out_of_range;

/// Records a signed attempt and makes its intents `Submitted`. Two round trips, however many intents
/// it carries.
///
/// # Errors
/// [`StoreError::Missing`] when it carries no intent, or one that is not in the journal.
/// [`StoreError::Transition`] names an intent that is not queued; or the first one, when the digest is
/// in the journal already or a signed attempt uses the same version of a badge or coin.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let columns = Columns::new(attempt)?;
    check(connection, attempt, &columns).await?;
    write(connection, attempt, columns, now).await
}

/// An attempt as its columns hold it.
struct Columns {
    digest: Vec<u8>,
    signatures: Vec<u8>,
    badge: Option<String>,
    gas: String,
    /// Badge and coins as one JSON array, for `json_each`.
    objects: String,
    num_objects: usize,
    /// The intents as a JSON array, for `json_each`.
    intents: String,
}

impl Columns {
    fn new(attempt: &Attempt) -> Result<Self, StoreError> {
        let digest = attempt.digest();
        let signatures = bcs::to_bytes(&attempt.transaction.signatures);
        let badge = attempt.badge.as_ref().map(StoredReference::from);
        let gas: Vec<_> = attempt.gas.iter().map(StoredReference::from).collect();
        let objects: Vec<&StoredReference> = badge.iter().chain(&gas).collect();
        let intents: Vec<u64> = attempt.intents.iter().map(|id| id.get()).collect();
        Ok(Self {
            digest: digest.as_bytes().to_vec(),
            signatures: signatures
                .map_err(|_| out_of_range(format!("a signature of transaction {digest}")))?,
            badge: badge
                .as_ref()
                .map(|badge| json("a badge", badge))
                .transpose()?,
            gas: json("gas coins", &gas)?,
            num_objects: objects.len(),
            objects: json("the objects of an attempt", &objects)?,
            intents: json("the intents of an attempt", &intents)?,
        })
    }
}

/// Reads what the attempt depends on, and refuses what the journal's rules forbid.
async fn check(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    columns: &Columns,
) -> Result<(), StoreError> {
    let Some(first) = attempt.intents.first() else {
        return Err(StoreError::Missing {
            what: format!("an intent of transaction {}", attempt.digest()),
        });
    };
    let mut reads = Batch::new();
    reads
        .statement(
            "SELECT id, action, status FROM intents \
             WHERE id IN (SELECT value FROM json_each($1))",
        )
        .bind(columns.intents.clone())
        .statement("SELECT id FROM attempts WHERE digest = $1")
        .bind(columns.digest.clone())
        .statement(
            "SELECT object_id FROM signed_versions WHERE (object_id, version) IN \
             (SELECT value ->> 'object_id', value -> 'version' FROM json_each($1))",
        )
        .bind(columns.objects.clone());
    let [intents, same_digest, same_versions] = reads.query(connection).await?;

    let mut statuses = BTreeMap::new();
    for row in &intents {
        let intent = LockedIntent::read(row)?;
        statuses.insert(intent.id, intent.status);
    }
    for id in &attempt.intents {
        // An intent that is named twice would be signed for twice: the second time it is submitted.
        let status = statuses.insert(*id, IntentStatus::Submitted);
        let status = status.ok_or_else(|| missing_intent(*id))?;
        if !status.can_become(IntentStatus::Submitted) {
            return Err(refused(*id, status));
        }
    }
    let objects = attempt.badge.iter().chain(&attempt.gas);
    let mut versions = HashSet::new();
    let uses_one_twice = objects
        .map(|object| (*object.object_id(), object.version()))
        .any(|version| !versions.insert(version));
    if uses_one_twice || !same_digest.is_empty() || !same_versions.is_empty() {
        return Err(refused(*first, IntentStatus::Queued));
    }
    Ok(())
}

const fn refused(id: IntentId, from: IntentStatus) -> StoreError {
    StoreError::Transition {
        id,
        from,
        to: IntentStatus::Submitted,
    }
}

async fn write(
    connection: &mut SqliteConnection,
    attempt: &Attempt,
    columns: Columns,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let mut writes = Batch::new();
    writes
        // First, since the schema takes no attempt that has not claimed its versions.
        .statement(
            "INSERT INTO signed_versions (object_id, version, digest) \
             SELECT value ->> 'object_id', value -> 'version', $1 FROM json_each($2)",
        )
        .bind(columns.digest.clone())
        .bind(columns.objects)
        .changing(columns.num_objects)
        .statement(
            "INSERT INTO attempts (digest, bytes, signatures, expires_after, badge, gas, \
             gas_budget, status, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'signed', $8)",
        )
        .bind(columns.digest.clone())
        .bind(attempt.transaction.bytes.clone())
        .bind(columns.signatures)
        .bind(number(attempt.expires_after.get()))
        .bind(columns.badge)
        .bind(columns.gas)
        .bind(number(attempt.gas_budget.get()))
        .bind(number(now.get()))
        .changing(1)
        .statement(
            "INSERT INTO attempt_intents (attempt, place, intent) \
             SELECT attempts.id, named.key, named.value \
             FROM attempts, json_each($1) named WHERE attempts.digest = $2",
        )
        .bind(columns.intents.clone())
        .bind(columns.digest)
        .changing(attempt.intents.len())
        .statement(
            "UPDATE intents SET status = 'submitted', updated_at = $1 \
             WHERE id IN (SELECT value FROM json_each($2))",
        )
        .bind(number(now.get()))
        .bind(columns.intents)
        .changing(attempt.intents.len());
    writes.run(connection).await
}
