//! Settling a stack.

use atoma_domain::events::StackTrySettle;
use atoma_domain::{ComputeUnits, HexBytes, ObjectId, SecurityLevel, StackSmallId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::StackSettlementTicket;
use crate::vm::{MoveError, MoveErrorKind};

/// The length of a hash in bytes.
pub(super) const HASH_LENGTH: usize = 32;
/// The epochs after the settlement's epoch in which attesters can still attest.
const DISPUTE_SETTLEMENT_DELAY: u64 = 1;
/// The maximum length of a ticket's leaves in bytes, more than an object can hold. A larger number
/// of extra nodes would exhaust the gas on a real network, and the memory here.
const MAX_VECTOR_LENGTH: usize = 256 * 1024;

impl Db<'_, '_> {
    /// `try_settle_stack`: draws attesters for a sampling-consensus task, and stores the ticket.
    pub(super) fn try_settle(
        &mut self,
        badge: &ObjectId,
        stack_small_id: StackSmallId,
        num_claimed_compute_units: u64,
        committed_stack_proof: Vec<u8>,
        stack_merkle_leaf: Vec<u8>,
    ) -> Result<(), MoveError> {
        const HERE: &str = "try_settle_stack";
        let stack = self
            .state
            .stacks
            .borrow(self.vm, self.package, &stack_small_id)?;
        let node = self.badge(badge)?;
        let selected = node == stack.selected_node_id;
        self.ensure(selected, AbortCode::NodeNotSelectedForStack, HERE)?;
        let within = num_claimed_compute_units <= stack.num_compute_units;
        self.ensure(within, AbortCode::TooManyComputedUnits, HERE)?;
        let settled = self.has_ticket(stack_small_id)?;
        self.ensure(!settled, AbortCode::StackInSettlementDispute, HERE)?;
        self.ensure_hashes(&committed_stack_proof, &stack_merkle_leaf, HERE)?;

        let extra_nodes = self.state.cross_validation_extra_nodes_count;
        let level = self.task(stack.task_small_id)?.security_level;
        let attesters = if level == SecurityLevel::SAMPLING_CONSENSUS.get() {
            self.draw_attesters(stack_small_id, &stack)?
        } else {
            Vec::new()
        };

        // The node's own leaf, then space for the leaves of all possible attesters.
        let length = usize::try_from(extra_nodes)
            .ok()
            .and_then(|count| count.checked_add(1)?.checked_mul(HASH_LENGTH))
            .filter(|length| *length <= MAX_VECTOR_LENGTH)
            .ok_or(MoveErrorKind::OutOfGas)?;
        let mut leaves = stack_merkle_leaf.clone();
        leaves.resize(length, 0);

        let settled_at = self.context.epoch.checked_add(DISPUTE_SETTLEMENT_DELAY);
        let ticket = StackSettlementTicket {
            id: self.vm.fresh_id(),
            stack_small_id,
            selected_node_id: node,
            num_claimed_compute_units,
            requested_attestation_nodes: attesters.clone(),
            dispute_settled_at_epoch: self.number(settled_at, HERE)?,
            committed_stack_proof: committed_stack_proof.clone(),
            stack_merkle_leaves_vector: leaves,
            already_attested_nodes: Vec::new(),
            is_in_dispute: false,
        };
        self.state
            .stack_settlement_tickets
            .add(self.vm, self.package, &stack_small_id, &ticket)?;
        self.emit(StackTrySettle {
            stack_small_id,
            selected_node_id: node,
            requested_attestation_nodes: attesters,
            committed_stack_proof: HexBytes(committed_stack_proof),
            stack_merkle_leaf: HexBytes(stack_merkle_leaf),
            num_claimed_compute_units: ComputeUnits::new(num_claimed_compute_units),
        })
    }

    pub(super) fn has_ticket(&mut self, stack: StackSmallId) -> Result<bool, MoveError> {
        self.state
            .stack_settlement_tickets
            .contains(self.vm, self.package, &stack)
    }

    /// Checks that commitment and leaf have the length of a hash.
    pub(super) fn ensure_hashes(
        &self,
        committed_stack_proof: &[u8],
        stack_merkle_leaf: &[u8],
        function: &'static str,
    ) -> Result<(), MoveError> {
        self.ensure(
            committed_stack_proof.len() == HASH_LENGTH,
            AbortCode::InvalidCommittedStackProof,
            function,
        )?;
        self.ensure(
            stack_merkle_leaf.len() == HASH_LENGTH,
            AbortCode::InvalidStackMerkleLeaf,
            function,
        )
    }
}
