//! Stacks that entered settlement, and disputes.

use atoma_api_types::{
    ClaimedStackView, DisputeView, DueAttestationView, DueNodeView, ResolutionStatus,
};
use atoma_domain::Epoch;
use atoma_domain::model::{AttestationStatus, Dispute, DueAttestation, Settlement};

use super::time::rfc3339;

/// The view in epoch `now`.
pub(crate) fn claimed_stack_view(settlement: Settlement, now: Epoch) -> ClaimedStackView {
    let status = settlement.attestation_status(now);
    let nodes: Vec<String> = settlement
        .requested_attestation_nodes
        .iter()
        .map(ToString::to_string)
        .collect();
    ClaimedStackView {
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

/// A settlement that nodes of the operator must still attest.
pub(crate) fn due_attestation_view(due: DueAttestation) -> DueAttestationView {
    let nodes = due.nodes.into_iter().map(|due| DueNodeView {
        node_small_id: due.node_small_id,
        record_agrees: due.record_agrees,
    });
    DueAttestationView {
        stack_small_id: due.stack_small_id,
        task_small_id: due.task_small_id,
        claimable_from_epoch: due.claimable_from_epoch,
        nodes: nodes.collect(),
    }
}

/// A dispute.
pub(crate) fn dispute_view(dispute: Dispute) -> DisputeView {
    DisputeView {
        dispute_id: dispute.stack_small_id,
        stack_small_id: dispute.stack_small_id,
        plaintiff_node_id: dispute.plaintiff_node_id,
        defendant_node_id: dispute.defendant_node_id,
        disputed_attestation_index: dispute.disputed_attestation_index,
        disputed_hash: dispute.disputed_hash,
        original_hash: dispute.original_hash,
        resolution_status: if dispute.resolved_at_epoch.is_some() {
            ResolutionStatus::Resolved
        } else {
            ResolutionStatus::Pending
        },
        created_at_epoch: dispute.created_at_epoch,
        resolved_at_epoch: dispute.resolved_at_epoch,
    }
}
