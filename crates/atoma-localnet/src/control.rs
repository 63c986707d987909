//! What the owner of a network does with the contract: as its manager, as buyers and as owners of
//! nodes.

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::Address;

use crate::actions::{NewModel, NewTask, NodeRegistration, Parameters, Purchase};
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::network::LocalNet;

impl LocalNet {
    /// Creates a task as the manager.
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn create_task(&self, task: &NewTask) -> Result<TaskSmallId, LocalNetError> {
        Ok(self.act(|core| core.create_task(task))?)
    }

    /// Adds a model and its echelons as the manager.
    ///
    /// # Errors
    /// When the transaction is refused or fails, such as for a name that is taken or not ASCII.
    pub fn create_model(&self, model: &NewModel) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.create_model(model))?)
    }

    /// Buys stacks as the built-in buyer, one transaction per stack.
    ///
    /// # Errors
    /// When a transaction is refused or fails. The stacks before it have been bought.
    pub fn buy_stacks(&self, purchase: &Purchase) -> Result<Vec<StackSmallId>, LocalNetError> {
        self.buy_stacks_for(self.buyer(), purchase)
    }

    /// Buys stacks as an account that then owns them, one transaction per stack. The network must
    /// hold the account's key: it has those of its own accounts and those of
    /// [`add_account`](Self::add_account). An account without coins gets some first.
    ///
    /// # Errors
    /// When the network has no key of the owner, or a transaction is refused or fails. The stacks
    /// before it have been bought.
    pub fn buy_stacks_for(
        &self,
        owner: Address,
        purchase: &Purchase,
    ) -> Result<Vec<StackSmallId>, LocalNetError> {
        Ok(self.act(|core| core.buy_stacks(&owner, purchase))?)
    }

    /// Buys stacks as the built-in buyer, hundreds in one transaction.
    ///
    /// # Errors
    /// When a transaction is refused or fails. The stacks before it have been bought.
    pub fn buy_stacks_in_bulk(&self, purchase: &Purchase) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.buy_stacks_in_bulk(purchase))?)
    }

    /// Gives the network an account's key, as an entry of `sui.keystore` or as `suiprivkey1…`, so
    /// that it can buy stacks and register nodes as the account. Returns the account's address.
    /// The key is forgotten when the network stops.
    ///
    /// # Errors
    /// When the key can't be read.
    pub fn add_account(&self, key: &str) -> Result<Address, LocalNetError> {
        Ok(self.core.accounts.add(key)?)
    }

    /// Registers a node and subscribes it to tasks.
    ///
    /// # Errors
    /// When the network has no key of the owner, or a transaction is refused or fails.
    pub fn register_node(
        &self,
        registration: &NodeRegistration,
    ) -> Result<NodeSmallId, LocalNetError> {
        Ok(self.act(|core| core.register_node(registration))?)
    }

    /// Disables a node permanently (`permanently_disable_node`), which emits no event.
    ///
    /// # Errors
    /// When the network has no key of the node's owner, or the transaction is refused or fails.
    pub fn disable_node(&self, node: NodeSmallId) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.disable_node(node))?)
    }

    /// Destroys a node four epochs after it was disabled (`destroy_disabled_node`), which emits no
    /// event.
    ///
    /// # Errors
    /// When the network has no key of the node's owner, or the transaction is refused or fails.
    pub fn destroy_node(&self, node: NodeSmallId) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.destroy_node(node))?)
    }

    /// Asks all nodes to rotate their keys (`new_network_key_rotation`) and returns the counter that
    /// they must present.
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn rotate_network_key(&self) -> Result<u64, LocalNetError> {
        Ok(self.act(NetworkCore::rotate_network_key)?)
    }

    /// Sets the nodes that may subscribe to a task that is not public (`whitelist_nodes_for_task`).
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn whitelist_nodes(
        &self,
        task: TaskSmallId,
        nodes: &[NodeSmallId],
    ) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.whitelist_nodes(task, nodes))?)
    }

    /// Deprecates a task that the manager created (`deprecate_task`).
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn deprecate_task(&self, task: TaskSmallId) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.deprecate_task(task))?)
    }

    /// Removes a deprecated task: as its creator (`remove_deprecated_task`), or as the network's
    /// admin (`remove_deprecated_task_by_admin`), which emits no event.
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn remove_task(&self, task: TaskSmallId, as_admin: bool) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.remove_task(task, as_admin))?)
    }

    /// Enables or disables a model (`enable_model`, `disable_model`).
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn set_model_enabled(&self, name: &str, enabled: bool) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.set_model_enabled(name, enabled))?)
    }

    /// Enables or disables the registration of nodes (`enable_registration`,
    /// `disable_registration`).
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn set_registration_enabled(&self, enabled: bool) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.set_registration_enabled(enabled))?)
    }

    /// Upgrades the contract's package as the manager, and returns the new version's id. The contract's rules stay
    /// the same, and both versions can be called.
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn upgrade_package(&self) -> Result<Address, LocalNetError> {
        Ok(self.act(NetworkCore::upgrade_package)?)
    }

    /// Sets parameters of the contract as the manager.
    ///
    /// # Errors
    /// When the transaction is refused or fails.
    pub fn set_parameters(&self, parameters: &Parameters) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.set_parameters(parameters))?)
    }
}
