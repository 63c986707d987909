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

use atoma_domain::journal::{Failure, IntentStatus, NewIntent};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, Mist};
use tracing::error;

use crate::causes::with_causes;
use crate::engine::Submission;
use crate::{Applied, Engine, Ports, Readiness};

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

    /// The ports, for what needs no use case: reading the state, recording work, the journal.
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Readiness.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Has one intent done and waits for it.
    async fn run(&self, intent: NewIntent) -> Result<Done, Failure> {
        if self.dry {
            let estimated_gas = self.engine.rehearse(&intent).await?;
            return Ok(Done::Rehearsed { estimated_gas });
        }
        let submitted = self.engine.submit(vec![intent]).await.map_err(internal)?;
        let id = match submitted.into_iter().next() {
            Some(Submission::Accepted(id)) => id,
            Some(Submission::Refused(failure)) => return Err(failure),
            None => {
                return Err(Failure::Internal {
                    reason: String::from("the engine gave no answer"),
                });
            }
        };
        let waited = self
            .engine
            .wait(&[id], self.request_timeout)
            .await
            .map_err(internal)?;
        let Some(waited) = waited.into_iter().next() else {
            return Err(Failure::OutcomeUnknown {
                transaction_id: id,
                tx_digest: None,
            });
        };
        match (waited.status, waited.tx_digest, waited.failure) {
            (IntentStatus::Succeeded, Some(tx_digest), _) => {
                self.applied.wait_for(tx_digest, READ_YOUR_WRITES).await;
                Ok(Done::Executed { tx_digest })
            }
            (IntentStatus::Failed, _, Some(failure)) => Err(failure),
            (_, tx_digest, _) => Err(Failure::OutcomeUnknown {
                transaction_id: id,
                tx_digest,
            }),
        }
    }
}

/// A database failure as the caller sees it; logged here, where it is handled.
fn internal(cause: StoreError) -> Failure {
    error!(error = with_causes(&cause), "the database failed");
    Failure::Internal {
        reason: cause.to_string(),
    }
}

/// A failed read of the chain as the caller sees it.
fn chain_failure(cause: &atoma_domain::ports::ChainError) -> Failure {
    Failure::SuiNodeError {
        reason: with_causes(cause),
    }
}
