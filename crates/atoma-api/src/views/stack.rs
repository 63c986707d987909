//! Stacks, nodes and recorded work.

use atoma_api_types::{DryRun, NodeView, StackView, WorkView};
use atoma_domain::TimestampMs;
use atoma_domain::model::{OperatorNode, RecordedMessage, Stack};

/// The stack with its reservations at this time.
pub(crate) fn stack_view(stack: Stack, now: TimestampMs) -> StackView {
    StackView {
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

/// One of the operator's nodes.
pub(crate) const fn node_view(node: &OperatorNode) -> NodeView {
    NodeView {
        node_small_id: node.node_small_id,
        node_badge_id: node.node_badge_id,
        address: node.address,
    }
}

/// The message, as recorded or as a dry run would.
pub(crate) fn work_view(recorded: RecordedMessage, is_dry_run: bool) -> WorkView {
    WorkView {
        num_total_messages: recorded.num_total_messages,
        already_computed_units: recorded.already_computed_units,
        merkle_root: recorded.merkle_root,
        num_uncovered_units: recorded.num_uncovered_units,
        already_recorded: recorded.is_repetition,
        warnings: recorded.warnings.iter().map(ToString::to_string).collect(),
        dry_run: DryRun::mark(is_dry_run),
    }
}
