//! Registering, disabling and destroying nodes.

use atoma_domain::events::NodeRegistered;
use atoma_domain::{NodeSmallId, ObjectId};
use sui_sdk_types::{Address, Owner};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{NodeBadge, NodeEntry};
use crate::vm::{Balance, CodeLocation, MoveError};

/// A new node's reputation.
const REPUTATION_SCORE_START: u8 = 50;
/// The epochs after which a disabled node can be destroyed.
const EPOCHS_BEFORE_DESTROY: u64 = 4;
/// `EOPTION_NOT_SET` of `std::option`.
const OPTION_NOT_SET: u64 = 0x4_0001;
const OPTION_EXTRACT: CodeLocation = CodeLocation {
    package: Address::from_static("0x1"),
    module: "option",
    function: "extract",
};

impl Db<'_, '_> {
    /// `register_node_entry`: registers a node and sends its badge to the sender.
    pub(super) fn register_node(&mut self) -> Result<(), MoveError> {
        const HERE: &str = "register_node";
        let enabled = !self.state.is_registration_disabled;
        self.ensure(enabled, AbortCode::NodeRegDisabled, HERE)?;

        let small_id = self.state.next_node_small_id;
        let next = self.number(small_id.get().checked_add(1), HERE)?;
        self.state.next_node_small_id = NodeSmallId::new(next);
        let entry = NodeEntry {
            was_disabled_in_epoch: None,
            collateral: Balance::ZERO,
            last_fee_epoch: self.context.epoch,
            last_fee_epoch_amount: 0,
            available_fee_amount: 0,
            reputation_score: REPUTATION_SCORE_START,
            confidential_compute_last_rotation_counter: None,
            confidential_compute_last_updated_epoch: None,
            confidential_compute_public_key_commitment: None,
            confidential_compute_device_types: Vec::new(),
        };
        self.state
            .nodes
            .add(self.vm, self.package, &small_id, &entry)?;

        let badge = NodeBadge {
            id: self.vm.fresh_id(),
            small_id,
        };
        self.emit(NodeRegistered {
            badge_id: badge.id,
            node_small_id: small_id,
        })?;
        let owner = Owner::Address(self.context.sender);
        self.vm.create_object(self.package, &badge, owner)?;
        Ok(())
    }

    /// `permanently_disable_node`: the node can no longer be selected or drawn.
    pub(super) fn disable_node(&mut self, badge: &ObjectId) -> Result<(), MoveError> {
        let node = self.badge(badge)?;
        let mut entry = self.node_mut(node)?;
        self.ensure(
            entry.was_disabled_in_epoch.is_none(),
            AbortCode::NodeAlreadyDisabled,
            "permanently_disable_node",
        )?;
        entry.was_disabled_in_epoch = Some(self.context.epoch);
        self.set_node(node, &entry)
    }

    /// `destroy_disabled_node`: pays out fees and collateral, and deletes the node and its badge.
    pub(super) fn destroy_node(&mut self, badge: &ObjectId) -> Result<(), MoveError> {
        const HERE: &str = "destroy_disabled_node";
        let node = self.badge(badge)?;
        self.withdraw_fees_of(node)?;
        let entry = self.state.nodes.remove(self.vm, self.package, &node)?;
        let disabled = entry
            .was_disabled_in_epoch
            .ok_or_else(|| OPTION_EXTRACT.abort(OPTION_NOT_SET))?;
        let destroyable = self.number(disabled.checked_add(EPOCHS_BEFORE_DESTROY), HERE)?;
        self.ensure(
            destroyable <= self.context.epoch,
            AbortCode::NodeMustWaitBeforeDestroy,
            HERE,
        )?;
        // The collateral is always paid out, as an empty coin while registration requires none.
        self.vm
            .pay(self.usdc.clone(), entry.collateral, self.context.sender)?;
        self.vm.delete(badge)
    }
}
