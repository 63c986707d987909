//! A running network and its control methods.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::Address;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actions::{ActionError, NewModel, NewTask, Parameters, Purchase};
use crate::config::Addresses;
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::faults::Fault;

/// A local Sui network with the Atoma contract. A clone is another handle to the same network.
#[derive(Debug, Clone)]
pub struct LocalNet {
    pub(crate) core: Arc<NetworkCore>,
    sui_addr: SocketAddr,
    admin_addr: Option<SocketAddr>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Held during an action: each action uses its account's coins at their latest versions, so
    /// only one may run at a time.
    action_lock: Arc<Mutex<()>>,
}

impl LocalNet {
    /// A network whose servers and timers are not running yet.
    pub(crate) fn new(
        core: Arc<NetworkCore>,
        sui_addr: SocketAddr,
        admin_addr: Option<SocketAddr>,
    ) -> Self {
        Self {
            core,
            sui_addr,
            admin_addr,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            action_lock: Arc::default(),
        }
    }

    /// The URL for gRPC clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.sui_addr)
    }

    /// The URL of the control calls, if they are enabled.
    pub fn admin_url(&self) -> Option<String> {
        self.admin_addr.map(|addr| format!("http://{addr}"))
    }

    /// The addresses of the contract and of the test currency.
    pub fn addresses(&self) -> Addresses {
        self.core.addresses
    }

    /// The chain identifier, as `GetServiceInfo` returns it.
    pub fn chain_id(&self) -> String {
        self.core.ledger().chain_id().to_string()
    }

    /// The built-in buyer's address.
    pub fn buyer(&self) -> Address {
        self.core.accounts.buyer.address
    }

    /// The current epoch.
    pub fn epoch(&self) -> u64 {
        self.core.ledger().epoch().epoch
    }

    /// Sends an address a coin of SUI, in MIST, and a coin of test USDC, in micro-USDC. An amount of
    /// 0 sends no coin of that kind.
    ///
    /// # Errors
    /// When the faucet's transaction is refused or fails.
    pub fn faucet(&self, address: Address, sui_mist: u64, usdc: u64) -> Result<(), LocalNetError> {
        let sui = [sui_mist];
        let sui = if sui_mist > 0 { &sui[..] } else { &[] };
        Ok(self.act(|core| core.give(address, sui, (usdc > 0).then_some(usdc)))?)
    }

    /// Sends an address several coins of SUI in one transaction, in MIST.
    ///
    /// # Errors
    /// When the faucet's transaction is refused or fails.
    pub fn faucet_coins(&self, address: Address, sui_mist: &[u64]) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.give(address, sui_mist, None))?)
    }

    /// Ends the epoch and returns the new one, which clients see as soon as this returns.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn advance_epoch(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.advance_epoch()?.epoch)
    }

    /// Makes a checkpoint of all pending transactions, empty if there are none, and returns its
    /// sequence number.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn step(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.checkpoint(true)?)
    }

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
        Ok(self.act(|core| core.buy_stacks(purchase))?)
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

    /// Sets the attesters that the settlement of a stack draws; an empty list means none. The
    /// setting is lost at a restart.
    pub fn force_attesters(&self, stack: StackSmallId, nodes: Vec<NodeSmallId>) {
        Arc::make_mut(&mut self.core.forced().attesters).insert(stack, nodes);
    }

    /// The contract's state as JSON: `nodes`, `tasks`, `subscriptions`, `stacks`, `tickets`,
    /// `balances`, `parameters`, and the network's `epoch` and `checkpoint`.
    ///
    /// # Errors
    /// When the contract's objects can't be read.
    pub fn state(&self) -> Result<serde_json::Value, LocalNetError> {
        Ok(self.core.state()?)
    }

    /// Injects a fault into the next calls.
    pub fn inject_fault(&self, fault: Fault) {
        self.core.faults.inject(fault);
    }

    /// The injected faults that calls have yet to hit, each with its remaining count.
    pub fn faults(&self) -> Vec<Fault> {
        self.core.faults.pending()
    }

    /// Removes all injected faults.
    pub fn clear_faults(&self) {
        self.core.faults.clear();
    }

    /// Stops all servers and timers, and waits until they have stopped.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Runs one action, after any other has finished.
    pub(crate) fn act<T>(
        &self,
        action: impl FnOnce(&NetworkCore) -> Result<T, ActionError>,
    ) -> Result<T, ActionError> {
        let _guard = self
            .action_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        action(&self.core)
    }
}
