//! The command `books`.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anyhow::bail;
use atoma_api_types::{BookLineView, BooksCheckedView, EarningsView, StackHistoryView};
use atoma_client::BooksFilter;
use atoma_domain::{MicroUsdc, Mist, NodeSmallId, StackSmallId};
use clap::{Args, Subcommand, ValueEnum};

use super::connection::{Connection, MOST_ENTRIES};
use super::table::{optional, table};
use crate::amounts::{gas_cost, usdc};
use crate::exit;
use crate::output::print;

/// The parts of `books`.
#[derive(Debug, Subcommand)]
pub(super) enum BooksCommand {
    /// Show totals by node, task, epoch or day.
    #[command(after_help = exit::HELP)]
    Totals(TotalsArgs),
    /// List every amount with its transaction, for accounting.
    #[command(after_help = exit::HELP)]
    Lines(LinesArgs),
    /// Compare the books with the events and the balances. Fails if something differs.
    #[command(after_help = exit::HELP)]
    Check(Connection),
    /// Show what happened to a stack, how far it is, and why it stands still.
    #[command(after_help = exit::HELP)]
    History(HistoryArgs),
}

/// What totals are kept apart by.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum By {
    #[default]
    Node,
    Task,
    Epoch,
    Day,
}

impl By {
    const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Task => "task",
            Self::Epoch => "epoch",
            Self::Day => "day",
        }
    }
}

/// The flags of what has a period.
#[derive(Debug, Args)]
struct Of {
    /// Small id of a node: only this one.
    #[arg(long, value_name = "ID")]
    node: Option<NodeSmallId>,
    /// The first day in UTC, such as 2026-11-01.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The last day in UTC.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Of {
    fn filter(&self) -> BooksFilter {
        BooksFilter {
            node_small_id: self.node,
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }
}

/// The flags of `books totals`.
#[derive(Debug, Args)]
pub(super) struct TotalsArgs {
    /// What the totals are kept apart by.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Print comma-separated values, amounts in micro-USDC and gas in MIST.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    of: Of,
}

/// The flags of `books lines`.
#[derive(Debug, Args)]
pub(super) struct LinesArgs {
    /// Print comma-separated values, amounts in micro-USDC and gas in MIST.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    of: Of,
}

/// The flags of `books history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Small id of the stack.
    #[arg(value_name = "STACK")]
    stack: StackSmallId,
    #[command(flatten)]
    connection: Connection,
}

impl BooksCommand {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        match self {
            Self::Totals(args) => &args.of.connection,
            Self::Lines(args) => &args.of.connection,
            Self::Check(connection) => connection,
            Self::History(args) => &args.connection,
        }
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Totals(TotalsArgs { by, csv, of }) => {
                let client = of.connection.client()?;
                let list = client.earnings(Some(by.name()), of.filter());
                let totals = list.all(MOST_ENTRIES).await?;
                let bars = std::io::stdout().is_terminal();
                match csv {
                    true => print(&EarningsView::csv(&totals)),
                    false => of
                        .connection
                        .show(&totals, |totals| totals_text(by, totals, bars)),
                }
            }
            Self::Lines(LinesArgs { csv, of }) => {
                let client = of.connection.client()?;
                let lines = client.book_lines(of.filter()).all(MOST_ENTRIES).await?;
                match csv {
                    true => print(&BookLineView::csv(&lines)),
                    false => of.connection.show(&lines, |lines| lines_table(lines)),
                }
            }
            Self::Check(connection) => {
                let checked = connection.client()?.check_books().await?;
                connection.show(&checked, checked_text)?;
                if checked.difference_count > 0 {
                    bail!("the books differ from the chain");
                }
                Ok(())
            }
            Self::History(HistoryArgs { stack, connection }) => {
                let history = connection.client()?.stack_history(stack).await?;
                connection.show(&history, history_text)
            }
        }
    }
}

fn group(totals: &EarningsView) -> String {
    let node = totals.node_small_id.map(|node| node.to_string());
    let task = totals.task_small_id.map(|task| task.to_string());
    let epoch = totals.epoch.map(|epoch| epoch.to_string());
    optional(node.or(task).or(epoch).or(totals.day.clone()))
}

/// Totals as a table. With `bars`, and by day or epoch, what was received as bars below it.
fn totals_text(by: By, totals: &[EarningsView], bars: bool) -> String {
    let heading = match by {
        By::Node => "NODE",
        By::Task => "TASK",
        By::Epoch => "EPOCH",
        By::Day => "DAY",
    };
    let row = |totals: &EarningsView| {
        [
            group(totals),
            totals.bought_stacks.to_string(),
            totals.claimed_stacks.to_string(),
            usdc(totals.fee_amount),
            usdc(totals.refund_amount),
            usdc(totals.share_amount),
            usdc(totals.forfeited_amount),
            usdc(totals.received_amount),
            optional(totals.owed_amount.map(usdc)),
            gas_cost(totals.gas_used, totals.gas_returned),
        ]
    };
    let headings = [
        heading,
        "STACKS BOUGHT",
        "STACKS CLAIMED",
        "FEES",
        "REFUNDS",
        "SHARES",
        "FORFEITED",
        "RECEIVED",
        "OWED",
        "GAS",
    ];
    let mut text = table(headings, totals.iter().map(row));
    if bars && matches!(by, By::Day | By::Epoch) && totals.len() > 1 {
        let received = totals.iter().map(|totals| totals.received_amount);
        let largest = usdc(received.clone().max().unwrap_or_default());
        let bars = sparkline(received.map(MicroUsdc::get));
        let each = heading.to_lowercase();
        let _ = writeln!(
            text,
            "\nreceived, a bar for each {each} above, the tallest {largest}: {bars}"
        );
    }
    let unknown = totals.iter().fold(0_u64, |sum, totals| {
        sum.saturating_add(totals.unknown_lines)
    });
    if unknown > 0 {
        let _ = writeln!(text, "\n{unknown} amounts are unknown and in no total");
    }
    text
}

/// One bar for each number, the largest of them full.
fn sparkline(numbers: impl Iterator<Item = u64> + Clone) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = u128::from(numbers.clone().max().unwrap_or_default().max(1));
    numbers
        .map(|number| {
            let place = u128::from(number) * 7 / largest;
            let place = usize::try_from(place).unwrap_or_default();
            BARS.get(place).copied().unwrap_or('█')
        })
        .collect()
}

fn lines_table(lines: &[BookLineView]) -> String {
    let row = |line: &BookLineView| {
        [
            optional(line.timestamp.as_deref()),
            optional(line.epoch),
            line.kind.clone(),
            optional(line.node_small_id),
            optional(line.task_small_id),
            optional(line.stack_small_id),
            optional(line.amount.map(usdc).or(line.gas_cost.map(gas))),
            line.tx_digest.to_string(),
        ]
    };
    table(
        [
            "TIME",
            "EPOCH",
            "KIND",
            "NODE",
            "TASK",
            "STACK",
            "AMOUNT",
            "TRANSACTION",
        ],
        lines.iter().map(row),
    )
}

/// The gas of a line.
fn gas(cost: i64) -> String {
    let mist = Mist::new(cost.unsigned_abs());
    match cost < 0 {
        true => gas_cost(Mist::ZERO, mist),
        false => gas_cost(mist, Mist::ZERO),
    }
}

fn checked_text(checked: &BooksCheckedView) -> String {
    let mut text = String::new();
    if !checked.differences.is_empty() {
        let rows = checked.differences.iter().map(|difference| {
            [
                difference.kind.clone(),
                optional(difference.stack_small_id),
                optional(difference.address),
                optional(difference.computed_amount.as_deref()),
                difference.recorded_amount.clone(),
                difference.tx_digest.to_string(),
            ]
        });
        let headings = [
            "DIFFERENCE",
            "STACK",
            "ADDRESS",
            "COMPUTED",
            "RECORDED",
            "TRANSACTION",
        ];
        text.push_str(&table(headings, rows));
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{} differences; {} transactions could not be compared with balances",
        checked.difference_count, checked.unchecked_transactions
    );
    text
}

fn history_text(history: &StackHistoryView) -> String {
    let rows = history.steps.iter().map(|step| {
        let amounts = step.amounts.iter().map(|line| {
            let amount = line.amount.map_or_else(|| String::from("unknown"), usdc);
            format!("{} {amount}", line.kind)
        });
        [
            step.step.clone(),
            optional(step.timestamp.as_deref()),
            step.epoch.to_string(),
            step.node_small_id.to_string(),
            optional(step.num_compute_units),
            optional(
                step.gas_used
                    .zip(step.gas_returned)
                    .map(|(used, returned)| gas_cost(used, returned)),
            ),
            amounts.collect::<Vec<_>>().join("; "),
            step.tx_digest.to_string(),
        ]
    });
    let headings = [
        "STEP",
        "TIME",
        "EPOCH",
        "NODE",
        "UNITS",
        "GAS",
        "AMOUNTS",
        "TRANSACTION",
    ];
    let mut text = table(headings, rows);
    let _ = writeln!(
        text,
        "\nstack {} is {}",
        history.stack_small_id, history.stage
    );
    if let Some(waits) = &history.waits {
        let _ = write!(text, "it stands still: {}", waits.reason.replace('_', " "));
        let missing: Vec<_> = waits
            .missing_nodes
            .iter()
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            let _ = write!(text, " of nodes {}", missing.join(", "));
        }
        if let Some(epoch) = waits.until_epoch {
            let _ = write!(text, ", until epoch {epoch}");
        }
        if let Some(epoch) = waits.since_epoch {
            let _ = write!(text, ", since epoch {epoch}");
        }
        text.push('\n');
        if let Some(why) = &waits.transaction_waits {
            let _ = writeln!(text, "its transaction waits: {why}");
        }
    }
    if !history.is_own {
        let whose = optional(history.selected_node_id);
        let _ = writeln!(
            text,
            "node {whose} of another operator serves it; these are the steps of your nodes, and of others what they depend on"
        );
    } else if !history.is_complete {
        text.push_str("it was bought before the mirror begins; steps may be missing\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_has_a_full_bar() {
        assert_eq!(sparkline([0, 1, 7, 14].into_iter()), "▁▁▄█");
        assert_eq!(sparkline([u64::MAX, 0].into_iter()), "█▁");
        assert_eq!(sparkline([0, 0].into_iter()), "▁▁");
    }
}
