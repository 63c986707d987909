//! Settlements and disputes.

use serde::{Deserialize, Serialize};

use super::{Task, WorkRecord};
use crate::settlement::is_commitment_over;
use crate::{
    ComputeUnits, Epoch, Hash32, HexBytes, MicroUsdc, NodeSmallId, ObjectId, StackSmallId,
    TaskSmallId, TimestampMs,
};

/// The inputs of a stack's settlement, read at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementInputs {
    /// The stack's task.
    pub task_small_id: TaskSmallId,
    /// That task; `None` if it was created before the mirror begins.
    pub task: Option<Task>,
    /// The record of the selected node, if there is one.
    pub record: Option<WorkRecord>,
    /// The nodes with a valid subscription to the task, in order of subscription.
    pub subscribers: Vec<NodeSmallId>,
}

/// A settlement: the ticket that `try_settle_stack` created, and everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The stack. A stack is settled at most once.
    pub stack_small_id: StackSmallId,
    /// The stack's badge; `None` if the mirror doesn't have the purchase.
    pub stack_id: Option<ObjectId>,
    /// The node that settled it.
    pub selected_node_id: NodeSmallId,
    /// The units that it claims.
    pub num_claimed_compute_units: ComputeUnits,
    /// The time of the settling transaction's checkpoint.
    pub settled_at: TimestampMs,
    /// The last epoch to attest in, and the first to claim in: the epoch after the settlement.
    pub dispute_settled_at_epoch: Epoch,
    /// The nodes drawn to attest, in order. A node can occur twice.
    pub requested_attestation_nodes: Vec<NodeSmallId>,
    /// The nodes that have attested, in order of arrival.
    pub attested_nodes: Vec<NodeSmallId>,
    /// The commitment.
    pub committed_stack_proof: HexBytes,
    /// The settling node's leaf.
    pub stack_merkle_leaf: HexBytes,
    /// Whether its funds are frozen.
    pub is_in_dispute: bool,
    /// Whether it was claimed.
    pub is_claimed: bool,
    /// The refund to the buyer; zero until it is claimed.
    pub user_refund_amount: MicroUsdc,
}

/// The state of a settlement's attestations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttestationStatus {
    /// Some are missing and can still arrive.
    Pending,
    /// All requested attestations have arrived; also if none was requested.
    Complete,
    /// The settlement is in dispute, or it was claimed or expired while some were missing.
    Failed,
}

impl Settlement {
    /// The status in epoch `now`.
    pub fn attestation_status(&self, now: Epoch) -> AttestationStatus {
        if self.is_in_dispute {
            AttestationStatus::Failed
        } else if self.is_complete() {
            AttestationStatus::Complete
        } else if self.is_claimed || now > self.dispute_settled_at_epoch {
            AttestationStatus::Failed
        } else {
            AttestationStatus::Pending
        }
    }

    /// Whether as many attestations have arrived as were requested. The contract counts attestations,
    /// not nodes.
    pub fn is_complete(&self) -> bool {
        self.attested_nodes.len() >= self.requested_attestation_nodes.len()
    }

    /// The node's first place among the requested nodes, where the contract writes its leaf.
    pub fn place_of(&self, node: NodeSmallId) -> Option<usize> {
        self.requested_attestation_nodes
            .iter()
            .position(|requested| *requested == node)
    }

    /// Whether the settlement's commitment can be over this Merkle root. An attestation from another one raises a
    /// dispute. The number of extra nodes is not known here, so the ticket on chain has the last word.
    pub fn agrees_with(&self, root: &Hash32) -> bool {
        let requested = self.requested_attestation_nodes.len();
        is_commitment_over(root, &self.committed_stack_proof.0, requested)
    }
}

/// A dispute about a settlement. This revision of the contract can't resolve disputes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The stack in dispute.
    pub stack_small_id: StackSmallId,
    /// The node that opened it.
    pub plaintiff_node_id: NodeSmallId,
    /// The stack's selected node.
    pub defendant_node_id: NodeSmallId,
    /// The plaintiff's place among the drawn nodes; `None` if it was not drawn.
    pub disputed_attestation_index: Option<u64>,
    /// The plaintiff's commitment.
    pub disputed_hash: HexBytes,
    /// The ticket's commitment.
    pub original_hash: HexBytes,
    /// The epoch in which it was opened.
    pub created_at_epoch: Epoch,
    /// The epoch in which it was resolved, if it was.
    pub resolved_at_epoch: Option<Epoch>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settlement(requested: &[u64], attested: &[u64]) -> Settlement {
        Settlement {
            stack_small_id: StackSmallId::new(1),
            stack_id: None,
            selected_node_id: NodeSmallId::new(1),
            num_claimed_compute_units: ComputeUnits::new(5),
            settled_at: TimestampMs::new(0),
            dispute_settled_at_epoch: Epoch::new(4),
            requested_attestation_nodes: requested.iter().copied().map(NodeSmallId::new).collect(),
            attested_nodes: attested.iter().copied().map(NodeSmallId::new).collect(),
            committed_stack_proof: Hash32::ZERO.into(),
            stack_merkle_leaf: Hash32::ZERO.into(),
            is_in_dispute: false,
            is_claimed: false,
            user_refund_amount: MicroUsdc::ZERO,
        }
    }

    #[test]
    fn status_follows_attestations_epoch_claim_and_dispute() {
        use AttestationStatus::{Complete, Failed, Pending};
        let status = |s: &Settlement, epoch| s.attestation_status(Epoch::new(epoch));
        assert_eq!(status(&settlement(&[], &[]), 9), Complete);
        assert_eq!(status(&settlement(&[2], &[]), 4), Pending);
        assert_eq!(status(&settlement(&[2], &[]), 5), Failed);
        assert_eq!(status(&settlement(&[2, 3], &[3, 2]), 9), Complete);
        assert_eq!(status(&settlement(&[2, 2], &[2]), 4), Pending);
        let mut claimed = settlement(&[2], &[]);
        claimed.is_claimed = true;
        assert_eq!(status(&claimed, 4), Failed);
        let mut disputed = settlement(&[], &[]);
        disputed.is_in_dispute = true;
        assert_eq!(status(&disputed, 4), Failed);
    }

    #[test]
    fn a_node_drawn_twice_has_its_first_place() {
        assert_eq!(
            settlement(&[3, 2, 2], &[]).place_of(NodeSmallId::new(2)),
            Some(1)
        );
    }
}
