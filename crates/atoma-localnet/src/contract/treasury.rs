//! Money in and out of the contract, and the book-keeping of what each node may withdraw.

use atoma_domain::{NodeSmallId, ObjectId};
use sui_sdk_types::Address;

use super::db::Db;
use crate::vm::{Balance, MoveError};

impl Db<'_, '_> {
    /// Pays from the fee treasury; nothing, not even an empty coin, for an amount of 0
    /// (`transfer_funds`).
    pub(super) fn transfer_funds(&mut self, amount: u64, to: Address) -> Result<(), MoveError> {
        if amount > 0 {
            let paid = self.state.fee_treasury.split(amount)?;
            self.vm.pay(self.usdc.clone(), paid, to)?;
        }
        Ok(())
    }

    /// `withdraw_fees`: what the node earned in past epochs goes to the sender.
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

    /// Credits a fee of 0 (`attribute_fee_to_node`), which unlocks what was credited in an
    /// earlier epoch.
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

    /// Takes a part of the node's collateral, rounded up, for not having attested in time
    /// (`slash_node_on_timeout`). A node that is gone, or has none, loses nothing.
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
        let thousandfold = collateral
            .value()
            .checked_mul(self.state.permille_to_slash_node_on_timeout);
        let amount = self.number(thousandfold, HERE)?.div_ceil(1000);
        let confiscated = entry.collateral.split(amount)?;
        self.set_node(node, &entry)?;
        self.state.communal_treasury.join(confiscated)
    }
}
