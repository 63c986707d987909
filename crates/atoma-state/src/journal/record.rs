//! The transition that records a signed attempt and makes its intents `Submitted`.

use std::collections::{BTreeMap, HashSet};

use atoma_domain::journal::{Attempt, AttemptStatus, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, TimestampMs};

use super::conclude::Concluding;
use super::rows::{StoredReference, intent_status, missing_intent};
use crate::batch::{Batch, Results};
use crate::columns::{Cells, json, number};
use crate::error::out_of_range;

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

/// A signed attempt to be recorded.
pub(super) struct Recording<'a> {
    attempt: &'a Attempt,
    columns: Columns,
}

impl<'a> Recording<'a> {
    /// # Errors
    /// [`StoreError::Missing`] when the attempt carries no intent, [`StoreError::OutOfRange`] when it
    /// can't be stored.
    pub(super) fn new(attempt: &'a Attempt) -> Result<Self, StoreError> {
        if attempt.intents.is_empty() {
            return Err(StoreError::Missing {
                what: format!("an intent of transaction {}", attempt.digest()),
            });
        }
        let columns = Columns::new(attempt)?;
        Ok(Self { attempt, columns })
    }

    /// Adds the statements whose rows [`check`](Self::check) takes.
    pub(super) fn select(&self, reads: &mut Batch) {
        reads
            .statement(
                "SELECT id, status FROM intents WHERE id IN (SELECT value FROM json_each($1))",
            )
            .bind(self.columns.intents.clone())
            .statement("SELECT id FROM attempts WHERE digest = $1")
            .bind(self.columns.digest.clone())
            .statement(
                "SELECT used.object_id, used.digest, attempts.status FROM signed_versions used \
                 LEFT JOIN attempts ON attempts.digest = used.digest \
                 WHERE (used.object_id, used.version) IN \
                 (SELECT value ->> 'object_id', value -> 'version' FROM json_each($1))",
            )
            .bind(self.columns.objects.clone());
    }

    /// Refuses what the journal's rules forbid after `previous`, which is concluded together with it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for an intent that is not in the journal. [`StoreError::Transition`] names
    /// an intent that is not queued; or the first one, when the digest is in the journal already or a
    /// signed attempt uses the same version of a badge or coin.
    pub(super) fn check(
        &self,
        rows: &mut Results,
        previous: Option<&Concluding<'_>>,
    ) -> Result<(), StoreError> {
        let mut statuses = BTreeMap::new();
        for row in rows.next() {
            let cells = Cells::new(&row, "intents", "id");
            let id = IntentId::new(cells.row_number("id")?);
            let moved = previous.and_then(|previous| previous.status_of(id));
            statuses.insert(id, moved.map_or_else(|| intent_status(&cells), Ok)?);
        }
        for id in &self.attempt.intents {
            // An intent that is named twice would be signed for twice: the second time it is submitted.
            let status = statuses.insert(*id, IntentStatus::Submitted);
            let status = status.ok_or_else(|| missing_intent(*id))?;
            if !status.can_become(IntentStatus::Submitted) {
                return Err(refused(*id, status));
            }
        }
        let is_known = !rows.next().is_empty();
        let mut is_in_use = self.uses_a_version_twice();
        for row in rows.next() {
            let cells = Cells::new(&row, "signed_versions", "object_id");
            if cells.optional_text("status")? != Some(AttemptStatus::Signed.as_str()) {
                return Err(cells.corrupt("digest", "no signed attempt has this digest"));
            }
            let digest = cells.digest("digest")?;
            is_in_use |= previous.is_none_or(|previous| previous.digest() != digest);
        }
        match self.attempt.intents.first() {
            Some(first) if is_known || is_in_use => Err(refused(*first, IntentStatus::Queued)),
            _ => Ok(()),
        }
    }

    fn uses_a_version_twice(&self) -> bool {
        let objects = self.attempt.badge.iter().chain(&self.attempt.gas);
        let mut versions = HashSet::new();
        objects
            .map(|object| (*object.object_id(), object.version()))
            .any(|version| !versions.insert(version))
    }

    /// Adds the statements that write it.
    pub(super) fn write(self, writes: &mut Batch, now: TimestampMs) {
        let Self { attempt, columns } = self;
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
    }
}

const fn refused(id: IntentId, from: IntentStatus) -> StoreError {
    StoreError::Transition {
        id,
        from,
        to: IntentStatus::Submitted,
    }
}
