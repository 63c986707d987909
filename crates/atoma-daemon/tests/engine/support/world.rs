//! A local network with tasks and stacks, and operators that begin on it.

use std::path::Path;
use std::time::Duration;

use atoma_domain::model::NewMessage;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, NewTask, Parameters, Purchase};
use atoma_operator::{NodeChoice, Registered, StackStatus};
use atoma_sui::KeystoreSigner;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::generation::{Generation, PATIENCE, Site};
use super::points::Points;

/// Levels of tasks, which are also their places in [`World::tasks`].
pub(crate) const NONE: usize = 0;
pub(crate) const CONFIDENTIAL: usize = 1;
pub(crate) const SAMPLING: usize = 2;

/// What every node asks for a million compute units.
pub(crate) const NODE_PRICE: PricePerMillion = PricePerMillion::new(1);
/// What the buyer pays for them: enough for every share of an attester.
const STACK_PRICE: u64 = 1_000_000;
const STACK_UNITS: u64 = 1_000;

/// What stacks of sampling-consensus tasks cost in thousandths of others, in these worlds.
pub(crate) const CHARGE: u64 = 1_000;

/// A network and a folder, in a runtime of their own that outlives the daemons.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: LocalNet,
    /// One task of each level.
    pub(crate) tasks: Vec<TaskSmallId>,
    pub(crate) dir: TempDir,
    runtime: Runtime,
}

impl World {
    /// A network in memory with the three tasks.
    pub(crate) fn start() -> Self {
        Self::fresh(false)
    }

    /// The same on disk, so that it can be copied.
    pub(crate) fn start_on_disk() -> Self {
        Self::fresh(true)
    }

    fn fresh(on_disk: bool) -> Self {
        let mut world = Self::over(tempfile::tempdir().unwrap(), on_disk);
        world
            .network
            .set_parameters(&Parameters {
                cross_validation_probability_permille: Some(1_000),
                cross_validation_extra_nodes_count: Some(1),
                sampling_consensus_charge_permille: Some(CHARGE),
                ..Parameters::default()
            })
            .unwrap();
        for level in 0..3 {
            let task = world.new_task(level);
            world.tasks.push(task);
        }
        world
    }

    /// The network that a folder holds.
    pub(crate) fn over(dir: TempDir, on_disk: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = LocalNetConfig {
            data_dir: on_disk.then(|| dir.path().join("network")),
            ..LocalNetConfig::default()
        };
        let network = runtime.block_on(LocalNet::start(config)).unwrap();
        Self {
            network,
            tasks: Vec::new(),
            dir,
            runtime,
        }
    }

    /// Does some work in the world's runtime, not in a daemon's.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Creates a public task.
    pub(crate) fn new_task(&self, level: u16) -> TaskSmallId {
        self.network
            .create_task(&NewTask {
                role: 1,
                model_name: None,
                security_level: level,
                minimum_reputation_score: None,
                is_public: true,
            })
            .unwrap()
    }

    /// An operator with that key and an empty database of that name.
    pub(crate) fn site(&self, name: &str, key: u16) -> Site {
        let addresses = self.network.addresses();
        let key = private_key(key);
        Site {
            path: self.dir.path().join(name),
            address: KeystoreSigner::from_suiprivkey(&key).unwrap().owner(),
            key,
            url: self.network.url(),
            package: addresses.package,
            atoma_db: addresses.atoma_db,
            // Long enough for every preparation, so that calls come in the same order each time.
            outcome_delay: PATIENCE,
            treasury_interval: Duration::from_millis(1),
            // Longer than any test is patient.
            execution_timeout: 2 * PATIENCE,
        }
    }

    /// An operator with a key and an empty database that nobody else has, and with these coins.
    pub(crate) fn newcomer(&self, coins: &[u64]) -> Site {
        let number = std::fs::read_dir(self.dir.path()).unwrap().count();
        let number = u16::try_from(number).unwrap();
        let site = self.site(&format!("newcomer-{number}.sqlite"), 100 + number);
        std::fs::write(&site.path, "").unwrap();
        self.network.faucet_coins(site.address, coins).unwrap();
        site
    }

    /// An operator with `coins` SUI coins and some nodes that are subscribed to all tasks.
    pub(crate) fn operator(&self, nodes: usize, coins: usize) -> Site {
        let site = self.site("operator.sqlite", 1);
        let coins = vec![1_000_000_000_000; coins];
        self.network.faucet_coins(site.address, &coins).unwrap();
        self.register(&site, nodes);
        if let (1.., Some(task)) = (nodes, self.tasks.first()) {
            // Shares that no purchase covers come out of this.
            self.purchase(*task, NodeSmallId::new(1), 1, 1_000_000_000);
        }
        site
    }

    /// Registers nodes of an operator, and subscribes them to all tasks.
    pub(crate) fn register(&self, site: &Site, nodes: usize) -> Vec<NodeSmallId> {
        let generation = self.begin(site);
        let registered = generation.finish(async {
            generation.catch_up().await;
            let mut all = Vec::new();
            for _ in 0..nodes {
                let registered = generation.operator.register(true, gas()).await.unwrap();
                let Registered::Executed { node_small_id, .. } = registered else {
                    panic!("{registered:?}");
                };
                for task in &self.tasks {
                    generation
                        .operator
                        .subscribe_to_task(*task, NODE_PRICE, choice(node_small_id), gas())
                        .await
                        .unwrap();
                }
                all.push(node_small_id);
            }
            all
        });
        generation.stop();
        registered
    }

    /// A generation at which nothing happens.
    pub(crate) fn begin(&self, site: &Site) -> Generation {
        Generation::start(site, Points::new(&self.network))
    }

    /// Has claims be simulated at the usual charge, which is changed right before the next is sent.
    pub(crate) fn change_charge_at_execution(&self, points: &Points, permille: u64) {
        charge(&self.network, CHARGE);
        let network = self.network.clone();
        points.before("chain.execute", move || charge(&network, permille));
    }

    /// Buys stacks of the task of that level for a node.
    pub(crate) fn buy(&self, level: usize, node: NodeSmallId, count: usize) -> Vec<StackSmallId> {
        self.buy_at(level, node, count, STACK_PRICE)
    }

    /// Buys stacks of the task of that level for a node, at that price for a million units.
    pub(crate) fn buy_at(
        &self,
        level: usize,
        node: NodeSmallId,
        count: usize,
        price: u64,
    ) -> Vec<StackSmallId> {
        self.purchase(self.tasks[level], node, count, price)
    }

    fn purchase(
        &self,
        task_small_id: TaskSmallId,
        node: NodeSmallId,
        count: usize,
        price: u64,
    ) -> Vec<StackSmallId> {
        self.network
            .buy_stacks(&Purchase {
                task_small_id,
                num_compute_units: STACK_UNITS,
                price,
                count: u64::try_from(count).unwrap(),
                node_small_id: Some(node),
            })
            .unwrap()
    }

    /// Has the draw for these stacks name one node, or none.
    pub(crate) fn draw(&self, stacks: &[StackSmallId], attester: Option<NodeSmallId>) {
        for stack in stacks {
            let attesters = attester.into_iter().collect();
            self.network.force_attesters(*stack, attesters);
        }
    }
}

impl Generation {
    /// Records one message on each stack, in a node's own record or the selected node's.
    pub(crate) async fn record(&self, stacks: &[StackSmallId], node: Option<NodeSmallId>) {
        self.catch_up().await;
        for stack in stacks {
            let whose = node.map_or(0, NodeSmallId::get);
            self.ports
                .work
                .record_message(&NewMessage {
                    stack_small_id: *stack,
                    node_small_id: node,
                    message_hash: Hash32::of(&[&stack.get().to_le_bytes(), &whose.to_le_bytes()]),
                    num_compute_units: ComputeUnits::new(900),
                    reservation: None,
                })
                .await
                .unwrap();
        }
    }

    /// Settles stacks, which must succeed.
    pub(crate) async fn settle(&self, stacks: &[StackSmallId]) {
        for result in self
            .operator
            .settle(stacks, None, NodeChoice::default(), gas())
            .await
            .unwrap()
        {
            assert_eq!(result.status, StackStatus::Succeeded, "{result:?}");
        }
        self.catch_up().await;
    }
}

/// Sets what stacks of sampling-consensus tasks cost, bought ones as well.
pub(crate) fn charge(network: &LocalNet, permille: u64) {
    let parameters = Parameters {
        sampling_consensus_charge_permille: Some(permille),
        ..Parameters::default()
    };
    network.set_parameters(&parameters).unwrap();
}

/// That node.
pub(crate) fn choice(node: NodeSmallId) -> NodeChoice {
    NodeChoice {
        node_small_id: Some(node),
        node_badge_id: None,
    }
}

/// The daemon's choice of gas.
pub(crate) fn gas() -> atoma_domain::journal::GasOptions {
    atoma_domain::journal::GasOptions::default()
}

/// An Ed25519 key as Sui writes it.
fn private_key(number: u16) -> String {
    let mut bytes = [7; 33];
    bytes[0] = 0;
    bytes[1..3].copy_from_slice(&number.to_le_bytes());
    let hrp = bech32::Hrp::parse("suiprivkey").unwrap();
    bech32::encode::<bech32::Bech32>(hrp, &bytes).unwrap()
}

/// Copies a folder of files, one level deep in folders.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
