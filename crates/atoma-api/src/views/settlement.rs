//! Stacks that entered settlement, and disputes.

use atoma_domain::model::{AttestationStatus, Dispute, Settlement};
use atoma_domain::{ComputeUnits, Epoch, HexBytes, MicroUsdc, NodeSmallId, ObjectId, StackSmallId};
use serde::Serialize;

use super::time::rfc3339;

/// A stack that entered settlement.
#[derive(Debug, Serialize)]
pub(crate) struct ClaimedStackView {
    stack_small_id: StackSmallId,
    stack_id: Option<ObjectId>,
    selected_node_id: NodeSmallId,
    num_claimed_compute_units: ComputeUnits,
    settlement_time: Option<String>,
    attestation_status: AttestationStatus,
    /// A JSON array in a string, as operators' scripts expect it.
    requested_attestation_nodes: String,
    received_attestations: usize,
    required_attestations: usize,
    settlement_complete: bool,
    dispute_settled_at_epoch: Epoch,
    is_in_dispute: bool,
    is_claimed: bool,
    user_refund_amount: MicroUsdc,
    committed_stack_proof: HexBytes,
}

impl ClaimedStackView {
    /// The view in epoch `now`.
    pub(crate) fn new(settlement: Settlement, now: Epoch) -> Self {
        let status = settlement.attestation_status(now);
        let nodes: Vec<String> = settlement
            .requested_attestation_nodes
            .iter()
            .map(ToString::to_string)
            .collect();
        Self {
            stack_small_id: settlement.stack_small_id,
            stack_id: settlement.stack_id,
            selected_node_id: settlement.selected_node_id,
            num_claimed_compute_units: settlement.num_claimed_compute_units,
            settlement_time: rfc3339(settlement.settled_at),
            attestation_status: status,
            requested_attestation_nodes: format!("[{}]", nodes.join(", ")),
            received_attestations: settlement.attested_nodes.len(),
            required_attestations: settlement.requested_attestation_nodes.len(),
            settlement_complete: status == AttestationStatus::Complete,
            dispute_settled_at_epoch: settlement.dispute_settled_at_epoch,
            is_in_dispute: settlement.is_in_dispute,
            is_claimed: settlement.is_claimed,
            user_refund_amount: settlement.user_refund_amount,
            committed_stack_proof: settlement.committed_stack_proof,
        }
    }
}

/// A dispute. A ticket has at most one, so the stack's small id is its id.
#[derive(Debug, Serialize)]
pub(crate) struct DisputeView {
    dispute_id: StackSmallId,
    stack_small_id: StackSmallId,
    plaintiff_node_id: NodeSmallId,
    defendant_node_id: NodeSmallId,
    disputed_attestation_index: Option<u64>,
    disputed_hash: HexBytes,
    original_hash: HexBytes,
    resolution_status: &'static str,
    created_at_epoch: Epoch,
    resolved_at_epoch: Option<Epoch>,
}

impl From<Dispute> for DisputeView {
    fn from(dispute: Dispute) -> Self {
        Self {
            dispute_id: dispute.stack_small_id,
            stack_small_id: dispute.stack_small_id,
            plaintiff_node_id: dispute.plaintiff_node_id,
            defendant_node_id: dispute.defendant_node_id,
            disputed_attestation_index: dispute.disputed_attestation_index,
            disputed_hash: dispute.disputed_hash,
            original_hash: dispute.original_hash,
            resolution_status: if dispute.resolved_at_epoch.is_some() {
                "Resolved"
            } else {
                "Pending"
            },
            created_at_epoch: dispute.created_at_epoch,
            resolved_at_epoch: dispute.resolved_at_epoch,
        }
    }
}
