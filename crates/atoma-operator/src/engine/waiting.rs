//! Waiting for intents, and giving them up.

use std::time::Duration;

use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{ChainError, Executed, JournalKey, StoreError};
use atoma_domain::{Digest, IntentId};
use tracing::error;

use super::abandoned::Mark;
use super::outcomes::{Outcome, Progress};
use super::reads::ask;
use super::submit::Engine;
use crate::Ports;
use crate::causes::with_causes;

/// An intent as far as it got within the time waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Waited {
    /// The intent.
    pub id: IntentId,
    /// Where it stands.
    pub status: IntentStatus,
    /// The digest of the transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Why it failed; of an unfinished one, why nothing is done about it for now.
    pub failure: Option<Failure>,
}

/// Why an intent was not given up.
#[derive(Debug, thiserror::Error)]
pub enum AbandonError {
    /// It can't be.
    #[error("{0}")]
    Refused(Failure),
    /// The journal failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Waits until all of the intents are final or held, or `limit` has passed; tells how far they
    /// are. One that can't be read in the journal is told to be queued: it costs the others nothing.
    pub async fn wait(&self, ids: &[IntentId], limit: Duration) -> Vec<Waited> {
        let mut told = Vec::with_capacity(ids.len());
        let all = async {
            for id in ids {
                // Looked at once more below.
                told.push(self.told(*id).await.unwrap_or_default());
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = tokio::time::sleep(limit) => {}
            // Nothing is announced any more then, and who waits is to be answered.
            () = self.shared().grace() => {}
        }
        let mut told = told.into_iter();
        let mut waited = Vec::with_capacity(ids.len());
        for id in ids {
            waited.push(match told.next().flatten() {
                Some(outcome) => Waited::of(*id, outcome),
                None => self
                    .standing(*id)
                    .await
                    .unwrap_or_else(|error| Waited::unread(*id, &error)),
            });
        }
        waited
    }

    /// Waits until an intent is final or held; tells its outcome if this process announced it.
    async fn told(&self, id: IntentId) -> Result<Option<Outcome>, StoreError> {
        if self.shared().outcomes.watch(id).is_none() {
            let record = self.find(id).await?;
            if record.status.is_final() {
                return Ok(Some(record.into()));
            }
            self.adopt_orphan(record.intent).await;
        }
        let Some(mut progress) = self.shared().outcomes.watch(id) else {
            return Ok(None);
        };
        let told = progress.wait_for(|progress| *progress != Progress::Underway);
        Ok(match told.await.as_deref() {
            Ok(Progress::Over(outcome)) => Some(outcome.clone()),
            // Held; or told and dropped at once.
            _ => None,
        })
    }

    /// Where an intent stands, and why nothing is done about it if so.
    async fn standing(&self, id: IntentId) -> Result<Waited, StoreError> {
        let held = self.held(id);
        let mut found = self.look_up(id).await?;
        if !found.status.is_final() {
            found.failure = held;
        }
        Ok(found)
    }

    /// Gives an intent up, if nothing of it can execute any more: it fails, and is not signed
    /// (again). Goes on though the caller goes away.
    ///
    /// # Errors
    /// [`Failure::AlreadyFinal`], or [`Failure::MayStillExecute`] when its transaction is not
    /// decided within `limit`; then nothing has changed.
    pub async fn abandon(&self, id: IntentId, limit: Duration) -> Result<(), AbandonError> {
        let engine = self.clone();
        self.detached(async move { engine.give_up(id, limit).await })
            .await
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?
    }

    async fn give_up(&self, id: IntentId, limit: Duration) -> Result<(), AbandonError> {
        let already_final = || AbandonError::Refused(Failure::AlreadyFinal { transaction_id: id });
        if self.look_up(id).await?.status.is_final() {
            return Err(already_final());
        }
        // Marked first: a lane that comes to it from now on leaves it alone.
        let abandoned = &self.shared().abandoned;
        abandoned.mark(id, Mark::Wanted);
        match self.fail_queued(id).await {
            Ok(true) => return Ok(()),
            // A transaction of it may be with the network, or its lane was faster.
            Ok(false) => {}
            Err(error) => {
                abandoned.take(id);
                return Err(error.into());
            }
        }
        self.wait(&[id], limit).await;
        // Taken back before it is looked at: from here on the lane does nothing about it.
        abandoned.take(id);
        let after = self.look_up(id).await?;
        if after.failure == Some(Failure::Abandoned {}) {
            return Ok(());
        }
        if after.status.is_final() {
            return Err(already_final());
        }
        // It may be queued again by now, and wait for something.
        if self.fail_queued(id).await? {
            return Ok(());
        }
        Err(AbandonError::Refused(Failure::MayStillExecute {
            transaction_id: id,
            tx_digest: after.tx_digest,
        }))
    }

    /// Fails an intent that the operator gave up, if nothing of it can execute; says whether it did.
    async fn fail_queued(&self, id: IntentId) -> Result<bool, StoreError> {
        let Ports { journal, clock, .. } = &self.shared().ports;
        match journal.fail(id, &Failure::Abandoned {}, clock.now()).await {
            Ok(()) => {
                self.shared().abandoned.mark(id, Mark::Failed);
                let record = self.find(id).await?;
                self.leave_lane(&record.intent.clone(), record.into());
                Ok(true)
            }
            Err(StoreError::Transition { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The transaction of that digest; `None` when the Sui node does not show it, asked several
    /// times.
    pub(crate) async fn ask_for(&self, digest: Digest) -> Option<Executed> {
        let shared = self.shared();
        let chain = &shared.ports.chain;
        let looked = ask(&shared.config, || async {
            let found = chain.lookup(digest).await?;
            found.ok_or(ChainError::Malformed {
                what: "a transaction that it has executed",
            })
        });
        looked.await.ok()
    }

    pub(super) async fn look_up(&self, id: IntentId) -> Result<Waited, StoreError> {
        Ok(Waited::of(id, self.find(id).await?.into()))
    }

    async fn find(&self, id: IntentId) -> Result<IntentRecord, StoreError> {
        let record = self.shared().ports.journal.find(JournalKey::Id(id)).await?;
        record.ok_or_else(|| StoreError::Missing {
            what: format!("transaction {id}"),
        })
    }
}

impl Waited {
    /// Nothing is known of it but that it is in the journal.
    fn unread(id: IntentId, error: &StoreError) -> Self {
        error!(intent = %id, error = with_causes(error), "the journal can't be read");
        Self {
            id,
            status: IntentStatus::Queued,
            tx_digest: None,
            failure: None,
        }
    }

    fn of(id: IntentId, outcome: Outcome) -> Self {
        Self {
            id,
            status: outcome.status,
            tx_digest: outcome.tx_digest,
            failure: outcome.failure,
        }
    }
}
