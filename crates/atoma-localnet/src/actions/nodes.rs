//! What the owners of node badges do, apart from the work that a daemon does.

use std::sync::Arc;

use atoma_domain::events::ContractEvent;
use atoma_domain::{NodeSmallId, ObjectId, TaskSmallId};
use sui_sdk_types::Owner;

use super::perform::ActionError;
use super::requests::NodeRegistration;
use crate::accounts::Account;
use crate::action_builder::{ActionArgument, ActionBuilder};
use crate::core::NetworkCore;

impl NetworkCore {
    /// Registers a node and subscribes it to tasks.
    pub(crate) fn register_node(
        &self,
        registration: &NodeRegistration,
    ) -> Result<NodeSmallId, ActionError> {
        let [_, second] = &self.accounts.operators;
        let owner = self.held(&registration.owner.unwrap_or(second.address))?;
        self.fund(&owner, false)?;
        self.create_node(
            &owner,
            &registration.task_small_ids,
            registration.price_per_one_million_compute_units,
        )
    }

    /// `register_node_entry`, then `subscribe_node_to_task` for each task.
    pub(crate) fn create_node(
        &self,
        owner: &Account,
        tasks: &[TaskSmallId],
        price: u64,
    ) -> Result<NodeSmallId, ActionError> {
        let events = self.call(owner, "register_node_entry", vec![ActionArgument::Implied])?;
        let registered = events.iter().find_map(|event| match event {
            ContractEvent::NodeRegistered(event) => Some((event.node_small_id, event.badge_id)),
            _ => None,
        });
        let (node, badge) = registered
            .ok_or_else(|| ActionError::Missing("the transaction created no node".to_owned()))?;
        if tasks.is_empty() {
            return Ok(node);
        }
        let mut builder = ActionBuilder::default();
        for task in tasks {
            let arguments = vec![
                ActionArgument::Implied,
                ActionArgument::Object(badge),
                ActionArgument::pure(task)?,
                ActionArgument::pure(&price)?,
            ];
            builder.call(self, "subscribe_node_to_task", arguments)?;
        }
        self.act(owner, builder, None)?;
        Ok(node)
    }

    /// `permanently_disable_node`, which emits no event.
    pub(crate) fn disable_node(&self, node: NodeSmallId) -> Result<(), ActionError> {
        self.call_with_badge(node, "permanently_disable_node")
    }

    /// `destroy_disabled_node`, four epochs after the node was disabled. It emits no event.
    pub(crate) fn destroy_node(&self, node: NodeSmallId) -> Result<(), ActionError> {
        self.call_with_badge(node, "destroy_disabled_node")
    }

    fn call_with_badge(
        &self,
        node: NodeSmallId,
        function: &'static str,
    ) -> Result<(), ActionError> {
        let (owner, badge) = self.node_badge(node)?;
        let arguments = vec![ActionArgument::Implied, ActionArgument::Object(badge)];
        self.call(&owner, function, arguments).map(|_| ())
    }

    /// A node's badge and its owner, whose key the network must hold.
    fn node_badge(&self, node: NodeSmallId) -> Result<(Arc<Account>, ObjectId), ActionError> {
        let ledger = self.ledger();
        let mut badges = ledger
            .objects()
            .owned_by_anyone(|tag| tag.name().as_str() == "NodeBadge");
        let found = badges.find_map(|object| {
            let contents = object.as_struct()?.contents();
            let (badge, small_id): (ObjectId, NodeSmallId) = bcs::from_bytes(contents).ok()?;
            match object.owner() {
                Owner::Address(owner) if small_id == node => Some((*owner, badge)),
                _ => None,
            }
        });
        let (owner, badge) =
            found.ok_or_else(|| ActionError::Missing(format!("node {node} has no badge")))?;
        Ok((self.held(&owner)?, badge))
    }
}
