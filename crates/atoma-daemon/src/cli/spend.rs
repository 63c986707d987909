//! Requests that spend gas: simulated, shown, confirmed, sent.

use anyhow::{Context as _, bail};
use atoma_api_types::TransactionOptions;
use atoma_client::{Client, ClientError, Write};
use atoma_domain::{Mist, NodeSmallId};
use clap::Args;
use serde::Serialize;

use super::advice::told;
use super::connection::Connection;
use super::progress::waiting;
use crate::amounts::sui;
use crate::exit::{self, OutcomeError};
use crate::output::tell;
use crate::question;

/// What all requests for transactions have.
#[derive(Debug, Args)]
pub(super) struct Spending {
    #[command(flatten)]
    connection: Connection,
    /// Don't ask before the request is sent.
    #[arg(long, short)]
    yes: bool,
    /// Simulate only: send nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Key that makes the command safe to repeat. By default each run has a new one.
    #[arg(long, value_name = "KEY", value_parser = keyed)]
    idempotency_key: Option<Write>,
    /// Gas budget of a transaction, in MIST. By default it is estimated.
    #[arg(long, value_name = "MIST")]
    gas_budget: Option<u64>,
}

/// Which node acts.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Acting {
    /// Small id of the node that acts.
    #[arg(long, value_name = "ID")]
    node: Option<NodeSmallId>,
}

/// The answer to a request for transactions.
pub(super) trait Outcome: Serialize {
    /// The estimated gas of a dry run: the sum of what is known.
    fn estimated_gas(&self) -> Option<Mist>;

    /// The answer for people.
    fn text(&self) -> String;

    /// Whether all was done.
    fn verdict(&self) -> Result<(), OutcomeError> {
        Ok(())
    }

    /// Whether the request would do nothing at all.
    fn is_futile(&self) -> bool {
        false
    }
}

impl Spending {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The options of the request's body.
    pub(super) fn options(&self, acting: Acting) -> TransactionOptions {
        TransactionOptions {
            gas_budget: self.gas_budget.map(Mist::new),
            node_small_id: acting.node,
            ..TransactionOptions::default()
        }
    }

    /// Simulates the request, asks, and sends it. `what` completes the question, such as "Settle 3 stacks".
    ///
    /// # Errors
    /// When nobody can be asked, the daemon refuses, or not everything succeeded.
    pub(super) async fn run<V: Outcome>(
        &self,
        what: &str,
        call: impl AsyncFn(&Client, &Write) -> Result<V, ClientError>,
    ) -> anyhow::Result<()> {
        let asks = !self.yes && !self.dry_run;
        exit::require_terminal(!asks)?;
        let client = self.connection.client()?;
        let plan = waiting("Simulating", call(&client, &Write::dry_run())).await;
        if self.dry_run {
            return self.tell(&plan?);
        }
        match (plan, &self.idempotency_key) {
            (Ok(plan), key) => {
                if plan.is_futile() && key.is_none() {
                    return self.tell(&plan);
                }
                if !self.connection.json || asks {
                    tell(&with_gas(&plan));
                }
            }
            (Err(ClientError::Api { status, body }), Some(_)) if !is_of_the_caller(status) => {
                tell(&format!(
                    "The simulation was refused: {}\nWhat was done under the key before can't be simulated again.",
                    told(&body)
                ));
            }
            (Err(error), _) => return Err(error.into()),
        }
        if asks && !ask(what)? {
            bail!("nothing was sent");
        }
        let write = match &self.idempotency_key {
            Some(write) => write.clone(),
            None => Write::with_new_key()?,
        };
        let key = write.key().unwrap_or_default().to_owned();
        if self.idempotency_key.is_none() {
            // Whatever ends the command, the operator can repeat it.
            tell(&format!("Idempotency key: {key}"));
        }
        match waiting(what, call(&client, &write)).await {
            Ok(done) => self.tell(&done),
            Err(error) if error.leaves_outcome_unknown() => {
                Err(error).context(OutcomeError::Pending(format!(
                    "the outcome is unknown; repeat the command with `--idempotency-key {key}`: nothing is done \
                     twice"
                )))
            }
            Err(error) if is_pending(&error) => {
                let sentence = "the request is not done yet".to_owned();
                Err(error).context(OutcomeError::Pending(sentence))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn tell<V: Outcome>(&self, outcome: &V) -> anyhow::Result<()> {
        self.connection.show(outcome, with_gas)?;
        Ok(outcome.verdict()?)
    }
}

/// Reads an idempotency key.
fn keyed(key: &str) -> Result<Write, ClientError> {
    Write::with_key(key)
}

/// Whether the daemon refuses the caller, whatever the request.
const fn is_of_the_caller(status: u16) -> bool {
    matches!(status, 401 | 403 | 429)
}

/// Whether the daemon goes on with the work.
fn is_pending(error: &ClientError) -> bool {
    matches!(error, ClientError::Api { body, .. } if body.code == "outcome_unknown")
}

/// The answer for people, with the estimated gas of a dry run.
fn with_gas(outcome: &impl Outcome) -> String {
    let gas = outcome.estimated_gas().map_or(String::new(), |gas| {
        format!("Estimated gas: {}\n", sui(gas))
    });
    outcome.text() + &gas
}

/// Asks whether to do it. `what` completes the question.
///
/// # Errors
/// When nobody can be asked.
pub(super) fn ask(what: &str) -> anyhow::Result<bool> {
    question::ask(what, false)
}
