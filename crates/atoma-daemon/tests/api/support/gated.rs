//! A daemon composed from its parts, with calls to the chain that hang on demand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoma_api::{AllowedHosts, ApiAccess, ApiConfig, ApiLimits, ApiServer};
use atoma_daemon::{Config, Overrides};
use atoma_domain::ports::{
    BadgeOnChain, Chain, ChainError, ChainIdentity, Clock, Consumption, ContractView, EpochInfo,
    Executed, GasCoin, ObjectOnChain, SignedTransaction, SimulatedGas, Simulation, SubmitError,
    TransactionPlan, UnsignedTransaction, Until, ViewQuery,
};
use atoma_domain::{
    Address, CheckpointNumber, Digest, Epoch, ObjectId, ObjectReference, TimestampMs,
};
use atoma_metrics::Metrics;
use atoma_operator::{
    Applied, Autopilot, AutopilotConfig, Engine, EngineConfig, Ingestor, Operator, Ports, Readiness,
};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{ClientConfig, SuiChain, SuiChainConfig, SuiEventSource};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::process::in_time;
use super::{Api, TestWorld};

/// Calls to the chain that hang, and the database.
#[derive(Debug)]
pub(crate) struct Gates {
    gate: watch::Sender<Gate>,
    state: SqliteState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Gate {
    #[default]
    Open,
    /// The next call with this name will hang.
    Closed(&'static str),
    /// A call hangs.
    Hangs,
}

impl Gates {
    /// Makes the next call with this name hang until [`open`](Self::open). Later ones pass.
    pub(crate) fn close(&self, name: &'static str) {
        self.gate.send_replace(Gate::Closed(name));
    }

    /// Waits until the call hangs.
    pub(crate) async fn hangs(&self) {
        let mut gate = self.gate.subscribe();
        in_time(gate.wait_for(|gate| *gate == Gate::Hangs))
            .await
            .unwrap();
    }

    /// Lets the call continue.
    pub(crate) fn open(&self) {
        self.gate.send_replace(Gate::Open);
    }

    /// Makes every later call to the database fail.
    pub(crate) async fn close_database(&self) {
        self.state.close().await;
    }

    async fn pass(&self, name: &'static str) {
        let mut gate = self.gate.subscribe();
        let hangs = self.gate.send_if_modified(|gate| {
            let hangs = *gate == Gate::Closed(name);
            if hangs {
                *gate = Gate::Hangs;
            }
            hangs
        });
        if hangs {
            gate.wait_for(|gate| *gate == Gate::Open).await.unwrap();
        }
    }
}

/// The settings of a composed daemon.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) engine: EngineConfig,
    pub(crate) state: StateOptions,
    pub(crate) request_timeout: Duration,
    pub(crate) limits: ApiLimits,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            engine: EngineConfig::default(),
            state: StateOptions::default(),
            request_timeout: Duration::from_secs(90),
            limits: ApiLimits::default(),
        }
    }
}

impl TestWorld {
    /// Replaces the daemon by one over the same files with gates in front of the chain.
    pub(crate) async fn restart_gated(&mut self, setup: Setup) -> Arc<Gates> {
        self.stop().await;
        let overrides = Overrides::default();
        let config = Config::load(&self.dir.path().join("daemon.toml"), overrides).unwrap();
        let client = ClientConfig::load(&config.sui.client_config).unwrap();
        let (package, db) = (config.sui.package_id, config.sui.atoma_db_id);
        let chain =
            SuiChain::connect(SuiChainConfig::new(self.network.url(), package, db)).unwrap();
        let source = SuiEventSource::new(Arc::clone(&chain), CheckpointNumber::new(0));
        let state = SqliteState::open(self.database(), setup.state)
            .await
            .unwrap();
        let gates = Arc::new(Gates {
            gate: watch::Sender::default(),
            state: state.clone(),
        });
        let ports = Ports {
            chain: Arc::new(Gated(chain, Arc::clone(&gates))),
            source: Arc::new(source),
            signer: Arc::new(client.signer().unwrap()),
            state: Arc::new(state.clone()),
            work: Arc::new(state.clone()),
            events: Arc::new(state.clone()),
            journal: Arc::new(state.clone()),
            figures: Arc::new(state.clone()),
            books: Arc::new(state.clone()),
            clock: Arc::new(StoppedClock),
        };
        self.stopping = CancellationToken::new();
        let stopping = self.stopping.clone();
        let engine = Engine::new(ports.clone(), setup.engine, stopping.clone());
        let applied = Applied::default();
        let readiness = Readiness::new(ports.clone(), applied.clone());
        readiness.adopt_earlier_mirror().await.unwrap();
        engine.recover().await.unwrap();
        readiness.note_started();
        let ingestor = Ingestor::new(
            ports.source.clone(),
            ports.events.clone(),
            ports.signer.address(),
            applied.clone(),
        );
        let ingesting = tokio::spawn(ingestor.run(stopping.clone()));
        let operator = Operator::new(
            ports.over_database(state.for_served_work()),
            engine.clone(),
            applied,
            readiness,
            setup.request_timeout,
        );
        let autopilot = Autopilot::new(
            operator.clone(),
            Arc::new(state.clone()),
            Arc::clone(&operator.ports().chain),
            AutopilotConfig::default(),
        );
        let api = ApiServer::bind(
            operator.clone(),
            autopilot,
            ApiConfig {
                access: ApiAccess::default(),
                addr: "127.0.0.1:0".parse().unwrap(),
                allowed_hosts: AllowedHosts::default(),
                workers: 2,
                limits: setup.limits,
                metrics: Metrics::new().unwrap(),
                page: true,
                configuration: atoma_api_types::ConfigurationView::default(),
            },
        )
        .unwrap();
        self.api = Api::new(api.addr());
        self.operator = operator;
        let handle = api.handle();
        self.running = tokio::spawn(async move {
            let serving = tokio::spawn(api.run());
            stopping.cancelled().await;
            handle.stop(true).await;
            serving.await??;
            engine.stopped().await;
            ingesting.await?;
            state.close().await;
            Ok(())
        });
        gates
    }

    /// The database file.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("data").join("atoma.sqlite")
    }
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(1_700_000_000_000)
    }
}

#[derive(Debug)]
struct Gated(Arc<SuiChain>, Arc<Gates>);

#[async_trait]
impl Chain for Gated {
    async fn identity(&self) -> Result<ChainIdentity, ChainError> {
        self.1.pass("identity").await;
        self.0.identity().await
    }

    async fn height(&self) -> Result<CheckpointNumber, ChainError> {
        self.1.pass("height").await;
        self.0.height().await
    }

    async fn checkpoint_time(
        &self,
        checkpoint: CheckpointNumber,
    ) -> Result<TimestampMs, ChainError> {
        self.1.pass("checkpoint_time").await;
        self.0.checkpoint_time(checkpoint).await
    }

    async fn epoch(&self) -> Result<EpochInfo, ChainError> {
        self.1.pass("epoch").await;
        self.0.epoch().await
    }

    async fn badges(&self, owner: Address) -> Result<Vec<BadgeOnChain>, ChainError> {
        self.1.pass("badges").await;
        self.0.badges(owner).await
    }

    async fn gas_coins(&self, owner: Address) -> Result<Vec<GasCoin>, ChainError> {
        self.1.pass("gas_coins").await;
        self.0.gas_coins(owner).await
    }

    async fn object(&self, id: ObjectId) -> Result<Option<ObjectOnChain>, ChainError> {
        self.1.pass("object").await;
        self.0.object(id).await
    }

    async fn view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        self.1.pass("view").await;
        self.0.view(query).await
    }

    // Offline.
    fn build(&self, plan: &TransactionPlan) -> Result<UnsignedTransaction, ChainError> {
        self.0.build(plan)
    }

    async fn simulate(
        &self,
        transaction: &UnsignedTransaction,
        gas: SimulatedGas,
    ) -> Result<Simulation, ChainError> {
        self.1.pass("simulate").await;
        self.0.simulate(transaction, gas).await
    }

    async fn execute(&self, transaction: &SignedTransaction) -> Result<Executed, SubmitError> {
        self.1.pass("execute").await;
        self.0.execute(transaction).await
    }

    async fn lookup(&self, digest: Digest) -> Result<Option<Executed>, ChainError> {
        self.1.pass("lookup").await;
        self.0.lookup(digest).await
    }

    async fn consumption(
        &self,
        versions: &[ObjectReference],
    ) -> Result<Vec<Consumption>, ChainError> {
        self.1.pass("consumption").await;
        self.0.consumption(versions).await
    }

    async fn is_absent(
        &self,
        digest: Digest,
        epoch: Epoch,
        until: Until,
    ) -> Result<bool, ChainError> {
        self.1.pass("is_absent").await;
        self.0.is_absent(digest, epoch, until).await
    }
}
