//! A running network and its control methods.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::{NodeSmallId, StackSmallId};
use sui_sdk_types::Address;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actions::{ActionError, Gift};
use crate::config::Addresses;
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::execution::limits;
use crate::faults::Fault;

/// Where a network listens.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) sui_addr: SocketAddr,
    pub(crate) admin_addr: Option<SocketAddr>,
    pub(crate) faucet_addr: Option<SocketAddr>,
    /// Whom clients must trust, if `sui_addr` is secured.
    pub(crate) authority: Option<Authority>,
}

/// The authority that signed the server's certificate.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) file: Option<PathBuf>,
}

/// A local Sui network with the Atoma contract. A clone is another handle to the same network.
#[derive(Debug, Clone)]
pub struct LocalNet {
    pub(crate) core: Arc<NetworkCore>,
    endpoints: Arc<Endpoints>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Held during an action: each action uses its account's coins at their latest versions, so
    /// only one may run at a time.
    action_lock: Arc<Mutex<()>>,
}

impl LocalNet {
    /// A network whose servers and timers are not running yet.
    pub(crate) fn new(core: Arc<NetworkCore>, endpoints: Endpoints) -> Self {
        Self {
            core,
            endpoints: Arc::new(endpoints),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            action_lock: Arc::default(),
        }
    }

    /// The URL for gRPC clients.
    pub fn url(&self) -> String {
        let scheme = match self.endpoints.authority {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.endpoints.sui_addr)
    }

    /// The URL of the control calls, if they are enabled.
    pub fn admin_url(&self) -> Option<String> {
        let addr = self.endpoints.admin_addr?;
        Some(format!("http://{addr}"))
    }

    /// The URL to give to SDKs as the faucet's.
    pub fn faucet_url(&self) -> String {
        match self.endpoints.faucet_addr {
            Some(addr) => format!("http://{addr}"),
            None => self.url(),
        }
    }

    /// The certificate of the authority that clients must trust, as PEM; `None` without TLS.
    pub fn ca_certificate(&self) -> Option<&str> {
        let authority = self.endpoints.authority.as_ref()?;
        Some(&authority.pem)
    }

    /// The file with [`ca_certificate`](Self::ca_certificate), if there is a data directory.
    pub fn ca_file(&self) -> Option<&Path> {
        self.endpoints.authority.as_ref()?.file.as_deref()
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
        self.act(|core| core.give(address, sui, (usdc > 0).then_some(usdc)))?;
        Ok(())
    }

    /// Sends an address several coins of SUI in one transaction, in MIST.
    ///
    /// # Errors
    /// When the faucet's transaction is refused or fails.
    pub fn faucet_coins(&self, address: Address, sui_mist: &[u64]) -> Result<(), LocalNetError> {
        self.act(|core| core.give(address, sui_mist, None))?;
        Ok(())
    }

    /// Sends an address a coin of SUI, and returns it with the transaction's digest.
    pub(crate) fn gift(&self, address: Address, sui_mist: u64) -> Result<Gift, LocalNetError> {
        self.act(|core| core.give(address, &[sui_mist], None))?
            .ok_or_else(|| LocalNetError::Action("the faucet sent nothing".to_owned()))
    }

    /// Ends the epoch and returns the new one, which clients see as soon as this returns.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn advance_epoch(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.advance_epoch()?.epoch)
    }

    /// Sets the reference gas price from the next epoch on, in MIST per computation unit.
    ///
    /// # Errors
    /// When the price is 0 or above the protocol's maximum, or the ledger can't be written.
    pub fn set_next_gas_price(&self, price: u64) -> Result<(), LocalNetError> {
        if !(1..limits::MAX_GAS_PRICE).contains(&price) {
            return Err(LocalNetError::Action(format!(
                "a reference gas price must be at least 1 and below {}",
                limits::MAX_GAS_PRICE
            )));
        }
        Ok(self.core.set_next_gas_price(price)?)
    }

    /// Makes a checkpoint of all pending transactions, empty if there are none, and returns its
    /// sequence number.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn step(&self) -> Result<u64, LocalNetError> {
        Ok(self.core.checkpoint(true)?)
    }

    /// Makes a snapshot, from which the next start goes on instead of reading the whole ledger log. Nothing
    /// is executed meanwhile. Returns its latest checkpoint and its size in bytes.
    ///
    /// An orderly stop makes one too, if much was executed since the last.
    ///
    /// # Errors
    /// When the network has no data directory, or the snapshot can't be written.
    pub fn snapshot(&self) -> Result<(u64, u64), LocalNetError> {
        let saved = self.core.snapshot()?;
        Ok((saved.checkpoint, saved.bytes))
    }

    /// Makes a [snapshot](Self::snapshot) if a start would take long without one. A failure is only logged,
    /// because the network works without.
    pub fn snapshot_if_due(&self) {
        self.core.snapshot_if_due();
    }

    /// Sets the network's clock ahead. Checkpoints and faults that last for a time go by it.
    pub fn advance_clock(&self, ms: u64) {
        self.core.clock.advance(ms);
        self.core.faults.wake();
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
        self.core.faults.inject(fault, self.core.clock.now_ms());
    }

    /// The injected faults that calls have yet to hit, each with its remaining count.
    pub fn faults(&self) -> Vec<Fault> {
        self.core.faults.pending(self.core.clock.now_ms())
    }

    /// Removes all injected faults.
    pub fn clear_faults(&self) {
        self.core.faults.clear();
    }

    /// Stops all servers and timers, and waits until they have stopped. Then makes a snapshot, if a start
    /// would take long without one.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.core.snapshot_if_due();
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
