//! The books.

use atoma_api_types::{
    AmountView, BookDifferenceView, BookLineView, BooksCheckedView, EarningsView, HistoryStepView,
    StackHistoryView, WaitView,
};
use atoma_domain::books::{BookDifference, BookLine, Grouping, Standstill};
use atoma_domain::journal::Failure;
use atoma_domain::{Epoch, MicroUsdc, Mist, NodeSmallId, StackSmallId, TaskSmallId};
use atoma_operator::{BooksChecked, Earnings, HistoryStep, StackHistory};
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
        gas_used: Mist::new(narrow(totals.gas)?),
        unknown_lines: totals.unknown,
    })
}

fn narrow(sum: u128) -> Result<u64, Failure> {
    u64::try_from(sum).map_err(|_| Failure::Internal {
        reason: String::from("a total of the books does not fit in 64 bits"),
    })
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
pub(crate) fn book_line_view(line: &BookLine) -> BookLineView {
    BookLineView {
        timestamp: rfc3339(line.timestamp),
        epoch: line.epoch,
        tx_digest: line.digest,
        kind: line.kind.name().to_owned(),
        node_small_id: line.node,
        task_small_id: line.task,
        stack_small_id: line.stack,
        amount: line.amount,
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
        is_complete: history.is_complete,
        steps: history.steps.iter().map(step_view).collect(),
        differences: history.differences.iter().map(difference_view).collect(),
        gas_used: history.gas,
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
        gas_used: step.gas,
        amounts: amounts.collect(),
    }
}
