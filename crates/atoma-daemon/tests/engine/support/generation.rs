//! One generation of the daemon: from its start to its crash.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atoma_api::{AllowedHosts, ApiAccess, ApiConfig, ApiLimits, ApiServer};
use atoma_domain::ports::{Chain as _, ChainEvents as _, UnfinishedIntent};
use atoma_domain::{Address, CheckpointNumber, IntentId, ObjectId};
use atoma_localnet::Parameters;
use atoma_metrics::Metrics;
use atoma_operator::{
    Applied, Autopilot, AutopilotConfig, Engine, EngineConfig, Ingestor, Operator, Ports, Readiness,
};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{KeystoreSigner, MaxLag, SuiChainConfig, SuiNodes, SuiNodesSource};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::fail_points::FailPoints;
use super::ports::with_fail_points;

/// The limit for anything that is waited for. Nothing in these tests waits for time to pass, so it
/// only has to be long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What outlives a generation: the database file, the key, and how to reach the network.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    pub(crate) address: Address,
    pub(crate) url: String,
    /// The URLs of further nodes.
    pub(crate) further: Vec<String>,
    /// How often the nodes are looked at; `None` is never.
    pub(crate) look_interval: Option<Duration>,
    pub(crate) package: ObjectId,
    pub(crate) atoma_db: ObjectId,
    /// How long an outcome may wait to be recorded together with the next attempt.
    pub(crate) outcome_delay: Duration,
    /// How often to check the treasury while claims wait for it.
    pub(crate) treasury_interval: Duration,
    /// How long to wait for a transaction's effects.
    pub(crate) execution_timeout: Duration,
}

/// A running daemon without its HTTP server.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) operator: Operator,
    pub(crate) engine: Engine,
    /// The ports without fail points.
    pub(crate) ports: Ports,
    pub(crate) points: Arc<FailPoints>,
    state: SqliteState,
    applied: Applied,
    readiness: Readiness,
    mirrored: watch::Sender<Option<CheckpointNumber>>,
    following: CancellationToken,
    stopping: CancellationToken,
    /// Last, so that it is dropped last.
    runtime: Runtime,
}

impl Generation {
    /// Opens the site's database as the daemon does at its start. Nothing is recovered, and the
    /// ledger is not followed yet.
    pub(crate) fn start(site: &Site, points: FailPoints) -> Self {
        Self::start_behind(site, points, Ports::clone)
    }

    /// The same, with `wrap` around the real ports below the fail points.
    pub(crate) fn start_behind(
        site: &Site,
        points: FailPoints,
        wrap: impl FnOnce(&Ports) -> Ports,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let points = Arc::new(points);
        let stopping = CancellationToken::new();
        let (ports, state) = runtime.block_on(open(site, &points, &stopping));
        let acting = with_fail_points(&wrap(&ports), &points);
        let engine = Engine::new(acting.clone(), engine_config(site), stopping.clone());
        let applied = Applied::default();
        let readiness = Readiness::new(acting.clone(), applied.clone());
        let operator = Operator::new(
            acting,
            engine.clone(),
            applied.clone(),
            readiness.clone(),
            PATIENCE,
        );
        Self {
            operator,
            engine,
            ports,
            points,
            state,
            applied,
            readiness,
            mirrored: watch::Sender::new(None),
            following: stopping.child_token(),
            stopping,
            runtime,
        }
    }

    /// Runs some work to its end, or to the crash (`None`).
    pub(crate) fn run_until_crash<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = async {
            match tokio::time::timeout(PATIENCE, work).await {
                Ok(done) => done,
                Err(_) => panic!("stuck after the calls {:?}", self.points.calls()),
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.points.crashed() => None,
                done = done => Some(done),
            }
        })
    }

    /// Runs some work to its end. No crash may be planned.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.run_until_crash(work).expect("no crash was planned")
    }

    /// Recovers what was left open, and waits until all of it is final.
    pub(crate) async fn recover(&self) {
        self.engine.recover().await.unwrap();
        self.all_final().await;
    }

    /// Waits until every intent is final. It reads the journal itself, because waiting through the
    /// engine would make the engine resume intents that it had lost.
    pub(crate) async fn all_final(&self) {
        let is_final = async || self.unfinished().await.is_empty().then_some(());
        self.points.until(is_final).await;
    }

    /// The intents that are not final.
    pub(crate) async fn unfinished(&self) -> Vec<IntentId> {
        let unfinished = self.ports.journal.unfinished().await.unwrap();
        let id = |open: UnfinishedIntent| open.intent.id;
        unfinished.into_iter().map(id).collect()
    }

    /// Starts to follow the ledger, unless it already does.
    pub(crate) fn follow(&self) {
        if self.mirrored.receiver_count() == 0 {
            let mut ingestor = Ingestor::new(
                self.ports.source.clone(),
                self.ports.events.clone(),
                self.ports.signer.address(),
                self.applied.clone(),
            );
            let mirrored = self.mirrored.clone();
            // The task keeps it, so that the next call sees that it runs.
            let running = self.mirrored.subscribe();
            let following = self.following.clone();
            tokio::spawn(async move {
                let _running = running;
                loop {
                    let step = tokio::select! {
                        biased;
                        () = following.cancelled() => return,
                        step = ingestor.step_once() => step,
                    };
                    match step {
                        Ok(progress) => {
                            let at = progress.position.map(|position| position.checkpoint);
                            mirrored.send_replace(at);
                        }
                        // These networks have faults, so it retries.
                        Err(_) => tokio::task::yield_now().await,
                    }
                }
            });
        }
    }

    /// Follows the ledger, and waits until the mirror has all of it.
    pub(crate) async fn catch_up(&self) {
        self.follow();
        let tip = self.mark_ledger_end().await;
        let mut mirrored = self.mirrored.subscribe();
        mirrored.wait_for(|at| *at >= Some(tip)).await.unwrap();
    }

    /// Serves the mirror of an earlier generation without following the ledger.
    pub(crate) async fn adopt_earlier_mirror(&self) {
        self.readiness.adopt_earlier_mirror().await.unwrap();
    }

    /// Stops updating the mirror.
    pub(crate) fn stop_following(&self) {
        self.following.cancel();
    }

    /// Executes a transaction that touches the contract, so that followers see the end of the
    /// ledger. Returns its checkpoint.
    pub(crate) async fn mark_ledger_end(&self) -> CheckpointNumber {
        let parameters = Parameters {
            cross_validation_extra_nodes_count: Some(1),
            ..Parameters::default()
        };
        let network = self.points.network();
        network.set_parameters(&parameters).unwrap();
        self.ports.chain.height().await.unwrap()
    }

    /// The autopilot of this daemon, with these rules. The start must be complete.
    pub(crate) fn autopilot(&self, config: AutopilotConfig) -> Autopilot {
        self.readiness.note_started();
        Autopilot::new(
            self.operator.clone(),
            Arc::new(self.state.clone()),
            Arc::clone(&self.ports.chain),
            config,
        )
    }

    /// Serves the API and returns its address. The start must be complete and the mirror caught up.
    pub(crate) fn serve(&self) -> SocketAddr {
        self.readiness.note_started();
        let config = ApiConfig {
            access: ApiAccess::default(),
            addr: "127.0.0.1:0".parse().unwrap(),
            allowed_hosts: AllowedHosts::default(),
            workers: 1,
            limits: ApiLimits::default(),
            metrics: Metrics::new().unwrap(),
            page: true,
            configuration: atoma_api_types::ConfigurationView::default(),
        };
        let autopilot = self.autopilot(AutopilotConfig::default());
        let api = ApiServer::bind(self.operator.clone(), autopilot, config).unwrap();
        let (addr, handle) = (api.addr(), api.handle());
        tokio::spawn(api.run());
        let stopping = self.stopping.clone();
        tokio::spawn(async move {
            stopping.cancelled().await;
            handle.stop(true).await;
        });
        addr
    }

    /// Crashes: none of its tasks takes another step.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_background();
    }

    /// Stops gracefully.
    pub(crate) fn stop(self) {
        self.stopping.cancel();
        self.run(async {
            self.engine.stopped().await;
            self.state.close().await;
        });
    }
}

/// An engine that retries almost without delay.
fn engine_config(site: &Site) -> EngineConfig {
    EngineConfig {
        outcome_delay: site.outcome_delay,
        backoff: Duration::from_millis(1),
        backoff_limit: Duration::from_millis(8),
        congestion_backoff: Duration::from_millis(1),
        treasury_interval: site.treasury_interval,
        ..EngineConfig::default()
    }
}

async fn open(
    site: &Site,
    points: &FailPoints,
    stopping: &CancellationToken,
) -> (Ports, SqliteState) {
    let config = |url: &String| SuiChainConfig {
        execution_timeout: site.execution_timeout,
        max_lag: Some(MaxLag {
            limit: Duration::from_secs(300),
            clock: points.clock(),
        }),
        ..SuiChainConfig::new(url, site.package, site.atoma_db)
    };
    let urls = std::iter::once(&site.url).chain(&site.further);
    let nodes = SuiNodes::connect(urls.map(config)).unwrap();
    if let Some(interval) = site.look_interval {
        tokio::spawn(nodes.clone().watch(interval, stopping.clone()));
    }
    let options = StateOptions::default();
    let state = SqliteState::open(&site.path, options).await.unwrap();
    // As the daemon does.
    if let Some(identity) = state.bound_to().await.unwrap() {
        nodes.expect_chain(identity.chain_id).unwrap();
    }
    let source = SuiNodesSource::new(nodes.clone(), CheckpointNumber::new(0));
    let signer = KeystoreSigner::from_suiprivkey(&site.key).unwrap();
    let ports = Ports::new(
        Arc::new(nodes),
        Arc::new(source),
        Arc::new(signer),
        Arc::new(state.clone()),
        points.clock(),
    );
    // Retries until the node answers.
    let identity = loop {
        if let Ok(identity) = ports.chain.identity().await {
            break identity;
        }
    };
    // This write comes after everything that the previous generation handed to SQLite is either on
    // disk or rolled back.
    ports.events.bind(&identity).await.unwrap();
    let readiness = Readiness::new(ports.clone(), Applied::default());
    while readiness.reconcile_nodes().await.is_err() {}
    (ports, state)
}
