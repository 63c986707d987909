//! What all requests share: recalling an earlier one with the same key, refusing, submitting.

use atoma_domain::journal::{
    Failure, NewIntent, PlannedEntry, PlannedRequest, Recalled, RequestEntry,
};
use atoma_domain::ports::StoreError;

use super::operator::Operator;
use crate::causes::internal;
use crate::engine::Submission;

impl Operator {
    /// Refuses new work until the daemon accepts writes, if that is required.
    pub(super) async fn check_start(&self) -> Result<(), Failure> {
        if self.requires_start {
            self.readiness.require_for_writes().await?;
        }
        Ok(())
    }

    /// Admits an intent that passed the mirror's check, or that is under way already. Only the journal
    /// knows what is under way, however much of it the mirror has seen: the engine joins the intent to
    /// it, or refuses it for different parameters.
    pub(super) fn admit(
        &self,
        intent: NewIntent,
        checked: Result<(), Failure>,
    ) -> Result<NewIntent, Failure> {
        match checked {
            Err(failure) if !self.engine.is_under_way(&intent) => Err(failure),
            _ => Ok(intent),
        }
    }

    /// Submits intents to the engine. `known` are the entries of an earlier request with the same key,
    /// and `entries` are those to remember. Returns `None` when the journal knows other entries by
    /// now, because the same request was submitted a moment ago.
    pub(super) async fn submit(
        &self,
        intents: Vec<NewIntent>,
        known: Option<Vec<RequestEntry>>,
        entries: Vec<PlannedEntry>,
    ) -> Result<Option<Vec<Submission>>, Failure> {
        let key = self.key.clone();
        let request = key.map(|key| PlannedRequest {
            key,
            known,
            entries,
        });
        match self.engine.submit_request(intents, request).await {
            Ok(submissions) => Ok(Some(submissions)),
            Err(StoreError::KnownRequest) => Ok(None),
            Err(error) => Err(internal(error)),
        }
    }

    /// The entries of an earlier request with the same key and body; `None` if there is none.
    ///
    /// # Errors
    /// [`Failure::IdempotencyKeyReused`] when the key was used with another body.
    pub(super) async fn recall_entries(&self) -> Result<Option<Vec<RequestEntry>>, Failure> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        let now = self.ports.clock.now();
        let recalled = self.ports.journal.recall(key, now).await;
        match recalled.map_err(internal)? {
            Recalled::Unknown => Ok(None),
            Recalled::OtherBody => Err(Failure::IdempotencyKeyReused {}),
            Recalled::Entries(entries) => Ok(Some(entries)),
        }
    }
}

/// The failure of a request that the engine did not answer.
pub(super) fn no_answer() -> Failure {
    Failure::Internal {
        reason: String::from("the engine did not answer"),
    }
}
