//! Claims: paying nodes and attesters, refunding buyers, slashing missing attesters.

use atoma_domain::events::{ClaimedStack, StackSettlementTicketClaimed};
use atoma_domain::{ComputeUnits, MicroUsdc, NodeSmallId, ObjectId, SecurityLevel, StackSmallId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{Stack, StackSettlementTicket};
use crate::vm::MoveError;

impl Db<'_, '_> {
    /// `claim_funds`: pays for settled stacks, and deletes them and their tickets.
    pub(super) fn claim_funds(
        &mut self,
        badge: &ObjectId,
        stacks: &[StackSmallId],
    ) -> Result<(), MoveError> {
        const HERE: &str = "claim_funds";
        let claimant = self.badge(badge)?;
        let mut total = 0_u64;
        for stack_small_id in stacks {
            let (level, stack, ticket) = self.claimable(*stack_small_id, claimant)?;
            let fee = self.fee(level, &stack, ticket.num_claimed_compute_units)?;
            total = self.number(total.checked_add(fee), HERE)?;
            let unused = self.unused(&stack, ticket.num_claimed_compute_units, HERE)?;
            let refund = self.fee(level, &stack, unused)?;
            self.reward_or_slash_attesters(&ticket, fee)?;
            self.transfer_funds(refund, stack.owner)?;
            self.delete_stack(*stack_small_id)?;
            self.emit(StackSettlementTicketClaimed {
                stack_small_id: *stack_small_id,
                selected_node_id: ticket.selected_node_id,
                attestation_nodes: ticket.requested_attestation_nodes,
                num_claimed_compute_units: ComputeUnits::new(ticket.num_claimed_compute_units),
                user_refund_amount: MicroUsdc::new(refund),
            })?;
        }
        self.transfer_funds(total, self.context.sender)?;
        self.withdraw_fees_of(claimant)
    }

    /// `claim_funds_for_stacks`: pays for confidential stacks without a settlement, and marks them
    /// as claimed.
    pub(super) fn claim_funds_for_stacks(
        &mut self,
        badge: &ObjectId,
        stacks: &[StackSmallId],
        claimed_units: &[u64],
    ) -> Result<(), MoveError> {
        const HERE: &str = "claim_funds_for_stacks";
        let claimant = self.badge(badge)?;
        self.ensure(
            stacks.len() == claimed_units.len(),
            AbortCode::InvalidNumClaimedComputeUnitsPerStack,
            HERE,
        )?;
        let mut total = 0_u64;
        for (stack_small_id, claimed) in stacks.iter().zip(claimed_units) {
            let mut stack = self
                .state
                .stacks
                .borrow_mut(self.vm, self.package, stack_small_id)?;
            let selected = stack.selected_node_id == claimant;
            self.ensure(selected, AbortCode::NodeNotSelectedForClaim, HERE)?;
            self.ensure(!stack.is_claimed, AbortCode::StackAlreadyClaimed, HERE)?;
            self.ensure(
                *claimed <= stack.num_compute_units,
                AbortCode::InvalidNumClaimedComputeUnitsPerStack,
                HERE,
            )?;
            let level = self.task(stack.task_small_id)?.security_level;
            self.ensure(
                level == SecurityLevel::CONFIDENTIAL_COMPUTE.get(),
                AbortCode::TaskIsNotConfidentialCompute,
                HERE,
            )?;

            let fee = self.fee(level, &stack, *claimed)?;
            total = self.number(total.checked_add(fee), HERE)?;
            let unused = self.unused(&stack, *claimed, HERE)?;
            let refund = self.fee(level, &stack, unused)?;
            stack.is_claimed = true;
            self.state
                .stacks
                .set(self.vm, self.package, stack_small_id, &stack)?;
            self.transfer_funds(refund, stack.owner)?;
            self.emit(ClaimedStack {
                stack_small_id: *stack_small_id,
                selected_node_id: stack.selected_node_id,
                num_claimed_compute_units: ComputeUnits::new(*claimed),
                user_refund_amount: MicroUsdc::new(refund),
            })?;
        }
        self.transfer_funds(total, self.context.sender)?;
        self.withdraw_fees_of(claimant)
    }

    /// `fetch_stack_settlement_ticket_data`: a settled stack, its ticket and security level.
    ///
    /// # Errors
    /// When the stack can't be claimed.
    fn claimable(
        &mut self,
        stack_small_id: StackSmallId,
        claimant: NodeSmallId,
    ) -> Result<(u16, Stack, StackSettlementTicket), MoveError> {
        const HERE: &str = "fetch_stack_settlement_ticket_data";
        let ticket =
            self.state
                .stack_settlement_tickets
                .borrow(self.vm, self.package, &stack_small_id)?;
        let stack = self
            .state
            .stacks
            .borrow(self.vm, self.package, &stack_small_id)?;
        let level = self.task(stack.task_small_id)?.security_level;
        let selected = ticket.selected_node_id == claimant;
        self.ensure(selected, AbortCode::NodeNotSelectedForSettlement, HERE)?;
        self.ensure(!ticket.is_in_dispute, AbortCode::StackInDispute, HERE)?;
        let over = self.context.epoch >= ticket.dispute_settled_at_epoch;
        self.ensure(over, AbortCode::StackDisputePeriodIsNotOver, HERE)?;
        self.ensure(!stack.is_claimed, AbortCode::StackAlreadyClaimed, HERE)?;
        Ok((level, stack, ticket))
    }

    /// The compute units that the node does not claim.
    fn unused(
        &self,
        stack: &Stack,
        claimed: u64,
        function: &'static str,
    ) -> Result<u64, MoveError> {
        self.number(stack.num_compute_units.checked_sub(claimed), function)
    }

    /// `calculate_stack_fee_amount`: the value of `units` of the stack at the current charge.
    fn fee(&self, level: u16, stack: &Stack, units: u64) -> Result<u64, MoveError> {
        let price = stack.price_per_one_million_compute_units;
        let fee = units.checked_mul(price).and_then(|product| {
            if level == SecurityLevel::SAMPLING_CONSENSUS.get() {
                let charge = self.state.sampling_consensus_charge_permille;
                Some(product.checked_mul(charge)? / 1_000_000_000)
            } else {
                Some(product / 1_000_000)
            }
        });
        self.number(fee, "calculate_stack_fee_amount")
    }

    /// `handle_attestation_nodes_rewards_and_slashing`: credits each attester its share once per
    /// time it was drawn, and slashes those that did not attest.
    fn reward_or_slash_attesters(
        &mut self,
        ticket: &StackSettlementTicket,
        fee: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "handle_attestation_nodes_rewards_and_slashing";
        for attester in &ticket.requested_attestation_nodes {
            if ticket.already_attested_nodes.contains(attester) {
                let share = fee.checked_div(self.state.cross_validation_extra_nodes_count);
                let share = self.number(share, HERE)?;
                let mut entry = self.node_mut(*attester)?;
                let available = entry.available_fee_amount.checked_add(share);
                entry.available_fee_amount = self.number(available, HERE)?;
                self.set_node(*attester, &entry)?;
            } else {
                self.slash_node_on_timeout(*attester)?;
            }
        }
        Ok(())
    }

    /// `cleanup_stack_data`: deletes a claimed stack and its ticket.
    fn delete_stack(&mut self, stack: StackSmallId) -> Result<(), MoveError> {
        self.state
            .stack_settlement_tickets
            .remove(self.vm, self.package, &stack)?;
        self.state.stacks.remove(self.vm, self.package, &stack)?;
        Ok(())
    }
}
