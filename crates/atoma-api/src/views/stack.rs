//! Stacks, nodes and recorded work.

use atoma_domain::model::{OperatorNode, Stack, WorkSummary};
use atoma_domain::{
    Address, ComputeUnits, Hash32, NodeSmallId, ObjectId, PricePerMillion, StackSmallId,
    TaskSmallId,
};
use serde::Serialize;

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
    in_settle_period: bool,
    num_total_messages: u64,
    merkle_root: Option<Hash32>,
    is_claimed: bool,
}

impl From<Stack> for StackView {
    fn from(stack: Stack) -> Self {
        Self {
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

/// The record of a stack after a message was added.
#[derive(Debug, Serialize)]
pub(crate) struct WorkView {
    num_total_messages: u64,
    already_computed_units: ComputeUnits,
    merkle_root: Hash32,
}

impl From<WorkSummary> for WorkView {
    fn from(work: WorkSummary) -> Self {
        Self {
            num_total_messages: work.num_total_messages,
            already_computed_units: work.already_computed_units,
            merkle_root: work.merkle_root,
        }
    }
}
