//! Payments from the treasury, and the fees that each node can withdraw.

use atoma_domain::{NodeSmallId, ObjectId};
use sui_sdk_types::Address;

use super::db::Db;
use crate::vm::{Balance, MoveError};

impl Db<'_, '_> {
    /// `transfer_funds`: pays from the fee treasury. An amount of 0 creates no coin.
    pub(super) fn transfer_funds(&mut self, amount: u64, to: Address) -> Result<(), MoveError> {
        if amount > 0 {
            let paid = self.state.fee_treasury.split(amount)?;
            self.vm.pay(self.usdc.clone(), paid, to)?;
        }
        Ok(())
    }

    /// `withdraw_fees`: pays the node's fees of past epochs to the sender.
    pub(super) fn withdraw_fees(&mut self, badge: &ObjectId) -> Result<(), MoveError> {
        let node = self.badge(badge)?;
        self.withdraw_fees_of(node)
    }

    pub(super) fn withdraw_fees_of(&mut self, node: NodeSmallId) -> Result<(), MoveError> {
        self.unlock_fees(node)?;
        let mut entry = self.node_mut(node)?;
        let amount = entry.available_fee_amount;
        if amount > 0 {
            entry.available_fee_amount = 0;
            self.set_node(node, &entry)?;
            self.transfer_funds(amount, self.context.sender)?;
        }
        Ok(())
    }

    /// `attribute_fee_to_node` with a fee of 0, which makes the fees of an earlier epoch available.
    fn unlock_fees(&mut self, node: NodeSmallId) -> Result<(), MoveError> {
        const HERE: &str = "attribute_fee_to_node";
        if !self.has_node(node)? {
            return Ok(());
        }
        let mut entry = self.node_mut(node)?;
        if entry.last_fee_epoch == self.context.epoch {
            return Ok(());
        }
        let available = entry
            .available_fee_amount
            .checked_add(entry.last_fee_epoch_amount);
        entry.available_fee_amount = self.number(available, HERE)?;
        entry.last_fee_epoch_amount = 0;
        entry.last_fee_epoch = self.context.epoch;
        self.set_node(node, &entry)
    }

    /// `slash_node_on_timeout`: takes a share of a node's collateral, rounded up, for a missed
    /// attestation. A node that was destroyed or has no collateral loses nothing.
    pub(super) fn slash_node_on_timeout(&mut self, node: NodeSmallId) -> Result<(), MoveError> {
        const HERE: &str = "slash_node_on_timeout";
        if !self.has_node(node)? {
            return Ok(());
        }
        let mut entry = self.node_mut(node)?;
        let collateral = entry.collateral;
        if collateral == Balance::ZERO {
            return Ok(());
        }
        let scaled = collateral
            .value()
            .checked_mul(self.state.permille_to_slash_node_on_timeout);
        let amount = self.number(scaled, HERE)?.div_ceil(1000);
        let confiscated = entry.collateral.split(amount)?;
        self.set_node(node, &entry)?;
        self.state.communal_treasury.join(confiscated)
    }
}
