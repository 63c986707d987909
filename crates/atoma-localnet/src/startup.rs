//! Starting a network: its ports, servers and timers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::admin;
use crate::chain::LedgerError;
use crate::config::{CHECKPOINT_ON_STEP, LocalNetConfig};
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::network::LocalNet;
use crate::rpc;

/// An empty checkpoint is made after this time without a checkpoint, so that subscribers can tell
/// that the network is alive.
const IDLE_CHECKPOINT: Duration = Duration::from_secs(5);

impl LocalNet {
    /// Starts a network. Its ports accept connections when this returns.
    ///
    /// # Errors
    /// When a port can't be opened, the admin address is not a loopback address, or the ledger
    /// can't be opened.
    pub async fn start(config: LocalNetConfig) -> Result<Self, LocalNetError> {
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
        let core = Arc::new(NetworkCore::open(config)?);
        let admin_addr = admin.as_ref().map(|(_, addr)| *addr);
        let network = Self::new(core, sui_addr, admin_addr);
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
                let even_if_empty = idle >= IDLE_CHECKPOINT;
                let before = core.ledger().height();
                let after = core.checkpoint(even_if_empty)?;
                Ok(after != before)
            });
        }
        if let Some(epoch_ms) = self.core.config.epoch_ms {
            let core = Arc::clone(&self.core);
            self.every(epoch_ms, move |_| core.advance_epoch().map(|_| true));
        }
    }

    /// Runs `step` every `ms` milliseconds. `step` receives the time since it last had an effect,
    /// and returns whether it had one.
    fn every(
        &self,
        ms: u64,
        step: impl Fn(Duration) -> Result<bool, LedgerError> + Send + 'static,
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
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), LocalNetError> {
    let failed = |source| LocalNetError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}
