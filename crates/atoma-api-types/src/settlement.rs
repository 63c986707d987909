//! Stacks that entered settlement, and disputes.

use atoma_domain::model::AttestationStatus;
use atoma_domain::{
    ComputeUnits, Epoch, HexBytes, MicroUsdc, NodeSmallId, ObjectId, StackSmallId, TaskSmallId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// A stack that entered settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ClaimedStack)]
pub struct ClaimedStackView {
    /// The stack's small id, which is also its ticket's.
    pub stack_small_id: StackSmallId,
    /// The object id of the stack's badge, if the purchase is known.
    #[schema(value_type = Option<text::ObjectId>)]
    pub stack_id: Option<ObjectId>,
    /// The node that serves the stack.
    pub selected_node_id: NodeSmallId,
    /// The compute units that the settlement claims.
    pub num_claimed_compute_units: ComputeUnits,
    /// When the settlement executed.
    #[schema(value_type = Option<text::Time>)]
    pub settlement_time: Option<String>,
    /// The state of the attestations.
    pub attestation_status: AttestationStatus,
    /// The nodes that must attest, as a JSON array in a string.
    #[schema(example = "[456, 789]")]
    pub requested_attestation_nodes: String,
    /// The attestations that arrived.
    pub received_attestations: usize,
    /// The attestations that were requested.
    pub required_attestations: usize,
    /// Whether all requested attestations have arrived.
    pub settlement_complete: bool,
    /// The stack can be claimed from this epoch on, if nobody disputes it. Attest before it begins: in this epoch an
    /// attestation counts only until the claim, and later not at all.
    pub dispute_settled_at_epoch: Epoch,
    /// Whether a dispute was raised.
    pub is_in_dispute: bool,
    /// Whether the funds were claimed.
    pub is_claimed: bool,
    /// The refund to the buyer, in micro-USDC; 0 until the funds are claimed.
    pub user_refund_amount: MicroUsdc,
    /// The commitment of the settlement.
    pub committed_stack_proof: HexBytes,
}

/// A settlement that nodes of the operator must still attest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DueAttestation)]
pub struct DueAttestationView {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The stack's task; `null` if the purchase is not known.
    pub task_small_id: Option<TaskSmallId>,
    /// The stack can be claimed from this epoch on. Attest before it begins: in this epoch an attestation counts only
    /// until the claim, and later not at all.
    pub claimable_from_epoch: Epoch,
    /// The operator's nodes that the settlement asks for and that have not attested it.
    pub nodes: Vec<DueNodeView>,
}

/// A node that must attest a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DueNode)]
pub struct DueNodeView {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// Whether the record that the node attests from holds the settled messages: its own, else that of the stack's
    /// selected node if the operator runs it too. `false`: an attestation would raise a dispute. `null`: there is no
    /// such record. The number of extra nodes is not compared; a dry run of the attestation does that.
    pub record_agrees: Option<bool>,
}

/// A dispute. A ticket has at most one, so the stack's small id is its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Dispute)]
pub struct DisputeView {
    /// The same as `stack_small_id`.
    pub dispute_id: StackSmallId,
    /// The stack that is disputed.
    pub stack_small_id: StackSmallId,
    /// The node that raised the dispute; 0 if the daemon learned of it from the ticket alone, which doesn't tell.
    pub plaintiff_node_id: NodeSmallId,
    /// The node that settled the stack.
    pub defendant_node_id: NodeSmallId,
    /// The place of the plaintiff's attestation, from 1; `null` if the plaintiff was not drawn.
    pub disputed_attestation_index: Option<u64>,
    /// The plaintiff's commitment.
    pub disputed_hash: HexBytes,
    /// The settlement's commitment.
    pub original_hash: HexBytes,
    /// Whether the dispute was resolved.
    pub resolution_status: ResolutionStatus,
    /// The epoch in which it was raised.
    pub created_at_epoch: Epoch,
    /// The epoch in which it was resolved.
    pub resolved_at_epoch: Option<Epoch>,
}

/// Whether a dispute was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ResolutionStatus {
    /// It is open.
    Pending,
    /// It was resolved.
    Resolved,
}
