//! Starting a network: its ports, servers and timers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::admin;
use crate::chain::LedgerError;
use crate::config::{CHECKPOINT_ON_STEP, LocalNetConfig};
use crate::core::NetworkCore;
use crate::error::LocalNetError;
use crate::faults::Faults;
use crate::keys;
use crate::network::{Authority, Endpoints, LocalNet};
use crate::node::LocalNode;
use crate::rpc;
use crate::server::{Connections, ServerTls, cross_origin, faucet_routes};

/// An empty checkpoint is made after this time without a checkpoint, so that subscribers can tell
/// that the network is alive.
const IDLE_CHECKPOINT: Duration = Duration::from_secs(5);

impl LocalNet {
    /// Starts a network. Its ports accept connections when this returns.
    ///
    /// # Errors
    /// When a port can't be opened, the admin address is not a loopback address, TLS can't be set
    /// up, or the ledger or the accounts' keys can't be read or written.
    pub async fn start(config: LocalNetConfig) -> Result<Self, LocalNetError> {
        if let Some(addr) = config.admin_addr
            && !addr.ip().is_loopback()
            && !config.admin_beyond_loopback
        {
            return Err(LocalNetError::AdminNotLoopback(addr));
        }
        let (listener, sui_addr) = listen(config.sui_addr).await?;
        let (admin, admin_addr) = listen_if_set(config.admin_addr).await?;
        let (faucet, faucet_addr) = listen_if_set(config.faucet_addr).await?;
        let data_dir = config.data_dir.clone();
        let tls = config.tls.clone();
        let core = Arc::new(NetworkCore::open(config)?);
        core.snapshot_if_due();
        if let Some(directory) = &data_dir {
            keys::write(&core.accounts, directory)?;
        }
        let tls = tls
            .map(|tls| ServerTls::open(&tls, data_dir.as_deref()))
            .transpose()?;
        let endpoints = Endpoints {
            sui_addr,
            admin_addr,
            faucet_addr,
            authority: tls.as_ref().map(|tls| Authority {
                pem: tls.authority.clone(),
                file: tls.authority_file.clone(),
            }),
        };
        let network = Self::new(core, endpoints);
        let gas = faucet_routes(network.clone());
        let faults = Arc::clone(&network.core.faults);
        let sui = rpc::routes(Arc::clone(&network.core), faults, network.stop.clone())
            .await?
            .merge(gas.clone())
            .layer(cross_origin());
        network.serve(listener, tls.map(|tls| tls.acceptor), sui);
        if let Some(listener) = faucet {
            network.serve(listener, None, gas.layer(cross_origin()));
        }
        if let Some(listener) = admin {
            network.serve(listener, None, admin::routes(network.clone()));
        }
        network.start_timers();
        Ok(network)
    }

    /// Starts another node of the network, at a free port of this machine and without TLS. Faults that are injected
    /// into it hit nobody else.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start_node(&self) -> Result<LocalNode, LocalNetError> {
        let (listener, addr) = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let (faults, stop) = (Arc::<Faults>::default(), self.stop.child_token());
        let routes = rpc::routes(Arc::clone(&self.core), Arc::clone(&faults), stop.clone()).await?;
        self.tasks.spawn(
            Connections {
                listener,
                tls: None,
                router: routes,
                stop: stop.clone(),
            }
            .serve(),
        );
        Ok(LocalNode {
            core: Arc::clone(&self.core),
            addr,
            faults,
            stop,
        })
    }

    /// Serves a port until the network stops.
    fn serve(&self, listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
        let stop = self.stop.clone();
        let connections = Connections {
            listener,
            tls,
            router,
            stop,
        };
        self.tasks.spawn(connections.serve());
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

async fn listen_if_set(
    addr: Option<SocketAddr>,
) -> Result<(Option<TcpListener>, Option<SocketAddr>), LocalNetError> {
    let Some(addr) = addr else {
        return Ok((None, None));
    };
    let (listener, addr) = listen(addr).await?;
    Ok((Some(listener), Some(addr)))
}
