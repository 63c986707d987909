//! Buying stacks.

use atoma_domain::events::StackCreated;
use atoma_domain::{
    ComputeUnits, ObjectId, PricePerMillion, SecurityLevel, StackSmallId, TaskSmallId,
};
use sui_sdk_types::Owner;

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{Stack, StackBadge};
use crate::vm::MoveError;

impl Db<'_, '_> {
    /// `acquire_new_stack_entry`: takes the price from the wallet, selects a node, and sends the
    /// stack's badge to the sender.
    pub(super) fn acquire_stack(
        &mut self,
        wallet: &ObjectId,
        task_small_id: TaskSmallId,
        num_compute_units: u64,
        price: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "acquire_new_stack";
        let mut random = self.vm.generator();
        self.ensure(num_compute_units > 0, AbortCode::InvalidComputeUnits, HERE)?;
        self.ensure(price > 0, AbortCode::InvalidPricePerComputeUnit, HERE)?;
        let known = self.has_task(task_small_id)?;
        self.ensure(known, AbortCode::TaskNotFound, HERE)?;

        let level = self.task(task_small_id)?.security_level;
        let fee = self.number(self.purchase_price(level, num_compute_units, price), HERE)?;
        let mut balance = self.vm.coin_balance(wallet)?;
        self.ensure(balance.value() >= fee, AbortCode::InsufficientBalance, HERE)?;
        let paid = balance.split(fee)?;
        self.vm.set_coin_value(wallet, balance.value())?;
        self.state.fee_treasury.join(paid)?;

        let selected_node_id =
            self.sample_node_for_stack(task_small_id, price, num_compute_units, &mut random)?;
        let owner = self.context.sender;
        let stack = Stack {
            owner,
            price_per_one_million_compute_units: price,
            num_compute_units,
            selected_node_id,
            task_small_id,
            is_claimed: false,
        };
        let small_id = self.state.next_stack_small_id;
        let next = self.number(small_id.get().checked_add(1), HERE)?;
        self.state.next_stack_small_id = StackSmallId::new(next);
        self.state
            .stacks
            .add(self.vm, self.package, &small_id, &stack)?;

        let badge = StackBadge {
            id: self.vm.fresh_id(),
            small_id,
        };
        self.emit(StackCreated {
            stack_id: badge.id,
            stack_small_id: small_id,
            owner,
            task_small_id,
            selected_node_id,
            num_compute_units: ComputeUnits::new(num_compute_units),
            price_per_one_million_compute_units: PricePerMillion::new(price),
        })?;
        self.vm
            .create_object(self.package, &badge, Owner::Address(owner))?;
        Ok(())
    }

    /// A stack's price: rounded down after multiplying units and price, and again after applying
    /// the charge. `None` on overflow.
    fn purchase_price(&self, level: u16, num_compute_units: u64, price: u64) -> Option<u64> {
        let units = price.checked_mul(num_compute_units)? / 1_000_000;
        if level == SecurityLevel::SAMPLING_CONSENSUS.get() {
            let charge = self
                .state
                .sampling_consensus_charge_permille
                .checked_add(self.state.cross_validation_extra_nodes_charge_permille)?;
            Some(units.checked_mul(charge)? / 1000)
        } else {
            Some(units)
        }
    }
}
