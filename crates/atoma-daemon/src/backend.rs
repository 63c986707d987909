//! Everything behind the API: ports, engine, ingestion, and the order in which they start.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, StoreError};
use atoma_domain::{CheckpointNumber, Mist, with_causes};
use atoma_metrics::Metrics;
use atoma_operator::{
    Applied, Engine, EngineConfig, Ingestor, JournalUpkeep, LimitsConfig, Operator, Ports,
    Readiness, ReconcileError, Reconciler,
};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{
    ClientConfig, MaxLag, NodeUrl, Priority, SuiChainConfig, SuiNodes, SuiNodesSource,
};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_dir::{DataDirLock, database};
use crate::random::random_fraction;

/// Interval between looks at the Sui nodes, if there are several.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);
/// Interval between reads of the current epoch.
const EPOCH_INTERVAL: Duration = Duration::from_secs(2);
/// Interval between reads of the operator's coins while their balance is low.
const BALANCE_INTERVAL: Duration = Duration::from_secs(30);
/// A day in seconds.
const DAY_S: u64 = 86_400;
/// Pause between attempts to start while the Sui node is not available.
const START_PAUSE: Duration = Duration::from_secs(2);

/// The adapters behind the ports, and what runs on them.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    /// Those of the engine and the ingestion.
    ports: Ports,
    engine: Engine,
    applied: Applied,
    readiness: Readiness,
    reconciler: Reconciler,
    state: SqliteState,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Accept writes even when another program uses the operator's badges.
    allow_foreign_use: bool,
    is_demonstration: bool,
    recovery_timeout: Duration,
    /// How long concluded transactions keep their bytes; `None` is for ever.
    keep_bytes: Option<Duration>,
    data_dir: Arc<DataDirLock>,
    /// Why a start in the background stopped the daemon.
    fatal: Arc<Mutex<Option<StartError>>>,
}

/// Why the start is not complete.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// The Sui node did not answer, but may later.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The configured ids are not the contract's.
    #[error(transparent)]
    Contract(ChainError),
    /// The database failed or belongs to another chain.
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

/// Connections to the configured Sui nodes, not opened yet, with the nodes' URLs.
///
/// # Errors
/// When no node is configured, or the files about them can't be used.
pub(crate) fn connect(
    config: &Config,
    client: &ClientConfig,
) -> anyhow::Result<(Vec<NodeUrl>, SuiNodes)> {
    let needs_client = config.sui.rpc_url.is_none() && config.sui.nodes.is_empty();
    let in_client = needs_client.then(|| client.rpc_url()).transpose()?;
    let urls = config.urls_of_nodes(in_client.map(str::to_owned));
    config.warn_of_exposed_headers(&urls);
    let accesses = config.access_of_nodes(|name| std::env::var_os(name))?;
    let nodes = urls.iter().zip(accesses).zip(config.limits_of_nodes());
    let nodes = nodes.map(|((url, access), limit)| SuiChainConfig {
        max_lag: Some(MaxLag {
            limit: Duration::from_secs(config.sui.max_lag_s),
            clock: Arc::new(SystemClock),
        }),
        access,
        limit,
        ..SuiChainConfig::new(url, config.sui.package_id, config.sui.atoma_db_id)
    });
    let chain = SuiNodes::connect(nodes)?;
    let urls = urls
        .iter()
        .map(|url| url.parse())
        .collect::<Result<_, _>>()?;
    Ok((urls, chain))
}

impl Backend {
    /// Reads the key, locks the data directory, opens the database and connects the adapters. Asks nothing of the chain.
    pub(crate) async fn build(
        config: &Config,
        metrics: &Metrics,
        stopping: CancellationToken,
    ) -> anyhow::Result<Self> {
        let client = ClientConfig::load(&config.sui.client_config)
            .context("can't use the file that `sui.client_config` names")?;
        let signer = client.signer().with_context(|| {
            format!(
                "can't use the key of `active_address` in the keystore that `keystore.File` in {} names",
                config.sui.client_config.display()
            )
        })?;
        let (urls, nodes) = connect(config, &client)?;
        let source = SuiNodesSource::new(
            nodes.clone(),
            CheckpointNumber::new(config.sui.start_checkpoint),
        );
        let path = database(&config.data_dir);
        let data_dir = DataDirLock::take(&config.data_dir)?;
        let state = SqliteState::open(&path, StateOptions::default()).await?;
        let ports = Ports {
            chain: metrics.counting(Arc::new(nodes.clone())),
            source: Arc::new(source),
            signer: Arc::new(signer),
            state: Arc::new(state.clone()),
            work: Arc::new(state.clone()),
            events: Arc::new(state.clone()),
            journal: Arc::new(state.clone()),
            figures: Arc::new(state.clone()),
            clock: Arc::new(SystemClock),
        };
        let engine_config = EngineConfig {
            gas_margin_percent: config.gas.margin_percent,
            gas_budget_ceiling: config.gas.budget_ceiling_mist,
            low_gas_balance: config.gas.low_balance_mist,
            queue_limit: config.queue_limit,
            jitter: random_fraction,
            allow_foreign_use: config.allow_foreign_use,
            limits: LimitsConfig {
                daily_gas_cap: config.gas.daily_cap_mist.map(Mist::new),
                breaker_failures: config.breaker.failures,
                breaker_pause: Duration::from_secs(config.breaker.pause_s),
            },
            ..EngineConfig::default()
        };
        let applied = Applied::default();
        // Readiness and metrics wait where a node limits requests, and payments go first.
        let others = Ports {
            chain: metrics.counting(Arc::new(nodes.with_priority(Priority::Other))),
            ..ports.clone()
        };
        let readiness = Readiness::new(others, applied.clone());
        readiness.adopt_earlier_mirror().await?;
        // Of several nodes, a wrong one must not be the first to say which chain it is.
        if urls.len() > 1
            && let Some(identity) = state.bound_to().await?
        {
            nodes.expect(identity.chain_id)?;
        }
        let tasks = TaskTracker::new();
        tasks.spawn(nodes.clone().watch(LOOK_INTERVAL, stopping.clone()));
        Ok(Self {
            engine: Engine::new(ports.clone(), engine_config, stopping.clone()),
            reconciler: Reconciler::new(
                Arc::new(nodes.with_priority(Priority::Other)),
                Arc::new(state.clone()),
                ports.clock.clone(),
                applied.clone(),
            ),
            ports,
            applied,
            readiness,
            state,
            tasks,
            stopping,
            allow_foreign_use: config.allow_foreign_use,
            is_demonstration: config.is_demonstration,
            recovery_timeout: Duration::from_secs(config.recovery_timeout_s),
            keep_bytes: (config.journal.keep_bytes_days > 0)
                .then(|| Duration::from_secs(config.journal.keep_bytes_days * DAY_S)),
            data_dir: Arc::new(data_dir),
            fatal: Arc::default(),
        })
    }

    /// The use cases on top of this backend. An answer waits for at most `request_timeout`.
    pub(crate) fn operator(&self, request_timeout: Duration) -> Operator {
        let served = self.state.for_served_work();
        Operator::new(
            self.ports.clone().over_database(served),
            self.engine.clone(),
            self.applied.clone(),
            self.readiness.clone(),
            request_timeout,
        )
        .reconciling_with(self.reconciler.clone())
    }

    /// The part of the start that needs the chain: check that it is the database's chain, learn the
    /// operator's nodes, follow the ledger, and resume the attempts that the last run left open.
    /// Writes begin once those are resolved.
    pub(crate) async fn start(&self) -> Result<(), StartError> {
        let identity = match self.ports.chain.identity().await {
            // The ids have been right before, so the node is behind or being set up again.
            Err(error @ ChainError::Contract { .. }) if self.is_bound().await? => {
                return Err(StartError::Chain(error));
            }
            Err(error @ ChainError::Contract { .. }) => return Err(StartError::Contract(error)),
            identity => identity?,
        };
        self.ports.events.bind(&identity).await?;
        self.readiness.reconcile_nodes().await?;
        self.engine.take_up_attempts().await?;
        let ingestor = Ingestor::new(
            self.ports.source.clone(),
            self.ports.events.clone(),
            self.ports.signer.address(),
            self.applied.clone(),
        );
        let ingestor = ingestor.rebuilding_with(self.reconciler.clone());
        self.tasks.spawn(ingestor.run(self.stopping.clone()));
        let reconciler = self.reconciler.clone();
        self.tasks.spawn(reconciler.run(self.stopping.clone()));
        let epochs = self.readiness.clone();
        let stopping = self.stopping.clone();
        self.tasks
            .spawn(epochs.follow_epochs(EPOCH_INTERVAL, stopping));
        let engine = self.engine.clone();
        self.tasks.spawn(engine.watch_balance(BALANCE_INTERVAL));
        info!(%identity, "started");
        let resolved = self.engine.resolved(Duration::ZERO).await;
        if !resolved || self.begin_writes().await.is_err() {
            self.tasks.spawn(self.clone().begin_writes_when_resolved());
        }
        Ok(())
    }

    /// Whether the database has mirrored a chain already.
    async fn is_bound(&self) -> Result<bool, StoreError> {
        Ok(self.ports.events.progress().await?.cursor.is_some())
    }

    /// Tries to start in the background until it succeeds. Stops the daemon if the database belongs
    /// to another chain.
    pub(crate) fn start_later(&self) {
        self.tasks.spawn(self.clone().keep_starting());
    }

    /// Why a start in the background stopped the daemon, if it did. Call it after [`stop`](Self::stop).
    pub(crate) fn take_fatal(&self) -> Option<StartError> {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.take()
    }

    /// Runs `action` when the daemon begins to stop.
    pub(crate) fn when_stopping(&self, action: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            stopping.cancelled().await;
            action.await;
        });
    }

    /// Stops the engine and all tasks, waits for them, and closes the database.
    pub(crate) async fn stop(&self) {
        self.stopping.cancel();
        self.engine.stopped().await;
        self.tasks.close();
        self.tasks.wait().await;
        self.state.close().await;
        self.data_dir.release();
    }

    /// Looks for foreign use of the badges, resumes queued intents, and accepts writes.
    async fn begin_writes(&self) -> Result<(), StartError> {
        let foreign = self.readiness.foreign_uses().await?;
        if self.allow_foreign_use {
            for used in &foreign {
                if self.is_demonstration {
                    let (node, digest) = (used.node.node_small_id, used.tx_digest);
                    info!(%node, %digest, "the demonstration's setup used the node's badge");
                } else {
                    warn!("{}", Failure::from(*used));
                }
            }
            self.readiness.acknowledge(&foreign).await?;
        } else if let Some(used) = foreign.first() {
            let reason = Failure::from(*used);
            error!("writes are stopped: {reason}; see `allow_foreign_use` in the configuration");
            self.engine.stop_signing(reason.clone());
            self.readiness.stop_writes(reason);
        }
        self.engine.look_at_balance().await;
        self.engine.take_up_queued().await?;
        self.readiness.note_started();
        let engine = self.engine.clone();
        self.tasks
            .spawn(async move { engine.report_skipped_rows().await });
        if let Some(keep) = self.keep_bytes {
            let (database, clock) = (Arc::new(self.state.clone()), self.ports.clock.clone());
            let upkeep = JournalUpkeep::new(database, clock, keep);
            self.tasks.spawn(upkeep.run(self.stopping.clone()));
        }
        Ok(())
    }

    async fn begin_writes_when_resolved(self) {
        tokio::select! {
            () = self.stopping.cancelled() => return,
            resolved = self.engine.resolved(self.recovery_timeout) => if !resolved {
                // Safe, because its lane resolves it before it signs anything else.
                error!("a transaction from before the start has no known outcome yet; its node waits, the others continue");
            },
        }
        loop {
            match self.begin_writes().await {
                Ok(()) => return,
                Err(error) => warn!(
                    error = with_causes(&error),
                    "can't accept writes yet; retrying"
                ),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(START_PAUSE) => {}
            }
        }
    }

    async fn keep_starting(self) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(START_PAUSE) => {}
            }
            match self.start().await {
                Ok(()) => return,
                Err(StartError::Chain(error)) => {
                    warn!(
                        error = with_causes(&error),
                        "the Sui node is still not available; retrying"
                    )
                }
                Err(StartError::Store(error)) if error.is_temporary() => {
                    warn!(
                        error = with_causes(&error),
                        "the database is not available; retrying"
                    )
                }
                Err(error) => {
                    error!(
                        error = with_causes(&error),
                        "can't start the daemon; stopping"
                    );
                    *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    self.stopping.cancel();
                    return;
                }
            }
        }
    }
}
