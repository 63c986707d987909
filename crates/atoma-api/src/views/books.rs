//! The books.

use atoma_api_types::{
    AmountView, BookDifferenceView, BookLineView, BooksCheckedView, EarningsView, HistoryStepView,
    StackHistoryView, WaitView,
};
use atoma_domain::books::{BookDifference, Grouping, Standstill, Totals};
use atoma_domain::journal::Failure;
use atoma_domain::{Epoch, MicroUsdc, Mist, NodeSmallId, StackSmallId, TaskSmallId};
use atoma_operator::{BookRow, BooksChecked, Earnings, HistoryStep, StackHistory};
use time::Date;

use super::time::rfc3339;

/// Totals of a group.
///
/// # Errors
/// [`Failure::Internal`] if a sum is larger than any amount that there can be.
pub(crate) fn earnings_view(by: Grouping, earnings: &Earnings) -> Result<EarningsView, Failure> {
    let totals = &earnings.totals;
    let group = |wanted| earnings.group.filter(|_| by == wanted);
    Ok(EarningsView {
        node_small_id: group(Grouping::Node).map(NodeSmallId::new),
        task_small_id: group(Grouping::Task).map(TaskSmallId::new),
        epoch: group(Grouping::Epoch).map(Epoch::new),
        day: group(Grouping::Day).and_then(day),
        bought_stacks: totals.bought_stacks,
        bought_amount: usdc(totals.bought)?,
        claimed_stacks: totals.claimed_stacks,
        fee_amount: usdc(totals.fees)?,
        refund_amount: usdc(totals.refunds)?,
        share_amount: usdc(totals.shares)?,
        forfeited_amount: usdc(totals.forfeited)?,
        withdrawn_amount: usdc(totals.withdrawn)?,
        received_amount: usdc(totals.received())?,
        owed_amount: earnings.owed.map(usdc).transpose()?,
        gas_used: Mist::new(narrow(totals.gas_used)?),
        gas_returned: Mist::new(narrow(totals.gas_returned)?),
        gas_cost: gas_cost(totals)?,
        unknown_lines: totals.unknown,
    })
}

fn narrow(sum: u128) -> Result<u64, Failure> {
    u64::try_from(sum).map_err(|_| too_large())
}

fn too_large() -> Failure {
    Failure::Internal {
        reason: String::from("a total of the books does not fit in 64 bits"),
    }
}

/// What was paid less what came back.
fn gas_cost(totals: &Totals) -> Result<i64, Failure> {
    let cost = i128::try_from(totals.gas_used).ok();
    let cost = cost.zip(i128::try_from(totals.gas_returned).ok());
    let cost = cost.and_then(|(used, returned)| i64::try_from(used.checked_sub(returned)?).ok());
    cost.ok_or_else(too_large)
}

fn usdc(sum: u128) -> Result<MicroUsdc, Failure> {
    narrow(sum).map(MicroUsdc::new)
}

/// A day since 1 January 1970 as its date; `None` beyond the year 9999.
fn day(days: u64) -> Option<String> {
    let epoch = time::OffsetDateTime::UNIX_EPOCH.date();
    let days = i64::try_from(days).ok()?;
    let date: Date = epoch.checked_add(time::Duration::days(days))?;
    let (year, month) = (date.year(), u8::from(date.month()));
    Some(format!("{year:04}-{month:02}-{:02}", date.day()))
}

/// A line.
pub(crate) fn book_line_view(row: &BookRow) -> BookLineView {
    match row {
        BookRow::Amount(line) => BookLineView {
            timestamp: rfc3339(line.timestamp),
            epoch: Some(line.epoch),
            tx_digest: line.digest,
            kind: line.kind.name().to_owned(),
            node_small_id: Some(line.node),
            task_small_id: line.task,
            stack_small_id: line.stack,
            amount: line.amount,
            gas_cost: None,
        },
        BookRow::Gas(gas) => BookLineView {
            timestamp: rfc3339(gas.concluded_at),
            epoch: gas.epoch,
            tx_digest: gas.digest,
            kind: String::from("gas"),
            node_small_id: gas.node,
            task_small_id: gas.task,
            stack_small_id: gas.stack,
            amount: None,
            // No budget is larger than all SUI, which fits.
            gas_cost: i64::try_from(gas.cost()).ok(),
        },
    }
}

fn difference_view(difference: &BookDifference) -> BookDifferenceView {
    BookDifferenceView {
        timestamp: rfc3339(difference.timestamp),
        epoch: difference.epoch,
        tx_digest: difference.digest,
        kind: difference.kind.name().to_owned(),
        stack_small_id: difference.stack,
        address: difference.address,
        computed_amount: difference.computed.map(|amount| amount.to_string()),
        recorded_amount: difference.recorded.to_string(),
    }
}

/// What a check of the books found.
pub(crate) fn books_checked_view(checked: &BooksChecked) -> BooksCheckedView {
    BooksCheckedView {
        difference_count: checked.count,
        unchecked_transactions: checked.unchecked,
        differences: checked.differences.iter().map(difference_view).collect(),
    }
}

/// The history of a stack.
pub(crate) fn stack_history_view(stack: StackSmallId, history: &StackHistory) -> StackHistoryView {
    let bought = history.stack.as_ref();
    let settled = history.settlement.as_ref();
    let node = bought.map(|stack| stack.selected_node_id);
    let node = node.or(settled.map(|ticket| ticket.selected_node_id));
    StackHistoryView {
        stack_small_id: stack,
        task_small_id: bought.map(|stack| stack.task_small_id),
        selected_node_id: node,
        num_compute_units: bought.map(|stack| stack.num_compute_units),
        price_per_one_million_compute_units: bought
            .map(|stack| stack.price_per_one_million_compute_units),
        already_computed_units: bought.map(|stack| stack.already_computed_units),
        stage: history.stage.name().to_owned(),
        waits: history
            .standstill
            .as_ref()
            .map(|why| wait_view(why, history)),
        is_own: history.is_own,
        is_complete: history.is_complete,
        steps: history.steps.iter().map(step_view).collect(),
        differences: history.differences.iter().map(difference_view).collect(),
        gas_used: history.gas_used,
        gas_returned: history.gas_returned,
    }
}

fn wait_view(why: &Standstill, history: &StackHistory) -> WaitView {
    let (missing_nodes, until_epoch) = match why {
        Standstill::MissingAttestations { missing, until } => (missing.clone(), Some(*until)),
        Standstill::Epoch { from } => (Vec::new(), Some(*from)),
        _ => (Vec::new(), None),
    };
    WaitView {
        reason: why.name().to_owned(),
        missing_nodes,
        until_epoch,
        since_epoch: history.since_epoch,
        since: history.since.and_then(rfc3339),
        transaction_waits: history.held.as_ref().map(ToString::to_string),
    }
}

fn step_view(step: &HistoryStep) -> HistoryStepView {
    let amounts = step.lines.iter().map(|line| AmountView {
        kind: line.kind.name().to_owned(),
        node_small_id: line.node,
        amount: line.amount,
    });
    HistoryStepView {
        step: step.kind.name().to_owned(),
        timestamp: rfc3339(step.timestamp),
        epoch: step.epoch,
        tx_digest: step.digest,
        node_small_id: step.node,
        num_compute_units: step.units,
        gas_used: step.gas.map(|(used, _)| used),
        gas_returned: step.gas.map(|(_, returned)| returned),
        amounts: amounts.collect(),
    }
}
