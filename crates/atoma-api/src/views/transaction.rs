//! Entries of the transaction journal.

use atoma_api_types::{AttemptView, TransactionDetailView, TransactionView};
use atoma_domain::journal::{AttemptRecord, Failure, IntentRecord};
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
        kind: record.intent.action.kind().to_owned(),
        status: record.status.as_str().to_owned(),
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
    Ok(TransactionDetailView {
        transaction,
        gas_used: used.try_fold(Mist::ZERO, Mist::checked_add)?,
        attempts: attempts.into_iter().map(attempt_view).collect(),
    })
}

fn attempt_view(attempt: AttemptRecord) -> AttemptView {
    AttemptView {
        tx_digest: attempt.digest,
        status: attempt.status.as_str().to_owned(),
        created_at: rfc3339(attempt.created_at),
        concluded_at: attempt.concluded_at.and_then(rfc3339),
        expires_after_epoch: attempt.expires_after,
        gas_budget: attempt.gas_budget,
        gas_used: attempt.gas_used,
        checkpoint: attempt.checkpoint,
        reason: attempt.reason,
        error: attempt.failure.as_ref().map(error_body),
        transaction_ids: attempt.intents,
    }
}

#[cfg(test)]
mod tests {
    use atoma_api_types::{AttemptStage, TransactionKind, TransactionStatus};
    use atoma_domain::journal::{Action, AttemptStatus, IntentStatus};
    use serde::de::DeserializeOwned;
    use serde_json::{from_value, json};

    fn is_described<T: DeserializeOwned>(name: &str) -> bool {
        from_value::<T>(json!(name)).is_ok()
    }

    /// The document lists every kind and status that the journal has.
    #[test]
    fn every_name_is_described() {
        assert!(
            Action::KINDS
                .iter()
                .all(|name| is_described::<TransactionKind>(name))
        );
        let statuses = IntentStatus::ALL.map(IntentStatus::as_str);
        assert!(
            statuses
                .iter()
                .all(|name| is_described::<TransactionStatus>(name))
        );
        let statuses = AttemptStatus::ALL.map(AttemptStatus::as_str);
        assert!(
            statuses
                .iter()
                .all(|name| is_described::<AttemptStage>(name))
        );
    }
}
