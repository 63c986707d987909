//! The daemon as a whole: build it, run it, stop it.

use std::net::SocketAddr;

use anyhow::Context;
use atoma_api::{AllowedHosts, ApiConfig, ApiLimits, ApiServer};
use atoma_metrics::Metrics;
use atoma_operator::{Node, Operator};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::backend::build_node;
use crate::config::Config;
use crate::reload::reload_on_hangup;
use crate::supervisor::{self, Supervisor};

/// Threads that answer HTTP requests. Two are enough, because the work behind them is asynchronous.
const API_WORKERS: usize = 2;
/// What an impossible start is told under.
const CANT_START: &str = "can't start the daemon";

/// A daemon that listens and is ready to run.
#[derive(Debug)]
pub struct Daemon {
    api: ApiServer,
    node: Node,
    supervisor: Supervisor,
}

impl Daemon {
    /// Connects all parts and binds the API. The daemon runs until `stopping` is cancelled.
    ///
    /// # Errors
    /// When the key can't be read, when the database can't be opened or belongs to another chain,
    /// or when the port is taken. An unavailable Sui node is not an error: the daemon keeps trying.
    pub async fn build(config: Config, stopping: CancellationToken) -> anyhow::Result<Self> {
        let access = config.access(|name| std::env::var_os(name))?.for_api()?;
        let metrics = Metrics::new()?;
        metrics.watch_disk(config.data_dir.clone())?;
        let allowed_hosts = AllowedHosts::new(config.allowed_hosts.clone())?;
        let node = build_node(&config, &metrics, stopping.clone()).await?;
        let supervisor = Supervisor::default();
        let api = ApiConfig {
            addr: config.http_addr,
            allowed_hosts,
            access,
            workers: API_WORKERS,
            limits: ApiLimits::default(),
            metrics,
            page: config.page,
            configuration: config.view(),
        };
        match begin(&node, config, api, &supervisor, stopping).await {
            Ok(api) => Ok(Self {
                api,
                node,
                supervisor,
            }),
            Err(error) => {
                // So that the data directory is free when this returns. Why it failed is known already.
                let _ = node.stop().await;
                Err(error)
            }
        }
    }

    /// The address of the API.
    pub const fn addr(&self) -> SocketAddr {
        self.api.addr()
    }

    /// The use cases that the API calls.
    pub const fn operator(&self) -> &Operator {
        self.node.operator()
    }

    /// Serves until stopped, then finishes the work under way and closes the database.
    ///
    /// # Errors
    /// When the HTTP server fails, or a start that had to wait for the Sui node turns out to be impossible.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        let Self {
            api,
            node,
            supervisor,
        } = self;
        supervisor.ready();
        let handle = api.handle();
        node.when_stopping(async move {
            supervisor::stopping();
            handle.stop(true).await;
        });
        let served = api.run().await.context("the HTTP server failed");
        let stopped = node.stop().await;
        info!("stopped");
        served?;
        stopped.context(CANT_START)
    }
}

/// Binds the API and starts the node.
async fn begin(
    node: &Node,
    config: Config,
    api: ApiConfig,
    supervisor: &Supervisor,
    stopping: CancellationToken,
) -> anyhow::Result<ApiServer> {
    let operator = node.operator();
    let api = ApiServer::bind(operator.clone(), node.autopilot().clone(), api)?;
    let (access, told) = (api.access().clone(), supervisor.clone());
    // Before it is known where it listens: without a handler, SIGHUP ends the process.
    reload_on_hangup(config, access, told, stopping.clone());
    info!(addr = %api.addr(), operator = %operator.ports().signer.address(), "listening");
    supervisor::start_watchdog(operator.ports().events.clone(), stopping);
    node.start().await.context(CANT_START)?;
    Ok(api)
}
