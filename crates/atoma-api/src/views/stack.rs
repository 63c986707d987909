//! Stacks, nodes and recorded work.

use atoma_domain::model::{OperatorNode, RecordedMessage, Stack};
use atoma_domain::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId, TimestampMs,
};
use serde::Serialize;

use super::dry_run::DryRun;

/// A stack.
#[derive(Debug, Serialize)]
pub(crate) struct StackView {
    stack_small_id: StackSmallId,
    stack_id: ObjectId,
    owner_address: Address,
    task_small_id: TaskSmallId,
    selected_node_id: NodeSmallId,
    num_compute_units: ComputeUnits,
    price_per_one_million_compute_units: PricePerMillion,
    already_computed_units: ComputeUnits,
    reserved_units: ComputeUnits,
    free_units: ComputeUnits,
    in_settle_period: bool,
    num_total_messages: u64,
    merkle_root: Option<Hash32>,
    is_claimed: bool,
}

impl StackView {
    /// The stack with its reservations at this time.
    pub(crate) fn new(stack: Stack, now: TimestampMs) -> Self {
        Self {
            reserved_units: stack.reserved_units(now),
            free_units: stack.free_units(now),
            stack_small_id: stack.stack_small_id,
            stack_id: stack.stack_id,
            owner_address: stack.owner_address,
            task_small_id: stack.task_small_id,
            selected_node_id: stack.selected_node_id,
            num_compute_units: stack.num_compute_units,
            price_per_one_million_compute_units: stack.price_per_one_million_compute_units,
            already_computed_units: stack.already_computed_units,
            in_settle_period: stack.in_settle_period,
            num_total_messages: stack.num_total_messages,
            merkle_root: stack.merkle_root,
            is_claimed: stack.is_claimed,
        }
    }
}

/// One of the operator's nodes.
#[derive(Debug, Serialize)]
pub(crate) struct NodeView {
    node_small_id: NodeSmallId,
    node_badge_id: ObjectId,
    address: Address,
}

impl From<OperatorNode> for NodeView {
    fn from(node: OperatorNode) -> Self {
        Self {
            node_small_id: node.node_small_id,
            node_badge_id: node.node_badge_id,
            address: node.address,
        }
    }
}

/// A recorded message.
#[derive(Debug, Serialize)]
pub(crate) struct WorkView {
    num_total_messages: u64,
    already_computed_units: ComputeUnits,
    merkle_root: Hash32,
    num_uncovered_units: ComputeUnits,
    already_recorded: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl WorkView {
    /// The message, as recorded or as a dry run would.
    pub(crate) fn new(recorded: RecordedMessage, is_dry_run: bool) -> Self {
        Self {
            num_total_messages: recorded.num_total_messages,
            already_computed_units: recorded.already_computed_units,
            merkle_root: recorded.merkle_root,
            num_uncovered_units: recorded.num_uncovered_units,
            already_recorded: recorded.is_repetition,
            warnings: recorded.warnings.iter().map(ToString::to_string).collect(),
            dry_run: is_dry_run.then(DryRun::mark),
        }
    }
}
