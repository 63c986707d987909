//! The daemon's lists in columns.

use atoma_api_types::{
    ClaimedStackView, DisputeView, DueAttestationView, NodeKeyView, NodeView, ReservationView,
    ResolutionStatus, StackView, SubscriptionView, TaskView,
};
use atoma_domain::{MicroUsdc, PricePerMillion};

use super::table::{optional, table, yes};
use crate::amounts::usdc;

/// The nodes in columns.
pub(super) fn nodes_table(nodes: &[NodeView]) -> String {
    let row = |node: &NodeView| {
        [
            node.node_small_id.to_string(),
            node.node_badge_id.to_string(),
            node.address.to_string(),
        ]
    };
    table(["NODE", "BADGE", "ADDRESS"], nodes.iter().map(row))
}

/// The tasks in columns.
pub(super) fn tasks_table(tasks: &[TaskView]) -> String {
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

/// The subscriptions in columns.
pub(super) fn subscriptions_table(subscriptions: &[SubscriptionView]) -> String {
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

/// The public keys in columns.
pub(super) fn keys_table(keys: &[NodeKeyView]) -> String {
    let row = |key: &NodeKeyView| {
        let devices: Vec<_> = key.device_types.iter().map(u16::to_string).collect();
        [
            key.node_small_id.to_string(),
            key.key_rotation_counter.to_string(),
            key.updated_at_epoch.to_string(),
            devices.join(" "),
            key.public_key_commitment.to_string(),
        ]
    };
    table(
        [
            "NODE",
            "ROTATION",
            "SINCE EPOCH",
            "DEVICE TYPES",
            "KEY COMMITMENT",
        ],
        keys.iter().map(row),
    )
}

/// The stacks in columns.
pub(super) fn stacks_table(stacks: &[StackView]) -> String {
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

/// The stacks in settlement in columns.
pub(super) fn settled_table(stacks: &[ClaimedStackView]) -> String {
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
            "CLAIMABLE FROM",
            "DISPUTED",
            "CLAIMED",
            "REFUND",
        ],
        stacks.iter().map(row),
    )
}

/// The reservations in columns.
pub(super) fn reservations_table(reservations: &[ReservationView]) -> String {
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

/// The attestations that are due in columns, one row per node.
pub(super) fn due_table(due: &[DueAttestationView]) -> String {
    let rows = due.iter().flat_map(|due| {
        due.nodes.iter().map(|node| {
            let record = match node.record_agrees {
                Some(true) => "agrees",
                Some(false) => "differs: attesting would raise a dispute",
                None => "missing",
            };
            [
                due.stack_small_id.to_string(),
                optional(due.task_small_id),
                node.node_small_id.to_string(),
                due.claimable_from_epoch.to_string(),
                record.to_owned(),
            ]
        })
    });
    table(
        ["STACK", "TASK", "NODE", "ATTEST BEFORE EPOCH", "RECORD"],
        rows,
    )
}

/// The disputes in columns.
pub(super) fn disputes_table(disputes: &[DisputeView]) -> String {
    let row = |dispute: &DisputeView| {
        let state = match dispute.resolution_status {
            ResolutionStatus::Pending => "open",
            ResolutionStatus::Resolved => "resolved",
        };
        [
            dispute.stack_small_id.to_string(),
            dispute.defendant_node_id.to_string(),
            dispute.plaintiff_node_id.to_string(),
            state.to_owned(),
            dispute.created_at_epoch.to_string(),
            dispute.original_hash.to_string(),
            dispute.disputed_hash.to_string(),
        ]
    };
    table(
        [
            "STACK",
            "SETTLED BY",
            "RAISED BY",
            "STATE",
            "EPOCH",
            "SETTLED COMMITMENT",
            "DISPUTED COMMITMENT",
        ],
        disputes.iter().map(row),
    )
}
