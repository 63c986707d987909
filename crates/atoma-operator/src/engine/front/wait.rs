//! Waiting for intents.

use std::time::Duration;

use atoma_domain::journal::{Failure, IntentRecord, IntentStatus};
use atoma_domain::ports::{ChainError, Executed, JournalKey, StoreError};
use atoma_domain::{Digest, IntentId, with_causes};
use tracing::error;

use super::engine::Engine;
use crate::engine::reads::ask;
use crate::engine::shared::{IntentOutcome, IntentProgress};

/// How far an intent got within the time waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Waited {
    /// The intent.
    pub id: IntentId,
    /// Where it stands.
    pub status: IntentStatus,
    /// The digest of the transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Why it failed, or why nothing is done about it for now.
    pub failure: Option<Failure>,
}

impl Engine {
    /// Waits until all of the intents are final or held, or `limit` has passed; says how far they
    /// are. An intent that can't be read from the journal counts as queued and costs the others
    /// nothing.
    pub async fn wait(&self, ids: &[IntentId], limit: Duration) -> Vec<Waited> {
        let mut outcomes = Vec::with_capacity(ids.len());
        let all = async {
            for id in ids {
                // Looked up once more below.
                outcomes.push(self.outcome(*id).await.unwrap_or_default());
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = tokio::time::sleep(limit) => {}
            // Nothing is announced after the grace period, and the caller must get an answer.
            () = self.context().grace() => {}
        }
        let mut outcomes = outcomes.into_iter();
        let mut waited = Vec::with_capacity(ids.len());
        for id in ids {
            waited.push(match outcomes.next().flatten() {
                Some(outcome) => Waited::of(*id, outcome),
                None => self
                    .standing(*id)
                    .await
                    .unwrap_or_else(|error| Waited::unread(*id, &error)),
            });
        }
        waited
    }

    /// Waits until an intent is final or held; gives its outcome if this process announced it.
    async fn outcome(&self, id: IntentId) -> Result<Option<IntentOutcome>, StoreError> {
        if self.context().registry.watch(id).is_none() {
            let record = self.find(id).await?;
            if record.status.is_final() {
                return Ok(Some(record.into()));
            }
            self.adopt_orphan(record.intent).await;
        }
        let Some(mut progress) = self.context().registry.watch(id) else {
            return Ok(None);
        };
        let settled = progress.wait_for(|progress| *progress != IntentProgress::Underway);
        Ok(match settled.await.as_deref() {
            Ok(IntentProgress::Final(outcome)) => Some(outcome.clone()),
            // Held; or announced and dropped at once.
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

    /// Looks up a transaction; `None` when the Sui node does not show it, asked several times.
    pub(crate) async fn executed(&self, digest: Digest) -> Option<Executed> {
        let shared = self.context();
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

    pub(in crate::engine) async fn find(&self, id: IntentId) -> Result<IntentRecord, StoreError> {
        let record = self
            .context()
            .ports
            .journal
            .find(JournalKey::Id(id))
            .await?;
        record.ok_or_else(|| StoreError::Missing {
            what: format!("transaction {id}"),
        })
    }
}

impl Waited {
    /// All that is known is that the journal has it.
    fn unread(id: IntentId, error: &StoreError) -> Self {
        error!(intent = %id, error = with_causes(error), "can't read the journal");
        Self {
            id,
            status: IntentStatus::Queued,
            tx_digest: None,
            failure: None,
        }
    }

    fn of(id: IntentId, outcome: IntentOutcome) -> Self {
        Self {
            id,
            status: outcome.status,
            tx_digest: outcome.tx_digest,
            failure: outcome.failure,
        }
    }
}
