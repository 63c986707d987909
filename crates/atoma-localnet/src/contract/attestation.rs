//! Attestations and disputes.

use atoma_domain::events::{
    NewStackSettlementAttestation, StackAttestationDispute, StackSettlementTicket as TicketEvent,
};
use atoma_domain::{
    ComputeUnits, Epoch, Hash32, HexBytes, NodeSmallId, ObjectId, SecurityLevel, StackSmallId,
};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::StackSettlementTicket;
use super::settlement::HASH_LENGTH;
use crate::vm::MoveError;

impl Db<'_, '_> {
    /// `submit_stack_settlement_attestation`.
    pub(super) fn attest(
        &mut self,
        badge: &ObjectId,
        stack_small_id: StackSmallId,
        committed_stack_proof: Vec<u8>,
        stack_merkle_leaf: Vec<u8>,
    ) -> Result<(), MoveError> {
        const HERE: &str = "submit_stack_settlement_attestation";
        let exists = self
            .state
            .stacks
            .contains(self.vm, self.package, &stack_small_id)?;
        self.ensure(exists, AbortCode::StackNotFound, HERE)?;
        let settled = self.has_ticket(stack_small_id)?;
        self.ensure(settled, AbortCode::StackNotInSettlementDispute, HERE)?;
        self.ensure_hashes(&committed_stack_proof, &stack_merkle_leaf, HERE)?;
        let sampled = self.is_sampling_consensus(stack_small_id)?;
        self.ensure(
            sampled,
            AbortCode::StackDoesNotRequireSamplingConsensus,
            HERE,
        )?;
        let mut ticket = self.ticket_mut(stack_small_id)?;
        let open = ticket.dispute_settled_at_epoch >= self.context.epoch;
        self.ensure(open, AbortCode::StackDisputePeriodOver, HERE)?;
        let node = self.badge(badge)?;
        // A node drawn twice writes its leaf at its first place both times.
        let place = ticket
            .requested_attestation_nodes
            .iter()
            .position(|drawn| *drawn == node)
            .ok_or_else(|| AbortCode::NodeNotSelectedForAttestation.at(self.here(HERE)))?;

        if committed_stack_proof != ticket.committed_stack_proof {
            return self.dispute(node, stack_small_id, committed_stack_proof);
        }
        let start = (place + 1) * HASH_LENGTH;
        ticket
            .stack_merkle_leaves_vector
            .get_mut(start..start + HASH_LENGTH)
            .ok_or_else(|| MoveError::invariant("a ticket has fewer leaves than attesters"))?
            .copy_from_slice(&stack_merkle_leaf);
        ticket.already_attested_nodes.push(node);
        self.vm.write_object(&ticket)?;

        let complete =
            ticket.already_attested_nodes.len() == ticket.requested_attestation_nodes.len();
        let recomputed = Hash32::of(&[&ticket.stack_merkle_leaves_vector]);
        if complete && recomputed.as_bytes().as_slice() != committed_stack_proof {
            return self.dispute(node, stack_small_id, committed_stack_proof);
        }
        self.emit(NewStackSettlementAttestation {
            stack_small_id,
            attestation_node_id: node,
            committed_stack_proof: HexBytes(committed_stack_proof.clone()),
            stack_merkle_leaf: HexBytes(stack_merkle_leaf),
        })?;
        if complete {
            self.emit(TicketEvent {
                stack_small_id,
                selected_node_id: ticket.selected_node_id,
                num_claimed_compute_units: ComputeUnits::new(ticket.num_claimed_compute_units),
                requested_attestation_nodes: ticket.requested_attestation_nodes,
                dispute_settled_at_epoch: Epoch::new(self.context.epoch),
                committed_stack_proof: HexBytes(committed_stack_proof),
            })?;
        }
        Ok(())
    }

    /// `start_attestation_dispute`, which any badge owner can call.
    pub(super) fn start_dispute(
        &mut self,
        badge: &ObjectId,
        stack_small_id: StackSmallId,
        commitment: Vec<u8>,
    ) -> Result<(), MoveError> {
        let node = self.badge(badge)?;
        self.dispute(node, stack_small_id, commitment)
    }

    fn dispute(
        &mut self,
        plaintiff: NodeSmallId,
        stack_small_id: StackSmallId,
        commitment: Vec<u8>,
    ) -> Result<(), MoveError> {
        const HERE: &str = "start_attestation_dispute";
        let mut ticket = self.ticket_mut(stack_small_id)?;
        let sampled = self.is_sampling_consensus(stack_small_id)?;
        self.ensure(
            sampled,
            AbortCode::TaskSecurityLevelNotSamplingConsensus,
            HERE,
        )?;
        self.ensure(
            !ticket.is_in_dispute,
            AbortCode::StackAlreadyInDispute,
            HERE,
        )?;
        ticket.is_in_dispute = true;
        self.vm.write_object(&ticket)?;
        self.emit(StackAttestationDispute {
            stack_small_id,
            attestation_commitment: HexBytes(commitment),
            attestation_node_id: plaintiff,
            original_node_id: ticket.selected_node_id,
            original_commitment: HexBytes(ticket.committed_stack_proof),
        })
    }

    fn ticket_mut(&mut self, stack: StackSmallId) -> Result<StackSettlementTicket, MoveError> {
        self.state
            .stack_settlement_tickets
            .borrow_mut(self.vm, self.package, &stack)
    }

    fn is_sampling_consensus(&mut self, stack: StackSmallId) -> Result<bool, MoveError> {
        let stack = self.state.stacks.borrow(self.vm, self.package, &stack)?;
        let level = self.task(stack.task_small_id)?.security_level;
        Ok(level == SecurityLevel::SAMPLING_CONSENSUS.get())
    }
}
