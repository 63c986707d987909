//! Abandoning a transaction.

use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::{Failure, IntentRecord};
use atoma_domain::ports::JournalKey;

use super::operator::Operator;
use crate::causes::internal;
use crate::engine::AbandonError;

/// The longest wait for the proof that a transaction is dead.
const PATIENCE: Duration = Duration::from_secs(6);

impl Operator {
    /// Abandons a transaction that provably can no longer execute. Its stack's record accepts messages
    /// again, and the same request can be sent anew.
    ///
    /// # Errors
    /// When the transaction is final, or may still execute.
    pub async fn abandon(&self, id: IntentId) -> Result<IntentRecord, Failure> {
        match self.engine.abandon(id, PATIENCE).await {
            Ok(()) => {}
            Err(AbandonError::Refused(failure)) => return Err(failure),
            Err(AbandonError::Store(error)) => return Err(internal(error)),
        }
        let record = self.ports.journal.find(JournalKey::Id(id)).await;
        record
            .map_err(internal)?
            .ok_or_else(|| Failure::UnknownTransaction {
                transaction: id.to_string(),
            })
    }
}
