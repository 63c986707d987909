//! Transactions, single and over several stacks.

use std::collections::BTreeSet;
use std::mem::discriminant;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, HttpResponseBuilder};
use atoma_domain::journal::{AttemptRecord, Failure, IntentRecord};
use atoma_domain::{
    CheckpointNumber, Digest, Epoch, IntentId, Mist, NodeSmallId, ObjectId, StackSmallId,
    UnitOverflow,
};
use atoma_operator::{Done, Registered, StackResult, StackStatus, Unsuccessful};
use serde::Serialize;

use super::rfc3339;
use crate::error::{ErrorBody, retry_after, status};

/// What became of a transaction: its digest, or for a dry run what it would cost.
#[derive(Debug, Serialize)]
pub(crate) struct DigestView {
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_digest: Option<Digest>,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

/// The marks of a rehearsal.
#[derive(Debug, Serialize)]
struct DryRun {
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_gas: Option<Mist>,
}

impl DigestView {
    const fn executed(tx_digest: Digest) -> Self {
        Self {
            tx_digest: Some(tx_digest),
            dry_run: None,
        }
    }
}

impl From<Done> for DigestView {
    fn from(done: Done) -> Self {
        match done {
            Done::Executed { tx_digest, .. } => Self::executed(tx_digest),
            Done::Rehearsed { estimated_gas } => Self {
                tx_digest: None,
                dry_run: Some(DryRun {
                    dry_run: true,
                    estimated_gas: Some(estimated_gas),
                }),
            },
        }
    }
}

/// A subscription that was made.
#[derive(Debug, Serialize)]
pub(crate) struct SubscribedView {
    #[serde(flatten)]
    done: DigestView,
    warnings: Vec<String>,
}

impl SubscribedView {
    pub(crate) fn new(done: Done, warnings: Vec<String>) -> Self {
        Self {
            done: done.into(),
            warnings,
        }
    }
}

/// A node that was registered.
#[derive(Debug, Serialize)]
pub(crate) struct RegisteredView {
    #[serde(flatten)]
    done: DigestView,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_small_id: Option<NodeSmallId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_badge_id: Option<ObjectId>,
}

impl From<Registered> for RegisteredView {
    fn from(node: Registered) -> Self {
        match node {
            Registered::Executed {
                tx_digest,
                node_small_id,
                node_badge_id,
            } => Self {
                done: DigestView::executed(tx_digest),
                node_small_id: Some(node_small_id),
                node_badge_id: Some(node_badge_id),
            },
            Registered::Rehearsed { estimated_gas } => Self {
                done: Done::Rehearsed { estimated_gas }.into(),
                node_small_id: None,
                node_badge_id: None,
            },
        }
    }
}

/// What became of one stack (and node) of a request.
#[derive(Debug, Serialize)]
struct StackResultView {
    stack_small_id: StackSmallId,
    node_small_id: Option<NodeSmallId>,
    status: &'static str,
    tx_digest: Option<Digest>,
    transaction_id: Option<IntentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_gas: Option<Mist>,
    error: Option<ErrorBody>,
    warnings: Vec<String>,
}

impl From<StackResult> for StackResultView {
    fn from(result: StackResult) -> Self {
        Self {
            stack_small_id: result.stack_small_id,
            node_small_id: result.node_small_id,
            status: match result.status {
                StackStatus::Succeeded => "succeeded",
                StackStatus::Failed => "failed",
                StackStatus::Pending => "pending",
            },
            tx_digest: result.tx_digest,
            transaction_id: result.transaction_id,
            estimated_gas: result.estimated_gas,
            error: result.failure.as_ref().map(ErrorBody::from),
            warnings: result.warnings,
        }
    }
}

/// What became of a request over several stacks.
#[derive(Debug, Serialize)]
pub(crate) struct BatchView {
    /// When nothing was done: what the first failure, or waiting in vain, says.
    #[serde(flatten)]
    error: Option<ErrorBody>,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
    tx_digests: Vec<Digest>,
    results: Vec<StackResultView>,
}

impl BatchView {
    /// One digest for each success.
    pub(crate) fn new(results: Vec<StackResult>, dry: bool) -> Self {
        let error = overall_failure(&results).map(|failure| ErrorBody::from(&failure));
        let tx_digests = successes(&results).collect();
        Self {
            error,
            dry_run: dry.then_some(DryRun {
                dry_run: true,
                estimated_gas: None,
            }),
            tx_digests,
            results: results.into_iter().map(StackResultView::from).collect(),
        }
    }
}

/// What became of a claim: stacks share transactions, so each digest stands once.
#[derive(Debug, Serialize)]
pub(crate) struct ClaimView {
    tx_digest: Option<Digest>,
    #[serde(flatten)]
    batch: BatchView,
}

impl ClaimView {
    pub(crate) fn new(results: Vec<StackResult>, dry: bool) -> Self {
        let mut batch = BatchView::new(results, dry);
        let mut seen = BTreeSet::new();
        batch.tx_digests.retain(|digest| seen.insert(*digest));
        Self {
            tx_digest: batch.tx_digests.first().copied(),
            batch,
        }
    }
}

fn successes(results: &[StackResult]) -> impl Iterator<Item = Digest> {
    results
        .iter()
        .filter(|result| result.status == StackStatus::Succeeded)
        .filter_map(|result| result.tx_digest)
}

/// The beginning of an answer over several stacks.
pub(crate) fn batch_answer(results: &[StackResult]) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(batch_status(results));
    let failure = overall_failure(results).map(|overall| overall.failure);
    if let Some(seconds) = failure.as_ref().and_then(retry_after) {
        answer.insert_header((RETRY_AFTER, seconds));
    }
    answer
}

/// The status of an answer over several stacks.
fn batch_status(results: &[StackResult]) -> StatusCode {
    let count = |wanted| results.iter().filter(|r| r.status == wanted).count();
    let (succeeded, pending) = (count(StackStatus::Succeeded), count(StackStatus::Pending));
    if succeeded == results.len() {
        StatusCode::OK
    } else if succeeded > 0 || (pending > 0 && pending < results.len()) {
        StatusCode::MULTI_STATUS
    } else {
        overall_failure(results).map_or(StatusCode::INTERNAL_SERVER_ERROR, |overall| {
            status(&overall.failure)
        })
    }
}

/// What the whole request failed with: nothing was done, and either all is pending or all failed.
fn overall_failure(results: &[StackResult]) -> Option<Unsuccessful> {
    let all = |wanted| results.iter().all(|result| result.status == wanted);
    if all(StackStatus::Pending) {
        let first = results.first()?;
        let transaction_id = first.transaction_id?;
        let tx_digest = first.tx_digest;
        return Some(Unsuccessful {
            failure: held_for(results).unwrap_or(Failure::OutcomeUnknown {
                transaction_id,
                tx_digest,
            }),
            // What to poll, whatever it is held for.
            transaction_id: Some(transaction_id),
            tx_digest,
        });
    }
    if all(StackStatus::Failed) {
        let failure = results.iter().find_map(|result| result.failure.clone());
        return failure.map(Unsuccessful::from);
    }
    None
}

/// What every one of these is held for, if it is the same for all.
fn held_for(results: &[StackResult]) -> Option<Failure> {
    let (first, others) = results.split_first()?;
    let reason = first.failure.as_ref()?;
    let is_same = |result: &StackResult| {
        let failure = result.failure.as_ref();
        failure.is_some_and(|other| discriminant(other) == discriminant(reason))
    };
    others.iter().all(is_same).then(|| reason.clone())
}

/// An entry of the journal.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionView {
    transaction_id: IntentId,
    kind: &'static str,
    status: &'static str,
    tx_digest: Option<Digest>,
    node_small_id: Option<NodeSmallId>,
    stack_small_ids: Vec<StackSmallId>,
    created_at: Option<String>,
    updated_at: Option<String>,
    error: Option<ErrorBody>,
    /// Why nothing is done about it for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<ErrorBody>,
}

impl TransactionView {
    pub(crate) fn new(record: IntentRecord, held: Option<Failure>) -> Self {
        Self {
            transaction_id: record.intent.id,
            kind: record.intent.action.kind(),
            status: record.status.as_str(),
            tx_digest: record.tx_digest,
            node_small_id: record.intent.actor.node(),
            stack_small_ids: record.intent.action.stack().into_iter().collect(),
            created_at: rfc3339(record.created_at),
            updated_at: rfc3339(record.updated_at),
            error: record.failure.as_ref().map(ErrorBody::from),
            waiting_for: held.as_ref().map(ErrorBody::from),
        }
    }
}

/// An entry of the journal with all that was sent for it.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionDetailView {
    #[serde(flatten)]
    transaction: TransactionView,
    /// What its attempts cost, those of a batch with all that they carried.
    gas_used: Mist,
    attempts: Vec<AttemptView>,
}

impl TransactionDetailView {
    /// # Errors
    /// When the gas of all attempts is more than there can be.
    pub(crate) fn new(
        transaction: TransactionView,
        attempts: Vec<AttemptRecord>,
    ) -> Result<Self, UnitOverflow> {
        let mut used = attempts.iter().filter_map(|attempt| attempt.gas_used);
        Ok(Self {
            transaction,
            gas_used: used.try_fold(Mist::ZERO, Mist::checked_add)?,
            attempts: attempts.into_iter().map(AttemptView::from).collect(),
        })
    }
}

/// A signed transaction and what came of it.
#[derive(Debug, Serialize)]
struct AttemptView {
    tx_digest: Digest,
    status: &'static str,
    created_at: Option<String>,
    concluded_at: Option<String>,
    expires_after_epoch: Epoch,
    gas_budget: Mist,
    gas_used: Option<Mist>,
    checkpoint: Option<CheckpointNumber>,
    /// What proves it dead, or cancelled it.
    reason: Option<String>,
    error: Option<ErrorBody>,
    /// Which entries of the journal it carries, in the order of its calls.
    transaction_ids: Vec<IntentId>,
}

impl From<AttemptRecord> for AttemptView {
    fn from(attempt: AttemptRecord) -> Self {
        Self {
            tx_digest: attempt.digest,
            status: attempt.status.as_str(),
            created_at: rfc3339(attempt.created_at),
            concluded_at: attempt.concluded_at.and_then(rfc3339),
            expires_after_epoch: attempt.expires_after,
            gas_budget: attempt.gas_budget,
            gas_used: attempt.gas_used,
            checkpoint: attempt.checkpoint,
            reason: attempt.reason,
            error: attempt.failure.as_ref().map(ErrorBody::from),
            transaction_ids: attempt.intents,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(status: StackStatus) -> StackResult {
        StackResult {
            stack_small_id: StackSmallId::new(1),
            node_small_id: None,
            status,
            tx_digest: (status != StackStatus::Failed).then(|| Digest::new([1; 32])),
            transaction_id: Some(IntentId::new(1)),
            estimated_gas: None,
            failure: (status == StackStatus::Failed).then(|| Failure::AlreadySettling {
                stack_small_id: StackSmallId::new(1),
            }),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_status_tells_all_some_or_none() {
        use StackStatus::{Failed, Pending, Succeeded};
        let status = |statuses: &[StackStatus]| {
            let results: Vec<_> = statuses.iter().copied().map(result).collect();
            batch_status(&results).as_u16()
        };
        assert_eq!(status(&[Succeeded, Succeeded]), 200);
        assert_eq!(status(&[Succeeded, Failed]), 207);
        assert_eq!(status(&[Succeeded, Pending]), 207);
        assert_eq!(status(&[Pending, Failed]), 207);
        assert_eq!(status(&[Failed, Failed]), 409);
        assert_eq!(status(&[Pending, Pending]), 504);
        let held = StackResult {
            failure: Some(Failure::TreasuryShort {}),
            ..result(Pending)
        };
        assert_eq!(batch_status(&[held.clone(), held.clone()]).as_u16(), 422);
        // One of them is only not finished.
        assert_eq!(batch_status(&[result(Pending), held.clone()]).as_u16(), 504);
        assert_eq!(batch_status(&[held.clone(), result(Pending)]).as_u16(), 504);
        let otherwise = StackResult {
            failure: Some(Failure::QueueFull {
                node_small_id: None,
            }),
            ..result(Pending)
        };
        assert_eq!(batch_status(&[held, otherwise]).as_u16(), 504);
    }

    #[test]
    fn what_is_pending_says_what_to_poll_whatever_it_is_held_for() {
        let held = StackResult {
            failure: Some(Failure::TreasuryShort {}),
            ..result(StackStatus::Pending)
        };
        for results in [vec![held.clone()], vec![held, result(StackStatus::Pending)]] {
            let view = serde_json::to_value(BatchView::new(results, false)).unwrap();
            assert_eq!(view["details"]["transaction_id"], 1);
            assert_eq!(
                view["details"]["tx_digest"],
                Digest::new([1; 32]).to_string()
            );
        }
    }

    #[test]
    fn a_claims_digests_stand_once() {
        let results = vec![
            result(StackStatus::Succeeded),
            result(StackStatus::Succeeded),
        ];
        let view = serde_json::to_value(ClaimView::new(results, false)).unwrap();
        assert_eq!(view["tx_digests"].as_array().unwrap().len(), 1);
        assert_eq!(view["tx_digest"], view["tx_digests"][0]);
        assert_eq!(view["results"].as_array().unwrap().len(), 2);
        assert!(view.get("error").is_none());
    }
}
