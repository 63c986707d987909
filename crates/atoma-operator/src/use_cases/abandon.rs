//! Giving a transaction up.

use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::{Failure, IntentRecord};
use atoma_domain::ports::JournalKey;

use super::{Operator, internal};
use crate::engine::AbandonError;

/// How long to wait for the proof that a transaction is dead.
const PATIENCE: Duration = Duration::from_secs(6);

impl Operator {
    /// Gives a transaction up, only where it is proved that it can't execute any more: its stack's
    /// record is thawed, and it can be asked for anew.
    ///
    /// # Errors
    /// When it is finished, or may still execute.
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
