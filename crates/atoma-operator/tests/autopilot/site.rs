//! An operator with its nodes and its autopilot.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::autopilot::{AutopilotPolicy, Duty, DutyKind, Obstacle, Standing};
use atoma_domain::journal::{Failure, GasOptions};
use atoma_domain::model::Settlement;
use atoma_domain::ports::{ChainEvents as _, ServedWork as _, Signer as _, StateReader as _};
use atoma_domain::{
    CheckpointNumber, ComputeUnits, Hash32, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_operator::{
    Adapters, Autopilot, AutopilotConfig, AutopilotMode, AutopilotRun, CancellationToken,
    MirrorChanges, Node, NodeChoice, NodeConfig, Operator, Registered, ServedMessage,
};
use atoma_state::{OwnedState, SqliteState, StateOptions};
use atoma_sui::{KeystoreSigner, SuiEventSource};

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
    changes: MirrorChanges,
    dir: tempfile::TempDir,
    key: &'static str,
    policy: AutopilotPolicy,
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
        let owned = OwnedState::open(dir.path(), StateOptions::default())
            .await
            .unwrap();
        let state = owned.state().clone();
        let adapters = Adapters::new(
            world.chain.clone(),
            Arc::new(SuiEventSource::new(
                world.chain.clone(),
                CheckpointNumber::new(0),
            )),
            Arc::new(KeystoreSigner::from_suiprivkey(key).unwrap()),
            Arc::new(state.clone()),
            Arc::new(owned),
        )
        .with_clock(world.clock.clone());
        let mut config = NodeConfig::default();
        config.engine.queue_limit = 100_000;
        config.epoch_interval = Duration::from_millis(50);
        let node = Node::build(adapters, config, CancellationToken::new())
            .await
            .unwrap();
        let changes = node.changes();
        node.start().await.unwrap();
        // The tests step it themselves, so the node's own stays off.
        let mut config = AutopilotConfig::default();
        config.mode = AutopilotMode::On;
        config.policy = policy.clone();
        config.pause_file = Some(dir.path().join("autopilot.pause"));
        let autopilot = Autopilot::new(
            node.operator().clone(),
            Arc::new(state.clone()),
            world.chain.clone(),
            config,
        );
        Self {
            run: AutopilotRun::new(autopilot.clone()),
            autopilot,
            node,
            state,
            nodes: Vec::new(),
            changes,
            dir,
            key,
            policy,
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

    pub(crate) fn operator(&self) -> &Operator {
        self.node.operator()
    }

    /// The file that pauses the autopilot.
    pub(crate) fn pause_file(&self) -> std::path::PathBuf {
        self.dir.path().join("autopilot.pause")
    }

    async fn subscribe(&self, task: TaskSmallId, node: NodeSmallId) {
        let choice = chosen(node);
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

    /// All settlements in which the operator's nodes have a part.
    pub(crate) async fn all_settlements(&self) -> Vec<Settlement> {
        let mut found = Vec::new();
        let mut ids: Vec<StackSmallId> = (1..).map(StackSmallId::new).take(20_000).collect();
        while !ids.is_empty() {
            let part = ids.split_off(ids.len().saturating_sub(1_000));
            found.extend(self.state.settlements_by_id(&part).await.unwrap());
        }
        found
    }

    /// Whether the node has a record that agrees with a settlement.
    pub(crate) async fn has_agreeing_record(
        &self,
        settlement: &Settlement,
        node: NodeSmallId,
    ) -> bool {
        let record = self
            .state
            .work_record(settlement.stack_small_id, node)
            .await
            .unwrap();
        let root = record.and_then(|record| record.accumulator.root());
        root.is_some_and(|root| settlement.agrees_with(&root))
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

/// The attestations for which the operator has no record.
pub(crate) async fn missing_records(site: &Site) -> Vec<(StackSmallId, NodeSmallId)> {
    let Ok(survey) = site.autopilot.survey().await else {
        return Vec::new();
    };
    let missing = survey.duties.iter().filter(|duty| {
        duty.standing == Standing::Blocked(Obstacle::NoRecord) && duty.kind == DutyKind::Attest
    });
    missing
        .filter_map(|duty| Some((duty.stack_small_id?, duty.node_small_id)))
        .collect()
}

/// The choice of a node.
pub(crate) const fn chosen(node: NodeSmallId) -> NodeChoice {
    NodeChoice {
        node_small_id: Some(node),
        node_badge_id: None,
    }
}
