//! The commands that show what the daemon knows.

use atoma_domain::model::Holder;
use atoma_domain::{NodeSmallId, StackSmallId};
use clap::{Args, Subcommand};

use super::connection::{Connection, MOST_ENTRIES};
use super::lists::{
    disputes_table, due_table, keys_table, nodes_table, reservations_table, settled_table,
    stacks_table, subscriptions_table, tasks_table,
};
use super::status::status;
use crate::exit;

/// The commands that show what the daemon knows.
#[derive(Debug, Subcommand)]
pub(super) enum ReadCommand {
    /// Say whether the daemon is ready, its warnings, limits and nodes.
    #[command(after_help = exit::HELP)]
    Status(Connection),
    /// List the operator's nodes.
    #[command(after_help = exit::HELP)]
    Nodes(Connection),
    /// List all tasks.
    #[command(after_help = exit::HELP)]
    Tasks(Connection),
    /// List subscriptions of the operator's nodes.
    #[command(after_help = exit::HELP)]
    Subscriptions(OfNode),
    /// List the public keys that the operator's nodes have committed to.
    #[command(after_help = exit::HELP)]
    Keys(OfNode),
    /// List stacks of the operator's nodes.
    #[command(after_help = exit::HELP)]
    Stacks(StacksArgs),
    /// List the attestations that the operator's nodes must still make, most urgent first.
    #[command(after_help = exit::HELP)]
    Due(OfNode),
    /// List disputes against the operator's nodes, or those that they raised.
    #[command(after_help = exit::HELP)]
    Disputes(DisputesArgs),
    /// List open reservations.
    #[command(after_help = exit::HELP)]
    Reservations(ReservationsArgs),
}

/// The flags of lists of all nodes or of one.
#[derive(Debug, Args)]
pub(super) struct OfNode {
    /// Small id of a node: only this one.
    #[arg(long, value_name = "ID")]
    node: Option<NodeSmallId>,
    #[command(flatten)]
    connection: Connection,
}

/// The flags of `stacks`.
#[derive(Debug, Args)]
pub(super) struct StacksArgs {
    #[command(flatten)]
    of: OfNode,
    /// Only stacks that are filled beyond this fraction, from 0 to 1.
    #[arg(long, value_name = "FRACTION", conflicts_with = "settled", value_parser = fraction)]
    filled: Option<String>,
    /// Stacks that entered settlement, with their attestations.
    #[arg(long)]
    settled: bool,
}

/// A fraction, as the API takes it.
fn fraction(text: &str) -> Result<String, &'static str> {
    match text.parse() {
        Ok(0.0..=1.0) if !text.starts_with('+') => Ok(text.to_owned()),
        _ => Err("it must be from 0 to 1, such as 0.95"),
    }
}

/// The flags of `disputes`.
#[derive(Debug, Args)]
pub(super) struct DisputesArgs {
    #[command(flatten)]
    of: OfNode,
    /// Disputes that the operator's nodes raised, instead of those against them.
    #[arg(long)]
    raised: bool,
}

/// The flags of `reservations`.
#[derive(Debug, Args)]
pub(super) struct ReservationsArgs {
    /// Only those of this holder.
    #[arg(long, value_name = "HOLDER")]
    holder: Option<Holder>,
    /// Only those on this stack.
    #[arg(long, value_name = "STACK")]
    stack: Option<StackSmallId>,
    #[command(flatten)]
    connection: Connection,
}

impl ReadCommand {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        match self {
            Self::Status(connection) | Self::Nodes(connection) | Self::Tasks(connection) => {
                connection
            }
            Self::Subscriptions(of) | Self::Keys(of) | Self::Due(of) => &of.connection,
            Self::Stacks(args) => &args.of.connection,
            Self::Disputes(args) => &args.of.connection,
            Self::Reservations(args) => &args.connection,
        }
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Status(connection) => status(&connection).await,
            Self::Nodes(connection) => {
                let nodes = connection.client()?.nodes().all(MOST_ENTRIES).await?;
                connection.show(&nodes, |nodes| nodes_table(nodes))
            }
            Self::Tasks(connection) => {
                let tasks = connection.client()?.tasks().all(MOST_ENTRIES).await?;
                connection.show(&tasks, |tasks| tasks_table(tasks))
            }
            Self::Subscriptions(OfNode { node, connection }) => {
                let client = connection.client()?;
                let all = client.subscriptions(node).all(MOST_ENTRIES).await?;
                connection.show(&all, |all| subscriptions_table(all))
            }
            Self::Keys(OfNode { node, connection }) => {
                let client = connection.client()?;
                let keys = client.node_keys(node).all(MOST_ENTRIES).await?;
                connection.show(&keys, |keys| keys_table(keys))
            }
            Self::Stacks(args) => args.run().await,
            Self::Due(OfNode { node, connection }) => {
                let client = connection.client()?;
                let due = client.attestations_due(node).all(MOST_ENTRIES).await?;
                connection.show(&due, |due| due_table(due))
            }
            Self::Disputes(args) => args.run().await,
            Self::Reservations(args) => {
                let client = args.connection.client()?;
                let list =
                    client.reservations(args.holder.as_ref().map(Holder::as_str), args.stack);
                let all = list.all(MOST_ENTRIES).await?;
                args.connection.show(&all, |all| reservations_table(all))
            }
        }
    }
}

impl StacksArgs {
    async fn run(self) -> anyhow::Result<()> {
        let OfNode { node, connection } = self.of;
        let client = connection.client()?;
        if self.settled {
            let stacks = client.claimed_stacks(node).all(MOST_ENTRIES).await?;
            return connection.show(&stacks, |stacks| settled_table(stacks));
        }
        let list = match &self.filled {
            Some(fraction) => client.almost_filled_stacks(node, fraction),
            None => client.stacks(node),
        };
        let stacks = list.all(MOST_ENTRIES).await?;
        connection.show(&stacks, |stacks| stacks_table(stacks))
    }
}

impl DisputesArgs {
    async fn run(self) -> anyhow::Result<()> {
        let OfNode { node, connection } = self.of;
        let client = connection.client()?;
        let list = if self.raised {
            client.own_disputes(node)
        } else {
            client.disputes_against(node)
        };
        let disputes = list.all(MOST_ENTRIES).await?;
        connection.show(&disputes, |disputes| disputes_table(disputes))
    }
}
