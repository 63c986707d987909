//! What an operator can ask for, one method an endpoint.

mod abandon;
mod attest;
mod claim;
mod dispute;
mod nodes;
mod register;
mod settle;
mod stacks;
mod subscriptions;

use std::time::Duration;

use atoma_domain::journal::{
    EntryOutcome, Failure, IntentStatus, NewIntent, PlannedEntry, PlannedRequest, Recalled,
    RequestEntry, RequestKey,
};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, IntentId, Mist};

use crate::causes::{chain_failure, internal};
use crate::engine::Submission;
use crate::{Applied, Engine, LimitStatus, NotReady, Ports, Readiness};

pub use nodes::NodeChoice;
pub use register::Registered;
pub use stacks::{StackResult, StackStatus};

/// How long an answer waits for the daemon's own state to show what was done.
const READ_YOUR_WRITES: Duration = Duration::from_secs(2);

/// The use cases. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Operator {
    ports: Ports,
    engine: Engine,
    applied: Applied,
    readiness: Readiness,
    /// How long an answer waits for outcomes.
    request_timeout: Duration,
    /// Whether requests are only rehearsed.
    dry: bool,
    /// Whether nothing new is begun before writes may be.
    waits_for_start: bool,
    /// The client's key for the request, if it has one.
    request: Option<RequestKey>,
}

/// Something that was done, or rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Executed {
        /// The transaction that did it.
        tx_digest: Digest,
        /// Its number in the journal.
        transaction_id: IntentId,
    },
    /// It would succeed.
    Rehearsed {
        /// The gas that it would need, in MIST, before any margin.
        estimated_gas: Mist,
    },
}

/// Why a request for one transaction was not fulfilled, or not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsuccessful {
    /// Why.
    pub failure: Failure,
    /// Its number in the journal, if it got there.
    pub transaction_id: Option<IntentId>,
    /// The digest of its latest transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
}

impl From<Failure> for Unsuccessful {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            transaction_id: None,
            tx_digest: None,
        }
    }
}

impl Operator {
    /// The use cases over an engine and its ports.
    pub fn new(
        ports: Ports,
        engine: Engine,
        applied: Applied,
        readiness: Readiness,
        request_timeout: Duration,
    ) -> Self {
        Self {
            ports,
            engine,
            applied,
            readiness,
            request_timeout,
            dry: false,
            waits_for_start: false,
            request: None,
        }
    }

    /// The same use cases, rehearsed only: checked and simulated, with nothing written or sent.
    #[must_use]
    pub fn dry(&self) -> Self {
        Self {
            dry: true,
            ..self.clone()
        }
    }

    /// The same use cases, refusing what is new while writes may not be; what is known of a request
    /// is told all the same.
    #[must_use]
    pub fn once_started(&self) -> Self {
        Self {
            waits_for_start: true,
            ..self.clone()
        }
    }

    /// The same use cases for one request under a client's key: repeated, it does nothing twice
    /// and tells how it went.
    #[must_use]
    pub fn once(&self, key: RequestKey) -> Self {
        Self {
            request: Some(key),
            ..self.clone()
        }
    }

    /// The ports, for what needs no use case: reading the state, recording work, the journal.
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Readiness.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Checks everything that keeps the daemon from serving: the mirror, the Sui node, the brakes.
    ///
    /// # Errors
    /// The reasons.
    pub async fn check(&self) -> Result<(), NotReady> {
        let mut reasons = match self.readiness.check().await {
            Ok(()) => Vec::new(),
            Err(NotReady(reasons)) => reasons,
        };
        if let Some(pause) = self.engine.paused()
            && !reasons.contains(&pause.to_string())
        {
            reasons.push(pause.to_string());
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(NotReady(reasons))
        }
    }

    /// What the operator should see to though all works, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.engine.warnings()
    }

    /// How close the limits are to stopping new transactions.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn limits(&self) -> Result<LimitStatus, Failure> {
        self.engine.limits().await.map_err(internal)
    }

    /// Why nothing is done about an unfinished transaction for now, if so.
    pub fn held(&self, id: IntentId) -> Option<Failure> {
        self.engine.held(id)
    }

    /// Has one intent done and waits for it. `intent` checks and makes it; it isn't asked when the
    /// request was made before.
    async fn run(
        &self,
        intent: impl Future<Output = Result<NewIntent, Failure>>,
    ) -> Result<Done, Unsuccessful> {
        if self.dry {
            self.check_start().await?;
            let intents = vec![intent.await?];
            let rehearsed = self.engine.rehearse(intents, self.request_timeout).await;
            let estimated_gas = rehearsed.into_iter().next().ok_or_else(no_answer)??;
            return Ok(Done::Rehearsed { estimated_gas });
        }
        let id = match self.first_recalled().await? {
            Some(id) => id,
            None => match self.begin(intent).await {
                Ok(id) => id,
                // The same request may have come first, a moment ago; then its own doing is what
                // this one is refused for.
                Err(failure) => match self.first_recalled().await {
                    Ok(Some(id)) => id,
                    _ => return Err(failure.into()),
                },
            },
        };
        let waited = self.engine.wait(&[id], self.request_timeout).await;
        let Some(waited) = waited.into_iter().next() else {
            return Err(no_answer().into());
        };
        let tx_digest = waited.tx_digest;
        if let (IntentStatus::Succeeded, Some(tx_digest)) = (waited.status, tx_digest) {
            self.wait_until_applied(std::iter::once(tx_digest)).await;
            return Ok(Done::Executed {
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
        })
    }

    /// Has one intent begun.
    async fn begin(
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
        // Without an answer the same request came first; it is recalled then.
        match submitted.and_then(|submissions| submissions.into_iter().next()) {
            Some(Submission::Accepted(id)) => Ok(id),
            Some(Submission::Refused(failure)) => Err(failure),
            None => Err(no_answer()),
        }
    }

    /// The only part of this very request, if it was made before under its key: of what began
    /// nothing no key is remembered.
    async fn first_recalled(&self) -> Result<Option<IntentId>, Failure> {
        let entries = self.recalled().await?;
        let first = entries.and_then(|entries| entries.into_iter().next());
        Ok(first.and_then(|entry| match entry.outcome {
            EntryOutcome::Accepted(id) => Some(id),
            EntryOutcome::Refused(_) => None,
        }))
    }

    /// Refuses what is new while writes may not be.
    async fn check_start(&self) -> Result<(), Failure> {
        if self.waits_for_start {
            self.readiness.require_for_writes().await?;
        }
        Ok(())
    }

    /// The intent, unless the mirror refuses it. What is under way is asked of the journal alone,
    /// whatever the mirror has seen of it: it is joined, or was asked for otherwise.
    fn unless_refused(
        &self,
        intent: NewIntent,
        checked: Result<(), Failure>,
    ) -> Result<NewIntent, Failure> {
        match checked {
            Err(failure) if !self.engine.is_under_way(&intent) => Err(failure),
            _ => Ok(intent),
        }
    }

    /// Whether the mirror has met a transaction, in this process or in one before.
    async fn has_met(&self, digest: Digest) -> bool {
        // Where that can't be read, it is waited for.
        self.applied.has(digest) || matches!(self.ports.events.has_met(digest).await, Ok(true))
    }

    /// Waits until the mirror shows what was done, all in all no longer than for one, and not for
    /// a mirror that stops.
    async fn wait_until_applied(&self, done: impl Iterator<Item = Digest>) {
        let all = async {
            for digest in done {
                if !self.has_met(digest).await {
                    self.applied.wait_for(digest, READ_YOUR_WRITES).await;
                }
            }
        };
        // Late is no failure: the answer is right, only the mirror lags.
        tokio::select! {
            biased;
            () = all => {}
            () = tokio::time::sleep(READ_YOUR_WRITES) => {}
            () = self.engine.told_to_stop() => {}
        }
    }

    /// Hands intents to the engine; `None` when the same request came first, a moment ago.
    async fn submit(
        &self,
        intents: Vec<NewIntent>,
        known: Option<Vec<RequestEntry>>,
        entries: Vec<PlannedEntry>,
    ) -> Result<Option<Vec<Submission>>, Failure> {
        let key = self.request.clone();
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

    /// The parts of this very request, if it was made before under its key.
    async fn recalled(&self) -> Result<Option<Vec<RequestEntry>>, Failure> {
        let Some(key) = &self.request else {
            return Ok(None);
        };
        let now = self.ports.clock.now();
        match self
            .ports
            .journal
            .recall(key, now)
            .await
            .map_err(internal)?
        {
            Recalled::Unknown => Ok(None),
            Recalled::OtherBody => Err(Failure::IdempotencyKeyReused {}),
            Recalled::Entries(entries) => Ok(Some(entries)),
        }
    }
}

fn no_answer() -> Failure {
    Failure::Internal {
        reason: String::from("the engine gave no answer"),
    }
}
