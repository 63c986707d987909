//! An operator with its nodes and its autopilot.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::autopilot::{AutopilotPolicy, Duty};
use atoma_domain::journal::{Failure, GasOptions};
use atoma_domain::ports::{ChainEvents as _, Ownership, Signer as _};
use atoma_domain::{
    CheckpointNumber, ComputeUnits, Hash32, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_operator::{
    Adapters, Autopilot, AutopilotConfig, AutopilotMode, AutopilotRun, CancellationToken,
    MirrorChanges, Node, NodeChoice, NodeConfig, Operator, Registered, ServedMessage,
};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{KeystoreSigner, SuiEventSource};
use tokio::runtime::{Builder, Runtime};

use crate::crash::{CrashPoint, CrashingChain, CrashingSigner};
use crate::world::{PRICE, World};

/// Keys of two signature schemes, from the test vectors.
pub(crate) const KEYS: [&str; 2] = [
    "suiprivkey1qqrswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswpc8qurswxzszc4",
    "suiprivkey1qyyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqstzfgf4",
];
/// The limit for anything that is waited for: long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// An operator.
pub(crate) struct Site {
    pub(crate) node: Node,
    pub(crate) run: AutopilotRun,
    pub(crate) autopilot: Autopilot,
    pub(crate) state: SqliteState,
    pub(crate) nodes: Vec<NodeSmallId>,
    pub(crate) crash: Arc<CrashPoint>,
    changes: MirrorChanges,
    dir: tempfile::TempDir,
    key: &'static str,
    policy: AutopilotPolicy,
    /// Last, so that it is dropped last.
    process: Process,
}

/// The runtime of one daemon. Dropping it kills the daemon: none of its tasks takes another step.
struct Process(Option<Runtime>);

impl Process {
    fn start() -> Self {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build();
        Self(Some(runtime.unwrap()))
    }

    /// Begins with work that need not move between threads.
    async fn begin<T, W>(&self, work: impl FnOnce() -> W + Send + 'static) -> T
    where
        T: Send + 'static,
        W: Future<Output = T>,
    {
        let handle = self.0.as_ref().unwrap().handle().clone();
        let begun = handle
            .clone()
            .spawn_blocking(move || handle.block_on(work()));
        begun.await.unwrap()
    }

    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = self.0.as_ref().unwrap();
        runtime.spawn(work).await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Closes the database at an orderly stop. There is no lock, which a daemon that is killed would keep.
#[derive(Debug)]
struct Closing(SqliteState);

#[async_trait::async_trait]
impl Ownership for Closing {
    async fn give_up(&self) {
        self.0.close().await;
    }
}

impl Site {
    /// An operator of so many nodes, subscribed to the tasks.
    pub(crate) async fn start(
        world: &World,
        key: &'static str,
        nodes: usize,
        tasks: &[TaskSmallId],
        policy: AutopilotPolicy,
    ) -> Self {
        let signer = KeystoreSigner::from_suiprivkey(key).unwrap();
        let coins = vec![100_000_000_000; nodes + 2];
        world
            .network
            .faucet_coins(signer.address(), &coins)
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut site = Self::open(world, key, dir, policy).await;
        for _ in 0..nodes {
            let gas = GasOptions::default();
            let registered = site.operator().register(true, gas).await.unwrap();
            let Registered::Executed { node_small_id, .. } = registered else {
                panic!("{registered:?}");
            };
            site.nodes.push(node_small_id);
            site.mirrored(world).await;
        }
        for task in tasks {
            for node in site.nodes.clone() {
                site.subscribe(*task, node).await;
            }
        }
        site.mirrored(world).await;
        site
    }

    async fn open(
        world: &World,
        key: &'static str,
        dir: tempfile::TempDir,
        policy: AutopilotPolicy,
    ) -> Self {
        let (process, crash) = (Process::start(), Arc::new(CrashPoint::default()));
        let mut autopilot = AutopilotConfig::default();
        autopilot.mode = AutopilotMode::On;
        autopilot.policy = policy.clone();
        autopilot.pause_file = Some(dir.path().join("autopilot.pause"));
        let opened = {
            let (chain, clock, crash) = (
                Arc::clone(&world.chain),
                Arc::clone(&world.clock),
                crash.clone(),
            );
            let path = dir.path().join("atoma.sqlite");
            async move || {
                // It is killed at times, but the computer goes on, so nothing need be flushed to the disk.
                let state = SqliteState::open_undurable(path, StateOptions::default());
                let state = state.await.unwrap();
                let mut adapters = Adapters::new(
                    chain.clone(),
                    Arc::new(SuiEventSource::new(chain.clone(), CheckpointNumber::new(0))),
                    Arc::new(KeystoreSigner::from_suiprivkey(key).unwrap()),
                    Arc::new(state.clone()),
                    Arc::new(Closing(state.clone())),
                )
                .with_clock(clock);
                let ports = &mut adapters.ports;
                ports.chain = Arc::new(CrashingChain::new(chain.clone(), crash.clone()));
                ports.signer = Arc::new(CrashingSigner::new(ports.signer.clone(), crash));
                let node = Node::build(adapters, node_config(), CancellationToken::new());
                let node = node.await.unwrap();
                let changes = node.changes();
                node.start().await.unwrap();
                // The tests step it themselves, so the node's own stays off.
                let operator = node.operator().clone();
                let autopilot = Autopilot::new(operator, Arc::new(state.clone()), chain, autopilot);
                (node, changes, state, autopilot)
            }
        };
        let (node, changes, state, autopilot) = process.begin(opened).await;
        Self {
            run: AutopilotRun::new(autopilot.clone()),
            autopilot,
            node,
            state,
            nodes: Vec::new(),
            crash,
            changes,
            dir,
            key,
            policy,
            process,
        }
    }

    /// Stops the daemon, and starts the next on the same data.
    pub(crate) async fn restart(self, world: &World) -> Self {
        let Self {
            node,
            dir,
            key,
            policy,
            nodes,
            ..
        } = self;
        node.stop().await.unwrap();
        let mut next = Self::open(world, key, dir, policy).await;
        next.nodes = nodes;
        next
    }

    /// Kills the daemon wherever it is, and starts the next on the same data.
    pub(crate) async fn crash_and_restart(self, world: &World) -> Self {
        let Self {
            dir,
            key,
            policy,
            nodes,
            process,
            ..
        } = self;
        drop(process);
        let mut next = Self::open(world, key, dir, policy).await;
        next.nodes = nodes;
        next
    }

    /// Work of the daemon, in its own process. `None` if it crashes before the end.
    pub(crate) async fn until_crash<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let crash = Arc::clone(&self.crash);
        tokio::select! {
            biased;
            () = crash.crashed() => None,
            done = self.process.run(work) => Some(done),
        }
    }

    /// One look of the autopilot with all that it begins, in its own process. False if the daemon crashes before the end.
    pub(crate) async fn look(&mut self) -> bool {
        self.look_at(true).await
    }

    /// The same at attestations alone.
    pub(crate) async fn look_for_attestations(&mut self) -> bool {
        self.look_at(false).await
    }

    async fn look_at(&mut self, everything: bool) -> bool {
        let next = AutopilotRun::new(self.autopilot.clone());
        let mut run = std::mem::replace(&mut self.run, next);
        let looked = self.until_crash(async move {
            // It may not be able to look, while the Sui node is unavailable.
            let _ = match everything {
                true => run.step().await,
                false => run.step_attestations().await,
            };
            run.settled().await;
            run
        });
        match looked.await {
            Some(run) => self.run = run,
            None => return false,
        }
        true
    }

    pub(crate) fn operator(&self) -> &Operator {
        self.node.operator()
    }

    /// The file that pauses the autopilot.
    pub(crate) fn pause_file(&self) -> std::path::PathBuf {
        self.dir.path().join("autopilot.pause")
    }

    async fn subscribe(&self, task: TaskSmallId, node: NodeSmallId) {
        let choice = NodeChoice::from(node);
        let (price, gas) = (PricePerMillion::new(PRICE), GasOptions::default());
        let subscribed = self.operator().subscribe_to_task(task, price, choice, gas);
        subscribed.await.unwrap();
    }

    /// Waits until the mirror shows all of the contract's transactions so far.
    pub(crate) async fn mirrored(&mut self, world: &World) {
        let version = world.version().await;
        let reached = async {
            while self.state.progress().await.unwrap().contract_version < Some(version) {
                self.changes.next().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap();
    }

    /// Records one message for a node's record of a stack.
    pub(crate) async fn serve(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
        units: u64,
        seed: u64,
    ) {
        self.try_serve(stack, node, units, seed).await.unwrap();
    }

    /// The same, unless the stack is in settlement by now.
    pub(crate) async fn try_serve(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
        units: u64,
        seed: u64,
    ) -> Result<(), Failure> {
        let message = ServedMessage {
            stack_small_id: stack,
            node_small_id: Some(node),
            message_hash: Hash32::of(&[&stack.get().to_le_bytes(), &seed.to_le_bytes()]),
            num_compute_units: ComputeUnits::new(units),
            reservation: None,
            id: None,
        };
        self.operator().record_message(message).await.map(drop)
    }

    /// One look of the autopilot at a mirror that is up to date, with all that it begins.
    pub(crate) async fn step(&mut self, world: &World) {
        self.mirrored(world).await;
        self.run.step().await.unwrap();
        self.run.settled().await;
        self.mirrored(world).await;
    }

    /// How the duties of a stack stand: kind, standing and reason.
    pub(crate) async fn duties(&self, stack: StackSmallId) -> Vec<String> {
        let duties = self.autopilot.explain(stack).await.unwrap();
        let plain = |duty: &Duty| {
            let standing = duty.standing;
            format!(
                "{} {} {}",
                duty.kind.name(),
                standing.name(),
                standing.reason()
            )
        };
        duties.iter().map(plain).collect()
    }
}

/// An engine that tries again almost without delay.
fn node_config() -> NodeConfig {
    let mut config = NodeConfig::default();
    config.engine.queue_limit = 100_000;
    config.engine.backoff = Duration::from_millis(1);
    config.engine.backoff_limit = Duration::from_millis(8);
    config.engine.congestion_backoff = Duration::from_millis(1);
    config.engine.treasury_interval = Duration::from_millis(20);
    config.engine.effects_interval = Duration::from_millis(20);
    config.start_pause = Duration::from_millis(10);
    config.epoch_interval = Duration::from_millis(200);
    config
}
