//! Building the daemon, running it, stopping it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use atoma_api::{AllowedHosts, ApiConfig, ApiServer};
use atoma_domain::ports::{ChainError, StoreError};
use atoma_domain::{CheckpointNumber, Mist};
use atoma_operator::{
    Applied, Engine, EngineConfig, Ingestor, LimitsConfig, Operator, Ports, Readiness,
    ReconcileError,
};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{ClientConfig, SuiChain, SuiEventSource};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::Config;
use crate::clock::SystemClock;

/// How often the current epoch is asked for.
const EPOCH_INTERVAL: Duration = Duration::from_secs(2);
/// How often the operator's coins are looked at while they hold too little.
const BALANCE_INTERVAL: Duration = Duration::from_secs(30);
/// The pause between tries to start while the Sui node does not answer.
const START_PAUSE: Duration = Duration::from_secs(2);
/// Threads that answer HTTP requests; the work behind them is asynchronous.
const API_WORKERS: usize = 2;

/// A daemon that listens and is ready to run.
#[derive(Debug)]
pub struct Daemon {
    api: ApiServer,
    operator: Operator,
    core: Core,
}

/// Everything behind the API.
#[derive(Clone, Debug)]
struct Core {
    ports: Ports,
    engine: Engine,
    applied: Applied,
    readiness: Readiness,
    state: SqliteState,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Whether somebody else may use the operator's badges.
    allow_foreign_use: bool,
    recovery_timeout: Duration,
}

/// Why the start can't be completed.
#[derive(Debug, Error)]
enum StartError {
    /// The Sui node does not answer; it may later.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database is another chain's, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReconcileError> for StartError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Chain(source) => Self::Chain(source),
            ReconcileError::Store(source) => Self::Store(source),
        }
    }
}

impl Daemon {
    /// Wires everything together and listens; runs until `stopping` is cancelled.
    ///
    /// # Errors
    /// When the keys can't be read, the database can't be opened or belongs to another chain, or
    /// the port is taken. A Sui node that does not answer is no error: it is waited for.
    pub async fn build(config: Config, stopping: CancellationToken) -> anyhow::Result<Self> {
        let core = Core::build(&config, stopping).await?;
        let operator = Operator::new(
            core.ports.clone(),
            core.engine.clone(),
            core.applied.clone(),
            core.readiness.clone(),
            Duration::from_secs(config.request_timeout_s),
        );
        let api = ApiServer::bind(
            operator.clone(),
            ApiConfig {
                addr: config.http_addr,
                allowed_hosts: AllowedHosts(config.allowed_hosts),
                workers: API_WORKERS,
            },
        )?;
        info!(addr = %api.addr(), operator = %core.ports.signer.address(), "listening");
        match core.start().await {
            Ok(()) => {}
            Err(StartError::Chain(error)) => {
                warn!(%error, "the Sui node does not answer yet; reads are served meanwhile");
                core.tasks.spawn(core.clone().keep_starting());
            }
            Err(error) => return Err(error).context("the daemon can't start"),
        }
        Ok(Self {
            api,
            operator,
            core,
        })
    }

    /// Where the API listens.
    pub const fn addr(&self) -> SocketAddr {
        self.api.addr()
    }

    /// The use cases, as the API calls them.
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Serves until stopped, then lets what is under way end and closes the database.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        let Self { api, core, .. } = self;
        let handle = api.handle();
        let stopping = core.stopping.clone();
        core.tasks.spawn(async move {
            stopping.cancelled().await;
            handle.stop(true).await;
        });
        let served = api.run().await.context("the API stopped");
        core.stopping.cancel();
        core.engine.stopped().await;
        core.tasks.close();
        core.tasks.wait().await;
        core.state.close().await;
        info!("stopped");
        served
    }
}

impl Core {
    async fn build(config: &Config, stopping: CancellationToken) -> anyhow::Result<Self> {
        let client = ClientConfig::load(&config.sui.client_config)?;
        let signer = client.signer()?;
        let rpc_url = match &config.sui.rpc_url {
            Some(url) => url.clone(),
            None => client.rpc_url()?.to_owned(),
        };
        let chain = SuiChain::connect(atoma_sui::SuiConfig::new(
            rpc_url,
            config.sui.package_id,
            config.sui.atoma_db_id,
        ))?;
        let source = SuiEventSource::new(
            Arc::clone(&chain),
            CheckpointNumber::new(config.sui.start_checkpoint),
        );
        let path = config.data_dir.join("atoma.sqlite");
        let state = SqliteState::open(&path, StateOptions::default())
            .await
            .with_context(|| format!("the database {} can't be opened", path.display()))?;
        let ports = Ports {
            chain,
            source: Arc::new(source),
            signer: Arc::new(signer),
            state: Arc::new(state.clone()),
            work: Arc::new(state.clone()),
            events: Arc::new(state.clone()),
            journal: Arc::new(state.clone()),
            clock: Arc::new(SystemClock),
        };
        let engine_config = EngineConfig {
            gas_margin_percent: config.gas.margin_percent,
            gas_budget_ceiling: config.gas.budget_ceiling_mist,
            low_gas_balance: config.gas.low_balance_mist,
            queue_limit: config.queue_limit,
            limits: LimitsConfig {
                daily_gas_cap: config.gas.daily_cap_mist.map(Mist::new),
                breaker_failures: config.breaker.failures,
                breaker_pause: Duration::from_secs(config.breaker.pause_s),
            },
            ..EngineConfig::default()
        };
        let applied = Applied::default();
        let readiness = Readiness::new(ports.clone(), applied.clone());
        readiness.adopt_earlier_mirror().await?;
        Ok(Self {
            engine: Engine::new(ports.clone(), engine_config, stopping.clone()),
            ports,
            applied,
            readiness,
            state,
            tasks: TaskTracker::new(),
            stopping,
            allow_foreign_use: config.allow_foreign_use,
            recovery_timeout: Duration::from_secs(config.recovery_timeout_s),
        })
    }

    /// What needs the chain: make sure that it is the database's own, learn the operator's nodes,
    /// follow the ledger, and take up the attempts that a crash left undecided. Writes begin when they
    /// are decided.
    async fn start(&self) -> Result<(), StartError> {
        let identity = self.ports.chain.identity().await?;
        self.ports.events.bind(&identity).await?;
        self.readiness.reconcile_nodes().await?;
        self.engine.take_up_attempts().await?;
        let ingestor = Ingestor::new(self.ports.clone(), self.applied.clone());
        self.tasks.spawn(ingestor.run(self.stopping.clone()));
        let epochs = self.readiness.clone();
        let stopping = self.stopping.clone();
        self.tasks
            .spawn(epochs.follow_epochs(EPOCH_INTERVAL, stopping));
        let engine = self.engine.clone();
        self.tasks.spawn(engine.watch_balance(BALANCE_INTERVAL));
        info!(%identity, "started");
        let decided = self.engine.resolved(Duration::ZERO).await;
        if !decided || self.begin_writes().await.is_err() {
            self.tasks.spawn(self.clone().begin_writes_when_decided());
        }
        Ok(())
    }

    /// Compares the journal with the chain, takes up what is queued, and lets writes begin.
    async fn begin_writes(&self) -> Result<(), StartError> {
        if let Some(reason) = self.readiness.foreign_use().await? {
            if self.allow_foreign_use {
                warn!("{reason}");
            } else {
                error!("writes are stopped: {reason}");
                self.engine.stop_signing(reason.clone());
                self.readiness.stop_writes(reason);
            }
        }
        self.engine.look_at_balance().await;
        self.engine.take_up_queued().await?;
        self.readiness.note_started();
        Ok(())
    }

    async fn begin_writes_when_decided(self) {
        tokio::select! {
            () = self.stopping.cancelled() => return,
            decided = self.engine.resolved(self.recovery_timeout) => if !decided {
                // Safe all the same: its lane decides it before it signs anything else.
                error!("what was sent before the start is still not decided; its node waits, the others go on");
            },
        }
        loop {
            match self.begin_writes().await {
                Ok(()) => return,
                Err(error) => warn!(%error, "writes can't begin yet"),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(START_PAUSE) => {}
            }
        }
    }

    /// Tries to start until it succeeds; a database of another chain stops the daemon.
    async fn keep_starting(self) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(START_PAUSE) => {}
            }
            match self.start().await {
                Ok(()) => return,
                Err(StartError::Chain(error)) => warn!(%error, "the Sui node does not answer yet"),
                Err(error) => {
                    error!(%error, "the daemon can't start");
                    self.stopping.cancel();
                    return;
                }
            }
        }
    }
}
