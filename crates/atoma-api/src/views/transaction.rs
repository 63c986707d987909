//! Entries of the transaction journal.

use atoma_api_types::{AttemptView, TransactionDetailView, TransactionKind, TransactionView};
use atoma_domain::journal::{Action, AttemptRecord, Failure, IntentRecord};
use atoma_domain::{Mist, UnitOverflow};

use super::time::rfc3339;
use crate::error::error_body;

/// A transaction of the journal, and what it waits for.
pub(crate) fn transaction_view(
    record: IntentRecord,
    waiting_for: Option<&Failure>,
) -> TransactionView {
    TransactionView {
        transaction_id: record.intent.id,
        kind: kind(&record.intent.action),
        status: record.status,
        tx_digest: record.tx_digest,
        node_small_id: record.intent.actor.node(),
        stack_small_ids: record.intent.action.stack().into_iter().collect(),
        created_at: rfc3339(record.created_at),
        updated_at: rfc3339(record.updated_at),
        error: record.failure.as_ref().map(error_body),
        waiting_for: waiting_for.map(error_body),
    }
}

/// A transaction of the journal with its attempts.
///
/// # Errors
/// When the sum of the gas does not fit in 64 bits.
pub(crate) fn transaction_detail_view(
    transaction: TransactionView,
    attempts: Vec<AttemptRecord>,
) -> Result<TransactionDetailView, UnitOverflow> {
    let mut used = attempts.iter().filter_map(|attempt| attempt.gas_used);
    let mut returned = attempts.iter().filter_map(|attempt| attempt.gas_returned);
    Ok(TransactionDetailView {
        transaction,
        gas_used: used.try_fold(Mist::ZERO, Mist::checked_add)?,
        gas_returned: returned.try_fold(Mist::ZERO, Mist::checked_add)?,
        attempts: attempts.into_iter().map(attempt_view).collect(),
    })
}

fn attempt_view(attempt: AttemptRecord) -> AttemptView {
    AttemptView {
        tx_digest: attempt.digest,
        status: attempt.status,
        created_at: rfc3339(attempt.created_at),
        concluded_at: attempt.concluded_at.and_then(rfc3339),
        expires_after_epoch: attempt.expires_after,
        gas_budget: attempt.gas_budget,
        gas_used: attempt.gas_used,
        gas_returned: attempt.gas_returned,
        checkpoint: attempt.checkpoint,
        reason: attempt.reason,
        error: attempt.failure.as_ref().map(error_body),
        transaction_ids: attempt.intents,
    }
}

const fn kind(action: &Action) -> TransactionKind {
    use TransactionKind as Kind;
    match action {
        Action::RegisterNode { .. } => Kind::RegisterNode,
        Action::SubscribeToModel { .. } => Kind::SubscribeToModel,
        Action::SubscribeToTask { .. } => Kind::SubscribeToTask,
        Action::UpdateSubscription { .. } => Kind::UpdateSubscription,
        Action::UnsubscribeFromTask { .. } => Kind::UnsubscribeFromTask,
        Action::RotateNodeKey { .. } => Kind::RotateNodeKey,
        Action::WithdrawFees {} => Kind::WithdrawFees,
        Action::SettleStack { .. } => Kind::SettleStack,
        Action::AttestSettlement { .. } => Kind::AttestSettlement,
        Action::StartDispute { .. } => Kind::StartDispute,
        Action::ClaimStack { .. } => Kind::ClaimStack,
        Action::ClaimConfidentialStack { .. } => Kind::ClaimConfidentialStack,
    }
}

#[cfg(test)]
mod tests {
    use atoma_api_types::TransactionKind;
    use atoma_domain::journal::Action;
    use serde_json::{Value, from_value, json};

    /// The filter takes the names that the list shows.
    #[test]
    fn every_kind_has_the_name_that_the_journal_knows() {
        for name in Action::KINDS {
            let kind: TransactionKind = from_value(json!(name)).unwrap();
            assert_eq!(kind.as_str(), name);
            assert_eq!(json!(kind), Value::from(name));
        }
    }
}
