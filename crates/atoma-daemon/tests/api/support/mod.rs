//! A local network, a whole daemon over it, and a client of its HTTP API.

pub(crate) mod canned;
mod client;
pub(crate) mod described;
pub(crate) mod gated;
pub(crate) mod journal;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod work;

use std::path::Path;

use atoma_daemon::{Config, Daemon, Overrides};
use atoma_domain::{Address, NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::demo::{self, Demo};
use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig, NewTask, Parameters, Purchase};
use atoma_operator::Operator;
use process::in_time;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use client::{Answer, Api, answer, assert_refused};

/// The key and address of an operator without nodes: Ed25519, 32 bytes of 7.
pub(crate) const KEY: &str = "AAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
pub(crate) const ADDRESS: &str =
    "0xa0ccc8bcc83f6c628340134f8546a21e0618fd1aaa02432bba454c4a2c2233da";
/// The default price of a node for a million compute units, which is the lowest possible.
pub(crate) const NODE_PRICE: u64 = 1;
/// Micro-USDC in the treasury for shares that no purchase covers.
const RESERVE: u64 = 1_000_000_000;

/// Security levels of tasks.
pub(crate) const NONE: u16 = 0;
pub(crate) const CONFIDENTIAL: u16 = 1;
pub(crate) const SAMPLING: u16 = 2;

/// A network, and a daemon that runs until the world is dropped or [stopped](Self::stop).
pub(crate) struct TestWorld {
    pub(crate) network: LocalNet,
    pub(crate) api: Api,
    pub(crate) operator: Operator,
    /// The operator's nodes, in order of registration.
    pub(crate) nodes: Vec<u64>,
    /// One task for each requested level.
    pub(crate) tasks: Vec<u64>,
    pub(crate) dir: TempDir,
    stopping: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Drop for TestWorld {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl TestWorld {
    /// A daemon whose operator has coins but no node.
    pub(crate) async fn unregistered() -> Self {
        Self::unregistered_with_tasks(&[]).await
    }

    /// The same, on a network with a task of each level.
    pub(crate) async fn unregistered_with_tasks(levels: &[u16]) -> Self {
        Self::unregistered_with_coins(levels, &[100_000_000_000; 8]).await
    }

    /// The same, with SUI coins of these sizes in MIST.
    pub(crate) async fn unregistered_with_coins(levels: &[u16], coins: &[u64]) -> Self {
        let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
        let tasks = levels.iter().map(|level| new_task(&network, *level));
        let tasks = tasks.collect();
        let address: Address = ADDRESS.parse().unwrap();
        network.faucet_coins(address, coins).unwrap();
        let dir = tempfile::tempdir().unwrap();
        write_operator_files(&network, dir.path());
        Self::over(network, dir, tasks).await
    }

    /// A daemon with `nodes` nodes, registered over its own API and subscribed to a task of each
    /// level. Every settlement of a sampling-consensus stack draws one attester.
    pub(crate) async fn start(levels: &[u16], nodes: usize) -> Self {
        let mut world = Self::unregistered_with_tasks(levels).await;
        world.parameters(json!({"cross_validation_probability_permille": 1000}));
        for _ in 0..nodes {
            world.register().await;
        }
        for node in world.nodes.clone() {
            for task in world.tasks.clone() {
                world.subscribe(node, task, NODE_PRICE).await;
            }
        }
        // A claim of an attested stack may take more from the treasury than its purchase paid in.
        world
            .buy(world.tasks[0], world.nodes[0], 1_000_000, RESERVE, 1)
            .await;
        world
    }

    /// A daemon of the first operator of the demonstration world.
    pub(crate) async fn demo() -> (Self, Demo) {
        let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
        let demo = demo::seed(&network).unwrap();
        let world = Self::of_operator(&network, &demo, 0).await;
        (world, demo)
    }

    /// A daemon of one of the demonstration world's operators. It knows all stacks.
    pub(crate) async fn of_operator(network: &LocalNet, demo: &Demo, which: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let operator = &demo.operators[which];
        let address = operator.address.to_string();
        write_files_of(network, dir.path(), &operator.key.to_keystore(), &address);
        // The demonstration has used the badges, and the database is new.
        configure(dir.path(), "allow_foreign_use = true");
        let tasks = demo.tasks.iter().map(|task| task.task_small_id.get());
        let mut world = Self::over(network.clone(), dir, tasks.collect()).await;
        world.nodes = operator.nodes.iter().map(|node| node.get()).collect();
        let ids: Vec<_> = demo.stacks.iter().map(|s| s.stack_small_id).collect();
        in_time(world.operator.wait_for_stacks(&ids)).await.unwrap();
        world
    }

    /// Another daemon with the same key and network, and an empty database.
    pub(crate) async fn beside(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_operator_files(&self.network, dir.path());
        // Its database is new, and the badges have been used.
        configure(dir.path(), "allow_foreign_use = true");
        Self::over(self.network.clone(), dir, self.tasks.clone()).await
    }

    async fn over(network: LocalNet, dir: TempDir, tasks: Vec<u64>) -> Self {
        let stopping = CancellationToken::new();
        let daemon = build(dir.path(), stopping.clone()).await.unwrap();
        let api = Api::new(daemon.addr());
        let operator = daemon.operator().clone();
        let running = tokio::spawn(daemon.run_until_stopped());
        Self {
            network,
            api,
            operator,
            nodes: Vec::new(),
            tasks,
            dir,
            stopping,
            running,
        }
    }

    /// Stops the daemon and starts another over the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Stops the daemon.
    pub(crate) async fn stop(&mut self) {
        self.stopping.cancel();
        (&mut self.running).await.unwrap().unwrap();
    }

    /// Makes the Sui node refuse every call as unavailable, until the faults are cleared.
    pub(crate) fn take_node_down(&self) {
        self.network.inject_fault(Fault {
            count: u64::MAX,
            ms: 0,
            ..Fault::once(FaultKind::Unavailable)
        });
    }

    /// Starts the daemon after a stop.
    pub(crate) async fn start_again(&mut self) {
        self.stopping = CancellationToken::new();
        let daemon = build(self.dir.path(), self.stopping.clone()).await.unwrap();
        self.api = Api::new(daemon.addr());
        self.operator = daemon.operator().clone();
        self.running = tokio::spawn(daemon.run_until_stopped());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.api.get(path).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.api.post(path, body).await
    }

    /// Posts a request, which must succeed.
    pub(crate) async fn post_ok(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body.clone()).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Reads a list, which must succeed.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let (status, answer) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer.as_array().unwrap().clone()
    }

    /// What `GET /ready` warns of, but for this machine's clock: the network's stands in another year.
    pub(crate) async fn warnings(&self) -> Vec<String> {
        let (_, ready) = self.get("/ready").await;
        let mut warnings: Vec<String> = serde_json::from_value(ready["warnings"].clone()).unwrap();
        warnings.retain(|warning| !warning.starts_with("this machine's clock"));
        warnings
    }

    /// Registers one more node.
    pub(crate) async fn register(&mut self) -> u64 {
        let body = json!({"additional": !self.nodes.is_empty()});
        let answer = self.post_ok("/register", body).await;
        let node = answer["node_small_id"].as_u64().unwrap();
        self.nodes.push(node);
        node
    }

    /// Subscribes a node to a task.
    pub(crate) async fn subscribe(&self, node: u64, task: u64, price: u64) {
        let body = json!({
            "node_small_id": node,
            "task_small_id": task,
            "price_per_one_million_compute_units": price,
        });
        self.post_ok("/task_subscribe", body).await;
    }

    /// Buys stacks for a node, and waits until the daemon knows them and with them everything that
    /// happened on the network before.
    pub(crate) async fn buy(
        &self,
        task: u64,
        node: u64,
        units: u64,
        price: u64,
        count: u64,
    ) -> Vec<u64> {
        let purchase = Purchase {
            task_small_id: TaskSmallId::new(task),
            num_compute_units: units,
            price,
            count,
            node_small_id: Some(NodeSmallId::new(node)),
        };
        let stacks = self.network.buy_stacks(&purchase).unwrap();
        let stacks: Vec<u64> = stacks.iter().map(|stack| stack.get()).collect();
        self.wait_for_stacks(&stacks).await;
        stacks
    }

    /// Waits until the daemon knows these stacks.
    pub(crate) async fn wait_for_stacks(&self, stacks: &[u64]) {
        let ids: Vec<_> = stacks
            .iter()
            .map(|stack| StackSmallId::new(*stack))
            .collect();
        in_time(self.operator.wait_for_stacks(&ids)).await.unwrap();
    }

    /// Buys one stack.
    pub(crate) async fn buy_one(&self, task: u64, node: u64, units: u64, price: u64) -> u64 {
        self.buy(task, node, units, price, 1).await[0]
    }

    /// Creates a task. Doesn't wait until the daemon knows it.
    pub(crate) fn new_task(&self, level: u16) -> u64 {
        new_task(&self.network, level)
    }

    /// Sets parameters of the contract.
    pub(crate) fn parameters(&self, parameters: Value) {
        let parameters: Parameters = serde_json::from_value(parameters).unwrap();
        self.network.set_parameters(&parameters).unwrap();
    }

    /// Decides which nodes the settlement of a stack draws.
    pub(crate) fn draw(&self, stack: u64, nodes: &[u64]) {
        let nodes = nodes.iter().map(|node| NodeSmallId::new(*node)).collect();
        self.network
            .force_attesters(StackSmallId::new(stack), nodes);
    }

    /// A stack's settlement ticket on chain, or `null`.
    pub(crate) fn ticket(&self, stack: u64) -> Value {
        self.network.state().unwrap()["tickets"][stack.to_string()].clone()
    }

    /// An address's test USDC, in micro-USDC.
    pub(crate) fn usdc(&self, address: &str) -> u64 {
        let coin = self.network.addresses().usdc().to_string();
        let state = self.network.state().unwrap();
        state["balances"][address][coin].as_u64().unwrap_or(0)
    }

    /// An address's SUI, in MIST.
    pub(crate) fn sui(&self, address: &str) -> i128 {
        let state = self.network.state().unwrap();
        let balances = state["balances"][address].as_object().unwrap().iter();
        let mut sui = balances.filter(|(coin, _)| coin.ends_with("::sui::SUI"));
        sui.next()
            .map_or(0, |(_, mist)| i128::from(mist.as_u64().unwrap()))
    }

    /// The operator's address.
    pub(crate) fn address(&self) -> String {
        self.operator.ports().signer.address().to_string()
    }
}

/// A daemon with the files in `dir`, on a free port.
pub(crate) async fn build(dir: &Path, stopping: CancellationToken) -> anyhow::Result<Daemon> {
    let overrides = Overrides {
        http_addr: Some("127.0.0.1:0".parse().unwrap()),
        ..Overrides::default()
    };
    let config = Config::load(&dir.join("daemon.toml"), overrides)?;
    Daemon::build(config, stopping).await
}

/// Adds settings to a configuration. Tables replace those of the same name.
pub(crate) fn configure(dir: &Path, settings: &str) {
    let file = dir.join("daemon.toml");
    let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    config.extend(settings.parse::<toml::Table>().unwrap());
    std::fs::write(&file, config.to_string()).unwrap();
}

/// Sets one id of the contract in the configuration in `dir`.
pub(crate) fn set_id(dir: &Path, setting: &str, id: &str) {
    let file = dir.join("daemon.toml");
    let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    config["sui"][setting] = toml::Value::from(id);
    std::fs::write(&file, config.to_string()).unwrap();
}

/// Writes the files of an operator that has not registered yet.
pub(crate) fn write_operator_files(network: &LocalNet, dir: &Path) {
    write_files_of(network, dir, KEY, ADDRESS);
}

fn write_files_of(network: &LocalNet, dir: &Path, key: &str, address: &str) {
    let addresses = network.addresses();
    let (url, package, db) = (network.url(), addresses.package, addresses.atoma_db);
    let write = |name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
    write("sui.keystore", format!("[\"{key}\"]"));
    write(
        "client.yaml",
        format!(
            "---\nkeystore:\n  File: sui.keystore\nenvs:\n  - alias: localnet\n    rpc: \"{url}\"\n    ws: ~\n    basic_auth: ~\nactive_env: localnet\nactive_address: \"{address}\"\n"
        ),
    );
    write(
        "daemon.toml",
        format!(
            "data_dir = \"data\"\n[sui]\nclient_config = \"client.yaml\"\npackage_id = \"{package}\"\natoma_db_id = \"{db}\"\n"
        ),
    );
}

fn new_task(network: &LocalNet, level: u16) -> u64 {
    let task = NewTask {
        role: 1,
        model_name: Some(format!("model-of-level-{level}")),
        security_level: level,
        minimum_reputation_score: None,
        is_public: true,
    };
    network.create_task(&task).unwrap().get()
}
