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
    Failure, IntentStatus, NewIntent, PlannedEntry, PlannedRequest, Recalled, RequestEntry,
    RequestKey,
};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, Mist, TransactionId};

use crate::causes::{chain_failure, internal};
use crate::engine::Submission;
use crate::{Applied, Brakes, Engine, NotReady, Ports, Readiness};

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
    pub transaction_id: Option<TransactionId>,
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

    /// How far the brakes on spending are from holding.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn brakes(&self) -> Result<Brakes, Failure> {
        self.engine.brakes().await.map_err(internal)
    }

    /// Why nothing is done about an unfinished transaction for now, if so.
    pub fn held(&self, id: TransactionId) -> Option<Failure> {
        self.engine.held(id)
    }

    /// Has one intent done and waits for it. `intent` checks and makes it; it isn't asked when the
    /// request was made before.
    async fn run(
        &self,
        intent: impl Future<Output = Result<NewIntent, Failure>>,
    ) -> Result<Done, Unsuccessful> {
        if self.dry {
            let intent = intent.await?;
            let estimated_gas = self.engine.rehearse(&intent).await?;
            return Ok(Done::Rehearsed { estimated_gas });
        }
        let submission = match self.first_recalled().await? {
            Some(submission) => submission,
            None => {
                let entries = vec![PlannedEntry {
                    stack_small_id: None,
                    node_small_id: None,
                    warnings: Vec::new(),
                    refused: None,
                }];
                let intents = vec![intent.await?];
                match self.submit(intents, entries).await? {
                    Some(submissions) => submissions.into_iter().next(),
                    None => self.first_recalled().await?,
                }
                .ok_or_else(no_answer)?
            }
        };
        let id = match submission {
            Submission::Accepted(id) => id,
            Submission::Refused(failure) => return Err(failure.into()),
        };
        let waited = self
            .engine
            .wait(&[id], self.request_timeout)
            .await
            .map_err(internal)?;
        let Some(waited) = waited.into_iter().next() else {
            return Err(no_answer().into());
        };
        let tx_digest = waited.tx_digest;
        if let (IntentStatus::Succeeded, Some(tx_digest)) = (waited.status, tx_digest) {
            self.applied.wait_for(tx_digest, READ_YOUR_WRITES).await;
            return Ok(Done::Executed { tx_digest });
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

    /// The only part of this very request, if it was made before under its key.
    async fn first_recalled(&self) -> Result<Option<Submission>, Failure> {
        let entries = self.recalled().await?;
        let first = entries.and_then(|entries| entries.into_iter().next());
        Ok(first.map(|entry| entry.outcome.into()))
    }

    /// Hands intents to the engine; `None` when the same request came first, a moment ago.
    async fn submit(
        &self,
        intents: Vec<NewIntent>,
        entries: Vec<PlannedEntry>,
    ) -> Result<Option<Vec<Submission>>, Failure> {
        let request = self.planned(entries);
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

    /// The request to be remembered, if it has a key.
    fn planned(&self, entries: Vec<PlannedEntry>) -> Option<PlannedRequest> {
        self.request
            .clone()
            .map(|key| PlannedRequest { key, entries })
    }
}

fn no_answer() -> Failure {
    Failure::Internal {
        reason: String::from("the engine gave no answer"),
    }
}
