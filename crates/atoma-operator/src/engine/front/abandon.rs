//! Abandoning intents.

use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::Failure;
use atoma_domain::ports::StoreError;

use super::engine::Engine;
use crate::Ports;
use crate::engine::shared::AbandonMark;

/// Why an intent was not abandoned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AbandonError {
    /// It can't be.
    #[error("{0}")]
    Refused(Failure),
    /// The journal failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Abandons an intent if none of its transactions can execute any more: it fails, and is not signed
    /// (again). Goes on even if the caller goes away.
    ///
    /// # Errors
    /// [`Failure::AlreadyFinal`], or [`Failure::MayStillExecute`] when its transaction is not resolved
    /// within `limit`; then nothing has changed.
    pub async fn abandon(&self, id: IntentId, limit: Duration) -> Result<(), AbandonError> {
        let engine = self.clone();
        self.detached(async move { engine.abandon_now(id, limit).await })
            .await
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }

    async fn abandon_now(&self, id: IntentId, limit: Duration) -> Result<(), AbandonError> {
        let already_final = || AbandonError::Refused(Failure::AlreadyFinal { transaction_id: id });
        if self.look_up(id).await?.status.is_final() {
            return Err(already_final());
        }
        // Marked first: from now on its lane leaves it alone.
        let abandoned = &self.context().abandoned;
        abandoned.mark(id, AbandonMark::Requested);
        match self.fail_queued(id).await {
            Ok(true) => return Ok(()),
            // The network may have a transaction of it, or its lane was faster.
            Ok(false) => {}
            Err(error) => {
                abandoned.take(id);
                return Err(error.into());
            }
        }
        self.wait(&[id], limit).await;
        // The mark is taken back before the lookup: from here on the lane does nothing about it.
        abandoned.take(id);
        let after = self.look_up(id).await?;
        if after.failure == Some(Failure::Abandoned {}) {
            return Ok(());
        }
        if after.status.is_final() {
            return Err(already_final());
        }
        // It may be queued again by now, waiting for something.
        if self.fail_queued(id).await? {
            return Ok(());
        }
        Err(AbandonError::Refused(Failure::MayStillExecute {
            transaction_id: id,
            tx_digest: after.tx_digest,
        }))
    }

    /// Fails an abandoned intent if it is queued; says whether it did.
    async fn fail_queued(&self, id: IntentId) -> Result<bool, StoreError> {
        let Ports { journal, clock, .. } = &self.context().ports;
        match journal.fail(id, &Failure::Abandoned {}, clock.now()).await {
            Ok(()) => {
                self.context().abandoned.mark(id, AbandonMark::Failed);
                let record = self.find(id).await?;
                self.context().registry.finish(id, record.into());
                Ok(true)
            }
            Err(StoreError::Transition { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
