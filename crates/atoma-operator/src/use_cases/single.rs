//! Requests for a single transaction.

use atoma_domain::journal::{EntryOutcome, Failure, IntentStatus, NewIntent, PlannedEntry};
use atoma_domain::{Digest, IntentId, Mist};

use super::operator::Operator;
use super::request::no_answer;
use crate::engine::Submission;

/// A successful request for a single transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completed {
    /// The transaction executed.
    Executed {
        /// Its digest.
        tx_digest: Digest,
        /// Its number in the journal.
        transaction_id: IntentId,
    },
    /// The transaction would succeed, according to a dry run.
    Rehearsed {
        /// The gas that it would need, in MIST, without a margin.
        estimated_gas: Mist,
    },
}

/// A request for a single transaction that has not succeeded, or not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsuccessful {
    /// Why.
    pub failure: Failure,
    /// Its number in the journal, if it was journalled.
    pub transaction_id: Option<IntentId>,
    /// The digest of its latest transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Whether it is still under way: it stays queued, and the failure only says why it waits.
    pub is_pending: bool,
}

impl From<Failure> for Unsuccessful {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            transaction_id: None,
            tx_digest: None,
            is_pending: false,
        }
    }
}

impl Operator {
    /// Submits one intent and waits for its outcome. `intent` checks the request and builds the intent.
    /// It does not run if the same request was accepted before.
    pub(super) async fn run_one(
        &self,
        intent: impl Future<Output = Result<NewIntent, Failure>>,
    ) -> Result<Completed, Unsuccessful> {
        if self.is_dry_run {
            let estimated_gas = self.rehearse_one(intent).await?;
            return Ok(Completed::Rehearsed { estimated_gas });
        }
        let id = match self.recall_intent().await? {
            Some(id) => id,
            None => match self.submit_one(intent).await {
                Ok(id) => id,
                // The same request may have been submitted a moment ago. Then this one is refused
                // because of it, and has its outcome.
                Err(failure) => match self.recall_intent().await {
                    Ok(Some(id)) => id,
                    _ => return Err(failure.into()),
                },
            },
        };
        self.outcome_of(id).await
    }

    /// The gas that the intent would need.
    async fn rehearse_one(
        &self,
        intent: impl Future<Output = Result<NewIntent, Failure>>,
    ) -> Result<Mist, Failure> {
        self.check_start().await?;
        let intents = vec![intent.await?];
        let rehearsed = self.engine.rehearse(intents, self.request_timeout).await;
        let rehearsed = rehearsed.into_iter().next().ok_or_else(no_answer)?;
        Ok(rehearsed?.gas_needed)
    }

    /// Submits one intent.
    async fn submit_one(
        &self,
        intent: impl Future<Output = Result<NewIntent, Failure>>,
    ) -> Result<IntentId, Failure> {
        self.check_start().await?;
        let entries = vec![PlannedEntry {
            stack_small_id: None,
            node_small_id: None,
            warnings: Vec::new(),
            outcome: None,
        }];
        let submitted = self.submit(vec![intent.await?], None, entries).await?;
        match submitted.and_then(|submissions| submissions.into_iter().next()) {
            Some(Submission::Accepted(id)) => Ok(id),
            Some(Submission::Refused(failure)) => Err(failure),
            // The caller recalls the same request, which was submitted first.
            None => Err(no_answer()),
        }
    }

    /// The intent of an earlier request with the same key; `None` if there is none. The journal
    /// doesn't keep the key of a request of which it accepted nothing.
    async fn recall_intent(&self) -> Result<Option<IntentId>, Failure> {
        let entries = self.recall_entries().await?;
        let first = entries.and_then(|entries| entries.into_iter().next());
        Ok(first.and_then(|entry| match entry.outcome {
            EntryOutcome::Accepted(id) => Some(id),
            EntryOutcome::Refused(_) => None,
        }))
    }

    /// Waits for an intent and for the mirror to show it.
    async fn outcome_of(&self, id: IntentId) -> Result<Completed, Unsuccessful> {
        let waited = self.engine.wait(&[id], self.request_timeout).await;
        let Some(waited) = waited.into_iter().next() else {
            return Err(no_answer().into());
        };
        let tx_digest = waited.tx_digest;
        if let (IntentStatus::Succeeded, Some(tx_digest)) = (waited.status, tx_digest) {
            self.wait_until_mirrored(std::iter::once(tx_digest)).await;
            return Ok(Completed::Executed {
                tx_digest,
                transaction_id: id,
            });
        }
        let unknown = Failure::OutcomeUnknown {
            transaction_id: id,
            tx_digest,
        };
        Err(Unsuccessful {
            failure: waited.failure.unwrap_or(unknown),
            transaction_id: Some(id),
            tx_digest,
            is_pending: !waited.status.is_final(),
        })
    }
}
