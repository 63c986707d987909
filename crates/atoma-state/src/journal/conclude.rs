//! The transition that concludes a signed attempt: writes its outcome, releases its object versions and
//! moves its intents as the outcome says.

use std::collections::BTreeSet;

use atoma_domain::journal::{Conclusion, IntentStatus};
use atoma_domain::ports::StoreError;
use atoma_domain::{CheckpointNumber, Digest, IntentId, StackSmallId, TimestampMs};

use super::freeze;
use super::rows::{LockedIntent, attempt_status};
use crate::batch::{Batch, Results};
use crate::columns::{Cells, json, number, optional_number};

/// A conclusion that the journal's rules allow.
pub(super) struct Concluding<'a> {
    conclusion: &'a Conclusion,
    intents: Vec<LockedIntent>,
    /// The stacks whose records thaw.
    thawed: BTreeSet<StackSmallId>,
}

impl<'a> Concluding<'a> {
    /// Adds the statements whose rows [`decide`](Self::decide) takes.
    pub(super) fn select(reads: &mut Batch, conclusion: &Conclusion) {
        let digest = conclusion.digest.as_bytes().to_vec();
        reads
            .statement(
                "SELECT attempts.id AS attempt, attempts.status AS attempt_status, \
                 intents.id, intents.kind, intents.stack_small_id, intents.status FROM attempts \
                 JOIN attempt_intents ON attempt_intents.attempt = attempts.id \
                 JOIN intents ON intents.id = attempt_intents.intent \
                 WHERE attempts.digest = $1 ORDER BY attempt_intents.place",
            )
            .bind(digest.clone());
        if fails(conclusion) {
            reads
                .statement(
                    "SELECT other.id, other.kind, other.stack_small_id, other.status FROM attempts \
                     JOIN attempt_intents ON attempt_intents.attempt = attempts.id \
                     JOIN intents own ON own.id = attempt_intents.intent \
                     JOIN intents other ON other.stack_small_id = own.stack_small_id \
                     WHERE attempts.digest = $1 AND other.status <> 'failed'",
                )
                .bind(digest);
        }
    }

    /// Refuses an outcome that attempt or intents can't take.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such attempt, [`StoreError::Transition`] when it is
    /// concluded already.
    pub(super) fn decide(
        rows: &mut Results,
        conclusion: &'a Conclusion,
    ) -> Result<Self, StoreError> {
        let Conclusion { digest, outcome } = conclusion;
        let own = rows.next();
        let Some(row) = own.first() else {
            return Err(StoreError::Missing {
                what: format!("an attempt with digest {digest}"),
            });
        };
        let status = attempt_status(&Cells::new(row, "attempts", "attempt"), "attempt_status")?;
        let next = outcome.intent_status();
        let mut intents = Vec::with_capacity(own.len());
        for row in &own {
            let intent = LockedIntent::read(row)?;
            if !status.can_become(outcome.status()) || !intent.status.can_become(next) {
                return Err(intent.refuse(next));
            }
            intents.push(intent);
        }
        let thawed = match fails(conclusion) {
            true => freeze::thawed(&intents, &rows.next())?,
            false => BTreeSet::new(),
        };
        Ok(Self {
            conclusion,
            intents,
            thawed,
        })
    }

    /// The attempt's digest.
    pub(super) const fn digest(&self) -> Digest {
        self.conclusion.digest
    }

    /// The status that an intent gets, if it is one of the attempt's.
    pub(super) fn status_of(&self, id: IntentId) -> Option<IntentStatus> {
        let carried = self.intents.iter().any(|intent| intent.id == id);
        carried.then(|| self.conclusion.outcome.intent_status())
    }

    /// Adds the statements that write it.
    pub(super) fn write(&self, writes: &mut Batch, now: TimestampMs) -> Result<(), StoreError> {
        self.write_attempt(writes, now)?;
        self.write_intents(writes, now)?;
        freeze::thaw(writes, &self.thawed);
        Ok(())
    }

    fn write_attempt(&self, writes: &mut Batch, now: TimestampMs) -> Result<(), StoreError> {
        let Conclusion { digest, outcome } = self.conclusion;
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
                 concluded_at = $8, gas_returned = $9 WHERE digest = $10",
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
            .bind(optional_number(
                receipt.map(|receipt| receipt.gas_returned.get()),
            ))
            .bind(digest.as_bytes().to_vec())
            .changing(1)
            .statement("DELETE FROM signed_versions WHERE digest = $1")
            .bind(digest.as_bytes().to_vec());
        Ok(())
    }

    fn write_intents(&self, writes: &mut Batch, now: TimestampMs) -> Result<(), StoreError> {
        let outcome = &self.conclusion.outcome;
        let next = outcome.intent_status();
        // The failure of a batch belongs to its attempt alone: the intents are queued again.
        let failure = outcome.failure().filter(|_| next == IntentStatus::Failed);
        let failure = failure.map(|failure| json("a failure", failure));
        let failure = failure.transpose()?;
        let (keeping, giving): (Vec<_>, Vec<_>) = self
            .intents
            .iter()
            .partition(|intent| intent.keeps_key(next));
        // A statement that names `holds_key` writes the index of the keys anew.
        for (intents, statement) in [
            (
                keeping,
                "UPDATE intents SET status = $1, failure = $2, updated_at = $3 \
                 WHERE id IN (SELECT value FROM json_each($4))",
            ),
            (
                giving,
                "UPDATE intents SET status = $1, failure = $2, updated_at = $3, holds_key = 0 \
                 WHERE id IN (SELECT value FROM json_each($4))",
            ),
        ] {
            if intents.is_empty() {
                continue;
            }
            let ids: Vec<u64> = intents.iter().map(|intent| intent.id.get()).collect();
            writes
                .statement(statement)
                .bind(next.as_str())
                .bind(failure.clone())
                .bind(number(now.get()))
                .bind(json("the intents of an attempt", &ids)?)
                .changing(ids.len());
        }
        Ok(())
    }
}

fn fails(conclusion: &Conclusion) -> bool {
    conclusion.outcome.intent_status() == IntentStatus::Failed
}
