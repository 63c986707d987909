//! The commands that show what the daemon knows.

use std::fmt::Write as _;

use anyhow::bail;
use atoma_api_types::{
    ClaimedStackView, NodeView, ReservationView, SpendingLimitsView, StackView, SubscriptionView,
    TaskView,
};
use atoma_client::Readiness;
use atoma_domain::{MicroUsdc, NodeSmallId, PricePerMillion, StackSmallId};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::advice::told;
use super::connection::{Connection, MOST_ENTRIES};
use super::table::{optional, plain, table, yes};
use crate::amounts::{sui, usdc};
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
    /// List stacks of the operator's nodes.
    #[command(after_help = exit::HELP)]
    Stacks(StacksArgs),
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
    #[arg(long, value_name = "FRACTION", conflicts_with = "settled")]
    filled: Option<String>,
    /// Stacks that entered settlement, with their attestations.
    #[arg(long)]
    settled: bool,
}

/// The flags of `reservations`.
#[derive(Debug, Args)]
pub(super) struct ReservationsArgs {
    /// Only those of this holder.
    #[arg(long, value_name = "HOLDER")]
    holder: Option<String>,
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
            Self::Subscriptions(of) => &of.connection,
            Self::Stacks(args) => &args.of.connection,
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
            Self::Stacks(args) => args.run().await,
            Self::Reservations(args) => {
                let client = args.connection.client()?;
                let list = client.reservations(args.holder.as_deref(), args.stack);
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

/// What `status --json` prints.
#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    readiness: Readiness,
    /// `null` while the daemon can't tell.
    nodes: Option<Vec<NodeView>>,
}

async fn status(connection: &Connection) -> anyhow::Result<()> {
    let client = connection.client()?;
    let readiness = client.ready().await?;
    let is_ready = matches!(readiness, Readiness::Ready(_));
    let nodes = match client.nodes().all(MOST_ENTRIES).await {
        Ok(nodes) => Some(nodes),
        Err(error) if is_ready => return Err(error.into()),
        Err(_) => None,
    };
    connection.show(&Status { readiness, nodes }, status_text)?;
    if !is_ready {
        bail!("the daemon is not ready");
    }
    Ok(())
}

fn status_text(status: &Status) -> String {
    let mut text = String::new();
    let brakes = match &status.readiness {
        Readiness::Ready(ready) => {
            text.push_str("Ready\n");
            for warning in &ready.warnings {
                let _ = writeln!(text, "Warning: {}", plain(warning));
            }
            &ready.brakes
        }
        Readiness::NotReady(not) => {
            let _ = writeln!(text, "Not ready: {}", told(&not.error));
            &not.brakes
        }
    };
    if let Some(brakes) = brakes {
        text.push_str(&limits_text(brakes));
    }
    if let Some(nodes) = &status.nodes {
        text.push('\n');
        text.push_str(&nodes_table(nodes));
    }
    text
}

fn limits_text(limits: &SpendingLimitsView) -> String {
    let cap = limits
        .daily_gas_cap
        .map_or_else(|| "no cap".to_owned(), sui);
    let breaker = match limits.breaker_failures {
        0 => "never opens".to_owned(),
        most => format!("opens at {most}"),
    };
    let mut text = format!(
        "Gas in 24 hours: {} spent, {} reserved, cap: {cap}\nFailures in a row: {} (circuit breaker {breaker})\n",
        sui(limits.gas_spent),
        sui(limits.gas_reserved),
        limits.failures_in_a_row,
    );
    if let Some(held) = &limits.held {
        let _ = writeln!(text, "Nothing is signed: {}", told(held));
    }
    text
}

fn nodes_table(nodes: &[NodeView]) -> String {
    let row = |node: &NodeView| {
        [
            node.node_small_id.to_string(),
            node.node_badge_id.to_string(),
            node.address.to_string(),
        ]
    };
    table(["NODE", "BADGE", "ADDRESS"], nodes.iter().map(row))
}

fn tasks_table(tasks: &[TaskView]) -> String {
    let row = |task: &TaskView| {
        let security = match task.security_level.get() {
            0 => "none".to_owned(),
            1 => "confidential compute".to_owned(),
            2 => "sampling consensus".to_owned(),
            other => other.to_string(),
        };
        [
            task.task_small_id.to_string(),
            task.role.to_string(),
            optional(task.model_name.as_deref()),
            security,
            yes(task.is_deprecated),
            optional(task.minimum_reputation_score),
        ]
    };
    table(
        [
            "TASK",
            "ROLE",
            "MODEL",
            "VERIFICATION",
            "DEPRECATED",
            "REPUTATION",
        ],
        tasks.iter().map(row),
    )
}

/// The price of a million compute units.
fn price(price: PricePerMillion) -> String {
    usdc(MicroUsdc::new(price.get()))
}

fn subscriptions_table(subscriptions: &[SubscriptionView]) -> String {
    let row = |subscription: &SubscriptionView| {
        [
            subscription.node_small_id.to_string(),
            subscription.task_small_id.to_string(),
            price(subscription.price_per_one_million_compute_units),
            subscription.max_num_compute_units.to_string(),
            yes(subscription.valid),
        ]
    };
    table(
        [
            "NODE",
            "TASK",
            "PRICE PER MILLION UNITS",
            "MOST UNITS",
            "VALID",
        ],
        subscriptions.iter().map(row),
    )
}

fn stacks_table(stacks: &[StackView]) -> String {
    let row = |stack: &StackView| {
        let state = match (stack.is_claimed, stack.in_settle_period) {
            (true, _) => "claimed",
            (false, true) => "in settlement",
            (false, false) => "open",
        };
        [
            stack.stack_small_id.to_string(),
            stack.selected_node_id.to_string(),
            stack.task_small_id.to_string(),
            stack.num_compute_units.to_string(),
            stack.already_computed_units.to_string(),
            stack.reserved_units.to_string(),
            price(stack.price_per_one_million_compute_units),
            state.to_owned(),
        ]
    };
    table(
        [
            "STACK",
            "NODE",
            "TASK",
            "UNITS",
            "COMPUTED",
            "RESERVED",
            "PRICE PER MILLION",
            "STATE",
        ],
        stacks.iter().map(row),
    )
}

fn settled_table(stacks: &[ClaimedStackView]) -> String {
    let row = |stack: &ClaimedStackView| {
        [
            stack.stack_small_id.to_string(),
            stack.selected_node_id.to_string(),
            stack.num_claimed_compute_units.to_string(),
            format!("{:?}", stack.attestation_status),
            format!(
                "{}/{}",
                stack.received_attestations, stack.required_attestations
            ),
            stack.dispute_settled_at_epoch.to_string(),
            yes(stack.is_in_dispute),
            yes(stack.is_claimed),
            usdc(stack.user_refund_amount),
        ]
    };
    table(
        [
            "STACK",
            "NODE",
            "UNITS",
            "STATUS",
            "ATTESTED",
            "LAST EPOCH",
            "DISPUTED",
            "CLAIMED",
            "REFUND",
        ],
        stacks.iter().map(row),
    )
}

fn reservations_table(reservations: &[ReservationView]) -> String {
    let row = |reservation: &ReservationView| {
        let terms = &reservation.terms;
        [
            reservation.reservation_id.to_string(),
            terms.stack_small_id.to_string(),
            terms.node_small_id.to_string(),
            terms.num_compute_units.to_string(),
            optional(terms.holder.as_deref()),
            optional(terms.expires_at.as_deref()),
        ]
    };
    table(
        ["RESERVATION", "STACK", "NODE", "UNITS", "HOLDER", "EXPIRES"],
        reservations.iter().map(row),
    )
}
