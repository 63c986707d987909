//! The commands about the journal of transactions.

use std::time::Duration;

use anyhow::{Context as _, bail};
use atoma_api_types::{TransactionDetailView, TransactionView};
use atoma_client::{ClientError, TransactionFilter};
use atoma_domain::journal::{Action, IntentStatus};
use atoma_domain::{Digest, IntentId, NodeSmallId, StackSmallId};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::advice::{message, told};
use super::connection::Connection;
use super::progress::spinner;
use super::spend::ask;
use super::table::{optional, plain, table};
use crate::amounts::{gas_cost, sui};
use crate::exit::{self, OutcomeError};
use crate::output::tell;

/// The commands about the journal of transactions.
#[derive(Debug, Subcommand)]
pub(super) enum TransactionsCommand {
    /// List transactions, the newest first.
    #[command(after_help = exit::HELP)]
    List(ListArgs),
    /// Show a transaction with its attempts.
    #[command(after_help = exit::HELP)]
    Show(OneArgs),
    /// Give up a transaction that provably can't execute any more, whether it was sent or not.
    #[command(after_help = exit::HELP)]
    Abandon(AbandonArgs),
    /// Follow a transaction until it has succeeded or failed.
    #[command(after_help = exit::HELP)]
    Watch(WatchArgs),
}

/// The flags of `transactions list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that do this.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Action::KINDS))]
    kind: Option<String>,
    /// Only those that are in this state.
    #[arg(long, value_name = "STATUS", value_parser = PossibleValuesParser::new(IntentStatus::NAMES))]
    status: Option<String>,
    /// Only those of this node.
    #[arg(long, value_name = "ID")]
    node: Option<NodeSmallId>,
    /// Only those about this stack.
    #[arg(long, value_name = "STACK")]
    stack: Option<StackSmallId>,
    /// How many to list, beginning with the newest.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `transactions show`.
#[derive(Debug, Args)]
pub(super) struct OneArgs {
    /// Number of the transaction, or the digest of one of its attempts.
    #[arg(value_name = "ID", value_parser = number_or_digest)]
    id: String,
    #[command(flatten)]
    connection: Connection,
}

/// A transaction, as the API takes it.
fn number_or_digest(text: &str) -> Result<String, &'static str> {
    // The parser takes a text that is too short for a digest with zeros at its end.
    let is_digest = |digest: Digest| digest.to_string() == text;
    if text.parse::<IntentId>().is_ok() || text.parse().is_ok_and(is_digest) {
        return Ok(text.to_owned());
    }
    Err("it is neither a number nor a digest")
}

/// The flags of `transactions abandon`.
#[derive(Debug, Args)]
pub(super) struct AbandonArgs {
    /// Number of the transaction.
    #[arg(value_name = "ID")]
    id: IntentId,
    /// Don't ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `transactions watch`.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
}

impl TransactionsCommand {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        match self {
            Self::List(args) => &args.connection,
            Self::Show(args) => &args.connection,
            Self::Abandon(args) => &args.connection,
            Self::Watch(args) => &args.one.connection,
        }
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.run().await,
            Self::Show(OneArgs { id, connection }) => {
                let found = connection.client()?.transaction(&id).await?;
                connection.show(&found, detail_text)
            }
            Self::Abandon(args) => args.run().await,
            Self::Watch(args) => args.run().await,
        }
    }
}

impl ListArgs {
    async fn run(self) -> anyhow::Result<()> {
        let filter = TransactionFilter {
            kind: self.kind,
            status: self.status,
            node_small_id: self.node,
            stack_small_id: self.stack,
            tx_digest: None,
        };
        let client = self.connection.client()?;
        let count = usize::try_from(self.limit)?;
        let (newest, has_more) = client.transactions(filter).first(count).await?;
        self.connection
            .show(&newest, |newest| transactions_table(newest))?;
        if has_more {
            tell("There are more: narrow the list down, or raise `--limit`.");
        }
        Ok(())
    }
}

impl AbandonArgs {
    async fn run(self) -> anyhow::Result<()> {
        exit::require_terminal(self.yes)?;
        let client = self.connection.client()?;
        if !self.yes && !ask(&format!("Abandon transaction {}", self.id))? {
            bail!("nothing was abandoned");
        }
        let abandoned = match client.abandon(self.id).await {
            Err(error) if error.leaves_outcome_unknown() => {
                Err(error).context(OutcomeError::Pending(format!(
                    "the outcome is unknown; `transactions show {}` says whether it was abandoned",
                    self.id
                )))
            }
            answered => Ok(answered?),
        }?;
        self.connection.show(&abandoned, |abandoned| {
            transactions_table(std::slice::from_ref(abandoned))
        })
    }
}

/// What a look at a transaction gave.
enum Looked {
    /// It has succeeded or failed.
    Ended(Box<TransactionDetailView>),
    /// It goes on, perhaps because of this.
    GoesOn(Option<String>),
}

/// Judges the answer to a look. What may pass is no reason to stop; but if the daemon was never reached, the URL
/// is probably wrong.
fn looked(
    answered: Result<TransactionDetailView, ClientError>,
    was_reached: bool,
) -> Result<Looked, ClientError> {
    match answered {
        Ok(found) if found.transaction.status.is_final() => Ok(Looked::Ended(Box::new(found))),
        Ok(found) => Ok(Looked::GoesOn(
            found.transaction.waiting_for.as_ref().map(told),
        )),
        Err(error) if error.is_transient() && (was_reached || error.is_of_the_api()) => {
            Ok(Looked::GoesOn(Some(message(&error))))
        }
        Err(error) => Err(error),
    }
}

impl WatchArgs {
    async fn run(self) -> anyhow::Result<()> {
        let OneArgs { id, connection } = self.one;
        let client = connection.client()?;
        let mut looks = tokio::time::interval(Duration::from_secs(self.interval));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let what = format!("Transaction {}", plain(&id));
        let spinner = spinner(format!("{what} …"));
        let (mut was_reached, mut told_reason) = (false, None);
        let found = loop {
            looks.tick().await;
            match looked(client.transaction(&id).await, was_reached)? {
                Looked::Ended(found) => break found,
                Looked::GoesOn(reason) => {
                    was_reached = true;
                    if reason == told_reason {
                        continue;
                    }
                    let line = format!("{what} … {}", reason.as_deref().unwrap_or_default());
                    if spinner.is_hidden() {
                        tell(line.trim_end());
                    }
                    spinner.set_message(line);
                    told_reason = reason;
                }
            }
        };
        spinner.finish_and_clear();
        connection.show(&*found, detail_text)?;
        if found.transaction.status == IntentStatus::Failed {
            let number = found.transaction.transaction_id;
            return Err(OutcomeError::Failed(format!("transaction {number} failed")).into());
        }
        Ok(())
    }
}

fn transactions_table(transactions: &[TransactionView]) -> String {
    let row = |transaction: &TransactionView| {
        let stacks = transaction.stack_small_ids.iter();
        let stacks: Vec<String> = stacks.map(ToString::to_string).collect();
        [
            transaction.transaction_id.to_string(),
            transaction.kind.as_str().to_owned(),
            transaction.status.as_str().to_owned(),
            optional(transaction.node_small_id),
            stacks.join(" "),
            optional(transaction.tx_digest),
            optional(transaction.created_at.as_deref()),
        ]
    };
    let mut text = table(
        [
            "TRANSACTION",
            "KIND",
            "STATUS",
            "NODE",
            "STACK",
            "DIGEST",
            "CREATED",
        ],
        transactions.iter().map(row),
    );
    for transaction in transactions {
        let reasons = transaction.error.iter().chain(&transaction.waiting_for);
        for reason in reasons {
            let id = transaction.transaction_id;
            text.push_str(&format!("Transaction {id}: {}\n", told(reason)));
        }
    }
    text
}

fn detail_text(detail: &TransactionDetailView) -> String {
    let attempts = detail.attempts.iter().map(|attempt| {
        [
            attempt.tx_digest.to_string(),
            attempt.status.as_str().to_owned(),
            sui(attempt.gas_budget),
            optional(
                attempt
                    .gas_used
                    .zip(attempt.gas_returned)
                    .map(|(used, returned)| gas_cost(used, returned)),
            ),
            optional(attempt.checkpoint),
        ]
    });
    let attempts = table(
        ["ATTEMPT", "STATUS", "GAS BUDGET", "GAS COST", "CHECKPOINT"],
        attempts,
    );
    format!(
        "{}Gas cost: {}\n\n{attempts}",
        transactions_table(std::slice::from_ref(&detail.transaction)),
        gas_cost(detail.gas_used, detail.gas_returned)
    )
}
