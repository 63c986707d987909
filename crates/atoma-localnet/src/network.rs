//! The network as a value: started, controlled, shut down.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::Address;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actions::{ActionError, NewModel, NewTask, Parameters, Purchase};
use crate::admin;
use crate::config::{Addresses, CHECKPOINT_ON_STEP, Config};
use crate::core::Core;
use crate::faults::Fault;
use crate::rpc;

/// An empty checkpoint is made after this time without any, so that followers see the network live.
const IDLE_CHECKPOINT: Duration = Duration::from_secs(5);

/// Why the network could not start, or an action not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalNetError {
    /// An address can't be listened on.
    #[error("can't listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The control calls must stay on this machine.
    #[error("the admin address {0} is not a loopback address")]
    AdminNotLoopback(SocketAddr),
    /// The ledger can't be read or written.
    #[error("the ledger failed: {0}")]
    Ledger(String),
    /// A transaction of the network's own accounts did not go through.
    #[error("{0}")]
    Action(String),
    /// The contract's state can't be told.
    #[error("the contract's state can't be read: {0}")]
    State(String),
    /// A file can't be written.
    #[error("can't write {path}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl From<ActionError> for LocalNetError {
    fn from(error: ActionError) -> Self {
        Self::Action(chain_of(&error))
    }
}

impl From<crate::chain::ChainError> for LocalNetError {
    fn from(error: crate::chain::ChainError) -> Self {
        Self::Ledger(chain_of(&error))
    }
}

impl From<crate::state::StateError> for LocalNetError {
    fn from(error: crate::state::StateError) -> Self {
        Self::State(chain_of(&error))
    }
}

/// An error's text with those of its causes: these errors' types are the network's own matter.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A local Sui network with the Atoma contract. Cloning gives another handle of the same network.
#[derive(Debug, Clone)]
pub struct LocalNet {
    core: Arc<Core>,
    sui_addr: SocketAddr,
    admin_addr: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// One action at a time: each uses its account's coins at their latest versions.
    acting: Arc<Mutex<()>>,
}

impl LocalNet {
    /// Starts a network; its ports listen when this returns.
    ///
    /// # Errors
    /// When a port can't be listened on or the ledger can't be opened.
    pub async fn start(config: Config) -> Result<Self, LocalNetError> {
        if let Some(addr) = config.admin_addr
            && !addr.ip().is_loopback()
        {
            return Err(LocalNetError::AdminNotLoopback(addr));
        }
        let (listener, sui_addr) = listen(config.sui_addr).await?;
        let admin = match config.admin_addr {
            Some(addr) => Some(listen(addr).await?),
            None => None,
        };
        let core = Arc::new(Core::open(config)?);
        let network = Self {
            core,
            sui_addr,
            admin_addr: admin.as_ref().map(|(_, addr)| *addr),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            acting: Arc::default(),
        };
        let server = rpc::serve(Arc::clone(&network.core), listener, network.stop.clone());
        network.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the gRPC server failed");
            }
        });
        if let Some((listener, _)) = admin {
            let server = admin::serve(network.clone(), listener, network.stop.clone());
            network.tasks.spawn(async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the control server failed");
                }
            });
        }
        network.start_timers();
        Ok(network)
    }

    fn start_timers(&self) {
        let checkpoint_ms = self.core.config.checkpoint_ms;
        if checkpoint_ms > 0 && checkpoint_ms != CHECKPOINT_ON_STEP {
            let core = Arc::clone(&self.core);
            self.every(checkpoint_ms, move |idle| {
                let due = idle >= IDLE_CHECKPOINT;
                let before = core.ledger().height();
                let after = core.checkpoint(due)?;
                Ok(after != before)
            });
        }
        if let Some(epoch_ms) = self.core.config.epoch_ms {
            let core = Arc::clone(&self.core);
            self.every(epoch_ms, move |_| core.advance_epoch().map(|_| true));
        }
    }

    /// Runs `step` each `ms`, telling it for how long it has had no effect.
    fn every(
        &self,
        ms: u64,
        step: impl Fn(Duration) -> Result<bool, crate::chain::ChainError> + Send + 'static,
    ) {
        let stop = self.stop.clone();
        let period = Duration::from_millis(ms.max(1));
        self.tasks.spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.tick().await;
            let mut idle = Duration::ZERO;
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = ticks.tick() => {}
                }
                idle += period;
                match step(idle) {
                    Ok(true) => idle = Duration::ZERO,
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "the ledger failed"),
                }
            }
        });
    }

    /// Where gRPC clients connect.
    pub fn url(&self) -> String {
        format!("http://{}", self.sui_addr)
    }

    /// Where the control calls are, if they are on.
    pub fn admin_url(&self) -> Option<String> {
        self.admin_addr.map(|addr| format!("http://{addr}"))
    }

    /// Where the contract stands.
    pub fn addresses(&self) -> Addresses {
        self.core.addresses
    }

    /// The chain's identifier, as `GetServiceInfo` gives it.
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

    /// Gives an address a coin of SUI and a coin of test USDC; none where the amount is 0.
    ///
    /// # Errors
    /// When the faucet's transaction does not go through.
    pub fn faucet(&self, address: Address, sui_mist: u64, usdc: u64) -> Result<(), LocalNetError> {
        let sui = [sui_mist];
        let sui = if sui_mist > 0 { &sui[..] } else { &[] };
        Ok(self.act(|core| core.give(address, sui, (usdc > 0).then_some(usdc)))?)
    }

    /// Gives an address several coins of SUI at once.
    ///
    /// # Errors
    /// When the faucet's transaction does not go through.
    pub fn faucet_coins(&self, address: Address, sui_mist: &[u64]) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.give(address, sui_mist, None))?)
    }

    /// Ends the epoch; the answer is the new one, which clients see from now on.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn advance_epoch(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.advance_epoch()?.epoch)
    }

    /// Makes a checkpoint of what is pending, even of nothing, and returns its sequence number.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn step(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.checkpoint(true)?)
    }

    /// Creates a task as the manager.
    ///
    /// # Errors
    /// When the transaction does not go through.
    pub fn create_task(&self, task: &NewTask) -> Result<TaskSmallId, LocalNetError> {
        Ok(self.act(|core| core.create_task(task))?)
    }

    /// Adds a model and its echelons as the manager.
    ///
    /// # Errors
    /// When the transaction does not go through, such as for a name that is taken or not ASCII.
    pub fn create_model(&self, model: &NewModel) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.create_model(model))?)
    }

    /// Buys stacks as the built-in buyer, each in a transaction of its own.
    ///
    /// # Errors
    /// When a transaction does not go through; those before it did.
    pub fn buy_stacks(&self, purchase: &Purchase) -> Result<Vec<StackSmallId>, LocalNetError> {
        Ok(self.act(|core| core.buy_stacks(purchase))?)
    }

    /// Sets numbers of the contract as the manager.
    ///
    /// # Errors
    /// When the transaction does not go through.
    pub fn set_parameters(&self, parameters: &Parameters) -> Result<(), LocalNetError> {
        Ok(self.act(|core| core.set_parameters(parameters))?)
    }

    /// Decides which attesters the settlement of a stack draws, none for an empty list. A restart
    /// forgets it.
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

    /// Makes the next calls suffer a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.core.faults.inject(fault);
    }

    /// The faults that wait for calls, with how many will suffer each.
    pub fn faults(&self) -> Vec<Fault> {
        self.core.faults.armed()
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.core.faults.clear();
    }

    /// Stops all servers and timers, and waits until they have stopped.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// One action at a time.
    pub(crate) fn act<T>(
        &self,
        action: impl FnOnce(&Core) -> Result<T, ActionError>,
    ) -> Result<T, ActionError> {
        let _one = self.acting.lock().unwrap_or_else(PoisonError::into_inner);
        action(&self.core)
    }
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), LocalNetError> {
    let failed = |source| LocalNetError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}
