//! The books: totals, lines, differences, and the history of a stack.

use atoma_domain::{
    Address, ComputeUnits, Digest, Epoch, MicroUsdc, Mist, NodeSmallId, PricePerMillion,
    StackSmallId, TaskSmallId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// Totals of the books for a node, task, epoch or day. Which one it is, is the field that is not `null`; all are `null`
/// for what belongs to none. Amounts are in micro-USDC, gas in MIST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Earnings)]
pub struct EarningsView {
    /// The node.
    pub node_small_id: Option<NodeSmallId>,
    /// The task.
    pub task_small_id: Option<TaskSmallId>,
    /// The epoch.
    pub epoch: Option<Epoch>,
    /// The day in UTC, such as `2026-11-28`.
    pub day: Option<String>,
    /// How many stacks were bought.
    pub bought_stacks: u64,
    /// What buyers paid for them, into the contract's treasury.
    pub bought_amount: MicroUsdc,
    /// How many stacks were claimed.
    pub claimed_stacks: u64,
    /// What the selected nodes were paid for them.
    pub fee_amount: MicroUsdc,
    /// What their buyers got back.
    pub refund_amount: MicroUsdc,
    /// What the nodes were credited as attesters.
    pub share_amount: MicroUsdc,
    /// What they lost because they attested too late, or not at all.
    pub forfeited_amount: MicroUsdc,
    /// What of the shares was paid.
    pub withdrawn_amount: MicroUsdc,
    /// What arrived: fees and withdrawn shares.
    pub received_amount: MicroUsdc,
    /// What the contract owes the node now, whatever `from` and `to`: it is the one amount that is not of the period.
    /// `null` unless the totals are a node's and all that it depends on is known.
    pub owed_amount: Option<MicroUsdc>,
    /// The gas that the daemon's transactions paid.
    pub gas_used: Mist,
    /// What came back by transactions whose storage rebate was larger than their gas, as it is with claims.
    pub gas_returned: Mist,
    /// The gas that it comes to: what was paid less what came back. Negative if more came back.
    pub gas_cost: i64,
    /// How many lines have an unknown amount, which is in no total.
    pub unknown_lines: u64,
}

/// One amount of one node in one transaction, or a part of a transaction's gas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BookLine)]
pub struct BookLineView {
    /// The time of the transaction's checkpoint; of gas, when the daemon learnt the outcome.
    #[schema(value_type = Option<text::Time>)]
    pub timestamp: Option<String>,
    /// Its epoch; `null` for the gas of a transaction that is not in the books, such as one that failed.
    pub epoch: Option<Epoch>,
    /// Its digest.
    #[schema(value_type = text::TransactionDigest)]
    pub tx_digest: Digest,
    /// `bought`, `fee`, `refund`, `share`, `forfeited`, `withdrawn` or `gas`.
    pub kind: String,
    /// The operator's node; `null` for the gas of a registration.
    pub node_small_id: Option<NodeSmallId>,
    /// The task, if it is known.
    pub task_small_id: Option<TaskSmallId>,
    /// The stack; `null` for what is about none, such as a withdrawal.
    pub stack_small_id: Option<StackSmallId>,
    /// The amount in micro-USDC; `null` for gas, and if what it depends on is not known.
    pub amount: Option<MicroUsdc>,
    /// Of gas, the MIST that were paid; negative if they came back. `null` for amounts.
    pub gas_cost: Option<i64>,
}

impl BookLineView {
    /// Lines as comma-separated values, with a line of headings. No cell can have a comma or a quote.
    pub fn csv(lines: &[Self]) -> String {
        const HEADINGS: [&str; 9] = [
            "timestamp",
            "epoch",
            "tx_digest",
            "kind",
            "node_small_id",
            "task_small_id",
            "stack_small_id",
            "amount_micro_usdc",
            "gas_mist",
        ];
        let row = |line: &Self| {
            [
                cell(line.timestamp.as_ref()),
                cell(line.epoch),
                line.tx_digest.to_string(),
                line.kind.clone(),
                cell(line.node_small_id),
                cell(line.task_small_id),
                cell(line.stack_small_id),
                cell(line.amount.map(MicroUsdc::get)),
                cell(line.gas_cost),
            ]
        };
        table(HEADINGS, lines.iter().map(row))
    }
}

impl EarningsView {
    /// Totals as comma-separated values, with a line of headings. No cell can have a comma or a quote.
    pub fn csv(totals: &[Self]) -> String {
        const HEADINGS: [&str; 18] = [
            "node_small_id",
            "task_small_id",
            "epoch",
            "day",
            "bought_stacks",
            "bought_micro_usdc",
            "claimed_stacks",
            "fee_micro_usdc",
            "refund_micro_usdc",
            "share_micro_usdc",
            "forfeited_micro_usdc",
            "withdrawn_micro_usdc",
            "received_micro_usdc",
            "owed_now_micro_usdc",
            "gas_used_mist",
            "gas_returned_mist",
            "gas_cost_mist",
            "unknown_lines",
        ];
        let row = |of: &Self| {
            [
                cell(of.node_small_id),
                cell(of.task_small_id),
                cell(of.epoch),
                cell(of.day.as_ref()),
                of.bought_stacks.to_string(),
                of.bought_amount.get().to_string(),
                of.claimed_stacks.to_string(),
                of.fee_amount.get().to_string(),
                of.refund_amount.get().to_string(),
                of.share_amount.get().to_string(),
                of.forfeited_amount.get().to_string(),
                of.withdrawn_amount.get().to_string(),
                of.received_amount.get().to_string(),
                cell(of.owed_amount.map(MicroUsdc::get)),
                of.gas_used.get().to_string(),
                of.gas_returned.get().to_string(),
                of.gas_cost.to_string(),
                of.unknown_lines.to_string(),
            ]
        };
        table(HEADINGS, totals.iter().map(row))
    }
}

/// A cell; empty for what is unknown.
fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut csv = headings.join(",") + "\r\n";
    for row in rows {
        csv.push_str(&row.join(","));
        csv.push_str("\r\n");
    }
    csv
}

/// Two numbers that should be the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BookDifference)]
pub struct BookDifferenceView {
    /// The time of the transaction's checkpoint.
    #[schema(value_type = Option<text::Time>)]
    pub timestamp: Option<String>,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its digest.
    #[schema(value_type = text::TransactionDigest)]
    pub tx_digest: Digest,
    /// `refund`: an event names another refund than the contract's rules give. `balance`: a balance changed by another
    /// amount. `impossible`: the rules give no amount.
    pub kind: String,
    /// The stack, if it is about one.
    pub stack_small_id: Option<StackSmallId>,
    /// Whose balance, if it is about one.
    #[schema(value_type = Option<text::Address>)]
    pub address: Option<Address>,
    /// The amount by the contract's rules in micro-USDC, with a sign if it is paid by the address; `null` if they give
    /// none.
    pub computed_amount: Option<String>,
    /// The amount in the event or of the balance.
    pub recorded_amount: String,
}

/// Whether the books agree with the events and with the changes of balances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BooksChecked)]
pub struct BooksCheckedView {
    /// How many differences there are.
    pub difference_count: u64,
    /// How many transactions could not be compared with the changes of balances.
    pub unchecked_transactions: u64,
    /// The differences in ledger order, at most 1,000.
    pub differences: Vec<BookDifferenceView>,
}

/// A stack from its purchase to its payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = StackHistory)]
pub struct StackHistoryView {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// Its task; `null` if the mirror doesn't have the stack, only its ticket.
    pub task_small_id: Option<TaskSmallId>,
    /// The node that serves it.
    pub selected_node_id: Option<NodeSmallId>,
    /// The units bought.
    pub num_compute_units: Option<ComputeUnits>,
    /// The price.
    pub price_per_one_million_compute_units: Option<PricePerMillion>,
    /// The units that the selected node has recorded.
    pub already_computed_units: Option<ComputeUnits>,
    /// How far it is: `bought`, `served`, `settled`, `attested`, `claimable`, `claimed` or `paid`.
    pub stage: String,
    /// Why it stands still; `null` once it was claimed.
    pub waits: Option<WaitView>,
    /// Whether the selected node is one of the operator's. Of another's stack the books have only what the operator's nodes
    /// did to it.
    pub is_own: bool,
    /// Whether the purchase was mirrored. If not, another's node serves the stack, or it was bought before the mirror begins
    /// or while it was rebuilt, and steps may be missing.
    pub is_complete: bool,
    /// What happened, in ledger order.
    pub steps: Vec<HistoryStepView>,
    /// What differs in its transactions.
    pub differences: Vec<BookDifferenceView>,
    /// The gas of all the daemon's transactions about it in MIST, also of those that failed.
    pub gas_used: Mist,
    /// What came back in MIST by those whose storage rebate was larger than their gas.
    pub gas_returned: Mist,
}

/// Why a stack stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Wait)]
pub struct WaitView {
    /// `not_served`, `reserved`, `not_settled`, `missing_attestations`, `epoch`, `not_claimed`, `disputed` or
    /// `task_removed`.
    pub reason: String,
    /// The nodes that have not attested.
    pub missing_nodes: Vec<NodeSmallId>,
    /// The epoch from which it can be claimed.
    pub until_epoch: Option<Epoch>,
    /// The epoch since which it stands still.
    pub since_epoch: Option<Epoch>,
    /// The time of its last step.
    #[schema(value_type = Option<text::Time>)]
    pub since: Option<String>,
    /// Why the daemon's own transaction for it waits, such as a treasury that can't pay yet.
    pub transaction_waits: Option<String>,
}

/// A step of a stack's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HistoryStep)]
pub struct HistoryStepView {
    /// `bought`, `settled`, `attested`, `disputed` or `claimed`.
    pub step: String,
    /// The time of the transaction's checkpoint.
    #[schema(value_type = Option<text::Time>)]
    pub timestamp: Option<String>,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its digest.
    #[schema(value_type = text::TransactionDigest)]
    pub tx_digest: Digest,
    /// The node that did it; of a purchase, the selected node.
    pub node_small_id: NodeSmallId,
    /// The units bought or claimed.
    pub num_compute_units: Option<ComputeUnits>,
    /// The stack's part of the transaction's gas in MIST; `null` if the daemon did not send it.
    pub gas_used: Option<Mist>,
    /// The stack's part of what came back instead in MIST; `null` if the daemon did not send it.
    pub gas_returned: Option<Mist>,
    /// The amounts of the operator's nodes.
    pub amounts: Vec<AmountView>,
}

/// An amount of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Amount)]
pub struct AmountView {
    /// As in a line of the books.
    pub kind: String,
    /// The node.
    pub node_small_id: NodeSmallId,
    /// In micro-USDC; `null` if what it depends on was not mirrored.
    pub amount: Option<MicroUsdc>,
}
