//! A local network with tasks, stacks and operators.

use std::path::Path;
use std::time::Duration;

use atoma_domain::model::NewMessage;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, LocalNode, NewTask, Parameters, Purchase};
use atoma_operator::{NodeChoice, Registered, StackStatus};
use atoma_sui::KeystoreSigner;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::fail_points::FailPoints;
use super::generation::{Generation, PATIENCE, Site};

/// Security levels of tasks, which are also their indexes in [`World::tasks`].
pub(crate) const NONE: usize = 0;
pub(crate) const CONFIDENTIAL: usize = 1;
pub(crate) const SAMPLING: usize = 2;

/// Every node's price for a million compute units.
pub(crate) const NODE_PRICE: PricePerMillion = PricePerMillion::new(1);
/// The buyer's price: enough for every share of an attester.
const STACK_PRICE: u64 = 1_000_000;
const STACK_UNITS: u64 = 1_000;

/// The charge for stacks of sampling-consensus tasks in these worlds, in permille.
pub(crate) const CHARGE: u64 = 1_000;

/// A network and a folder, with their own runtime, which outlives the daemons.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: LocalNet,
    /// Another node of the network, with faults of its own.
    pub(crate) second: Option<LocalNode>,
    /// One task of each level.
    pub(crate) tasks: Vec<TaskSmallId>,
    pub(crate) dir: TempDir,
    runtime: Runtime,
}

impl World {
    /// A network in memory, with one task of each level.
    pub(crate) fn start() -> Self {
        Self::fresh(false)
    }

    /// The same on disk, so that the folder can be copied.
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

    /// The network in a folder.
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
            second: None,
            tasks: Vec::new(),
            dir,
            runtime,
        }
    }

    /// Starts a second node, which the daemons of the sites made from now on ask if the first fails.
    pub(crate) fn add_node(&mut self) -> LocalNode {
        let second = self.runtime.block_on(self.network.start_node()).unwrap();
        self.second = Some(second.clone());
        second
    }

    /// Runs some work in the world's runtime, not in a daemon's.
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

    /// An operator with this key, and a database file of this name.
    pub(crate) fn site(&self, name: &str, key: u16) -> Site {
        let addresses = self.network.addresses();
        let key = private_key(key);
        Site {
            path: self.dir.path().join(name),
            address: KeystoreSigner::from_suiprivkey(&key).unwrap().owner(),
            key,
            url: self.network.url(),
            further: self.second.iter().map(LocalNode::url).collect(),
            look_interval: None,
            package: addresses.package,
            atoma_db: addresses.atoma_db,
            // Longer than any preparation, so that the order of calls is always the same.
            outcome_delay: PATIENCE,
            treasury_interval: Duration::from_millis(1),
            // Longer than any test waits.
            execution_timeout: 2 * PATIENCE,
        }
    }

    /// A new operator with its own key and an empty database, and with coins of these sizes in
    /// MIST.
    pub(crate) fn new_operator(&self, coins: &[u64]) -> Site {
        let number = std::fs::read_dir(self.dir.path()).unwrap().count();
        let number = u16::try_from(number).unwrap();
        let site = self.site(&format!("newcomer-{number}.sqlite"), 100 + number);
        std::fs::write(&site.path, "").unwrap();
        self.network.faucet_coins(site.address, coins).unwrap();
        site
    }

    /// An operator with `coins` coins, and nodes that are subscribed to all tasks.
    pub(crate) fn operator(&self, nodes: usize, coins: usize) -> Site {
        let site = self.site("operator.sqlite", 1);
        let coins = vec![1_000_000_000_000; coins];
        self.network.faucet_coins(site.address, &coins).unwrap();
        self.register(&site, nodes);
        if let (1.., Some(task)) = (nodes, self.tasks.first()) {
            // Pays for shares that no purchase covers.
            self.purchase(*task, NodeSmallId::new(1), 1, 1_000_000_000);
        }
        site
    }

    /// Registers nodes of an operator and subscribes them to all tasks.
    pub(crate) fn register(&self, site: &Site, nodes: usize) -> Vec<NodeSmallId> {
        let generation = self.begin(site);
        let registered = generation.run(async {
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
                        .subscribe_to_task(*task, NODE_PRICE, node_small_id.into(), gas())
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

    /// A generation without injections.
    pub(crate) fn begin(&self, site: &Site) -> Generation {
        Generation::start(site, FailPoints::new(&self.network))
    }

    /// Sets the usual charge for the simulation of claims, and changes it just before the next
    /// submission.
    pub(crate) fn change_charge_at_execution(&self, points: &FailPoints, permille: u64) {
        charge(&self.network, CHARGE);
        let network = self.network.clone();
        points.before("chain.execute", move || charge(&network, permille));
    }

    /// Buys stacks of the task of this level for a node.
    pub(crate) fn buy(&self, level: usize, node: NodeSmallId, count: usize) -> Vec<StackSmallId> {
        self.buy_at_price(level, node, count, STACK_PRICE)
    }

    /// The same, at this price for a million units.
    pub(crate) fn buy_at_price(
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

    /// Makes the contract draw this node, or none, for these stacks.
    pub(crate) fn draw(&self, stacks: &[StackSmallId], attester: Option<NodeSmallId>) {
        for stack in stacks {
            let attesters = attester.into_iter().collect();
            self.network.force_attesters(*stack, attesters);
        }
    }
}

impl Generation {
    /// Records one message on each stack, in the record of `node` or else of the selected node.
    pub(crate) async fn record(&self, stacks: &[StackSmallId], node: Option<NodeSmallId>) {
        self.catch_up().await;
        for stack in stacks {
            let whose = node.map_or(0, NodeSmallId::get);
            let hash = Hash32::of(&[&stack.get().to_le_bytes(), &whose.to_le_bytes()]);
            let (units, now) = (ComputeUnits::new(900), self.ports.clock.now());
            let message = NewMessage {
                node_small_id: node,
                ..NewMessage::new(*stack, hash, units, now)
            };
            self.ports.work.record_message(&message).await.unwrap();
        }
    }

    /// Settles stacks, and checks that it succeeds.
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

/// Sets the charge for stacks of sampling-consensus tasks, including those already bought.
pub(crate) fn charge(network: &LocalNet, permille: u64) {
    let parameters = Parameters {
        sampling_consensus_charge_permille: Some(permille),
        ..Parameters::default()
    };
    network.set_parameters(&parameters).unwrap();
}

/// The default gas options.
pub(crate) fn gas() -> atoma_domain::journal::GasOptions {
    atoma_domain::journal::GasOptions::default()
}

/// An Ed25519 key in Sui's format.
fn private_key(number: u16) -> String {
    let mut bytes = [7; 33];
    bytes[0] = 0;
    bytes[1..3].copy_from_slice(&number.to_le_bytes());
    let hrp = bech32::Hrp::parse("suiprivkey").unwrap();
    bech32::encode::<bech32::Bech32>(hrp, &bytes).unwrap()
}

/// Copies a folder with everything in it.
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
