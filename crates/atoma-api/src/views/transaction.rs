//! Entries of the transaction journal.

use atoma_domain::journal::{AttemptRecord, Failure, IntentRecord};
use atoma_domain::{
    CheckpointNumber, Digest, Epoch, IntentId, Mist, NodeSmallId, StackSmallId, UnitOverflow,
};
use serde::Serialize;

use super::time::rfc3339;
use crate::error::ErrorBody;

/// A transaction of the journal.
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
    /// Why it makes no progress at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<ErrorBody>,
}

impl TransactionView {
    pub(crate) fn new(record: IntentRecord, waiting_for: Option<Failure>) -> Self {
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
            waiting_for: waiting_for.as_ref().map(ErrorBody::from),
        }
    }
}

/// A transaction of the journal with its attempts.
#[derive(Debug, Serialize)]
pub(crate) struct TransactionDetailView {
    #[serde(flatten)]
    transaction: TransactionView,
    /// The gas paid by all its attempts, in MIST; an attempt that carried a batch counts in full.
    gas_used: Mist,
    attempts: Vec<AttemptView>,
}

impl TransactionDetailView {
    /// # Errors
    /// When the sum of the gas does not fit in 64 bits.
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

/// A signed transaction and its outcome.
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
    /// Why it can never execute, or why the network cancelled it.
    reason: Option<String>,
    error: Option<ErrorBody>,
    /// The transactions of the journal that it carries, in the order of its calls.
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
