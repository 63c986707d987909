//! The daemon process is killed while it settles: nothing is done twice, and nothing is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Attempt;
use atoma_domain::ports::{Chain, EventSource, Journal as _};
use atoma_domain::{Address, CheckpointNumber, NodeSmallId};
use atoma_localnet::demo::{self, Demo};
use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig};
use atoma_state::{SqliteState, StateOptions};
use atoma_sui::{SuiChain, SuiChainConfig, SuiEventSource};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Api;
use crate::support::process::{PATIENCE, Process, in_time};
use crate::support::work::{message, proof, statuses};

/// Where a daemon of the demonstration world keeps its state.
const DATABASE: &str = "data/atoma.sqlite";

/// The demonstration world, on a network that outlives the daemon.
struct Scene {
    network: LocalNet,
    demo: Demo,
    dir: TempDir,
    /// Stacks that the operator can settle, alternating between its two nodes.
    stacks: Vec<u64>,
}

impl Scene {
    async fn start(consensus_ms: u64) -> Self {
        let network = LocalNet::start(LocalNetConfig {
            consensus_ms,
            ..LocalNetConfig::default()
        })
        .await
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let demo = demo::prepare(&network, Some(dir.path())).unwrap();
        let confidential = demo.tasks[1].task_small_id;
        let of = |node: NodeSmallId| {
            let stacks = demo.stacks.iter();
            stacks
                .filter(move |s| s.node_small_id == node && s.task_small_id != confidential)
                .map(|stack| stack.stack_small_id.get())
        };
        let nodes = &demo.operators[0].nodes;
        let stacks = of(nodes[0]).zip(of(nodes[1])).flat_map(|(a, b)| [a, b]);
        let stacks = stacks.collect();
        Self {
            network,
            demo,
            dir,
            stacks,
        }
    }

    /// How many of these stacks have a settlement ticket on chain.
    fn settled(&self, stacks: &[u64]) -> usize {
        let state = self.network.state().unwrap();
        let is_settled = |stack: &&u64| state["tickets"].get(stack.to_string()).is_some();
        stacks.iter().filter(is_settled).count()
    }

    /// Waits until `count` stacks are settled.
    async fn until_settled(&self, stacks: &[u64], count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.settled(stacks) < count {
            assert!(Instant::now() < deadline, "{count} were not settled");
            tick().await;
        }
    }

    /// Delays executions until the connection is gone. What is sent still arrives.
    fn delay_executions(&self) {
        self.network.inject_fault(Fault {
            count: u64::MAX,
            ms: 600_000,
            ..Fault::once(FaultKind::ExecuteDelay)
        });
    }

    /// The attempts that a killed daemon left open, one for each lane.
    async fn open_attempts(&self) -> Vec<Attempt> {
        let path = self.dir.path().join(DATABASE);
        let options = StateOptions::default();
        let state = SqliteState::open(&path, options).await.unwrap();
        let unfinished = state.unfinished().await.unwrap();
        state.close().await;
        unfinished.into_iter().filter_map(|o| o.attempt).collect()
    }

    fn chain(&self) -> Arc<SuiChain> {
        let addresses = self.network.addresses();
        let config = SuiChainConfig::new(self.network.url(), addresses.package, addresses.atoma_db);
        SuiChain::connect(config).unwrap()
    }

    /// The digests of the settlements in the ledger, by stack. Checks that all transactions of the
    /// operator succeeded.
    async fn settlements(&self) -> BTreeMap<u64, Vec<String>> {
        let chain = self.chain();
        let height = chain.height().await.unwrap();
        let source = SuiEventSource::new(chain, CheckpointNumber::new(0));
        let mut stream = source.follow(None).await.unwrap();
        let mut settlements: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let operator: Address = self.demo.operators[0].address;
        let mut covered = None;
        while covered < Some(height) {
            for frame in in_time(stream.next_steps(1_000)).await.unwrap() {
                covered = covered.max(frame.covered);
                let Some(transaction) = frame.transaction else {
                    continue;
                };
                let failed = transaction.events.is_empty() && transaction.sender == operator;
                assert!(!failed, "{} failed", transaction.digest);
                for event in transaction.events {
                    if let ContractEvent::StackTrySettle(event) = event {
                        let of = settlements.entry(event.stack_small_id.get()).or_default();
                        of.push(transaction.digest.to_string());
                    }
                }
            }
        }
        settlements
    }

    /// Checks that exactly one transaction settled each stack, the one in the journal, with the
    /// proof of the stack's own messages.
    async fn assert_each_settled_once(&self, api: &Api, stacks: &[u64]) {
        let settlements = self.settlements().await;
        let (_, journal) = api.get("/transactions?limit=10000").await;
        let journal = journal.as_array().unwrap();
        for (place, stack) in stacks.iter().enumerate() {
            let intents: Vec<&Value> = journal
                .iter()
                .filter(|intent| intent["stack_small_ids"] == json!([stack]))
                .collect();
            assert_eq!(intents.len(), 1, "{intents:?}");
            assert_eq!(intents[0]["status"], "succeeded", "{intents:?}");
            let digest = intents[0]["tx_digest"].as_str().unwrap().to_owned();
            assert_eq!(settlements.get(stack), Some(&vec![digest]));
            let state = self.network.state().unwrap();
            let ticket = &state["tickets"][stack.to_string()];
            assert_eq!(
                ticket["committed_stack_proof"],
                proof(*stack, messages(place), 1, 1)
            );
        }
        assert_eq!(settlements.len(), stacks.len());
    }
}

/// The pause between two looks at another process.
async fn tick() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// How many messages the stack at this index gets. Neighbours differ.
fn messages(place: usize) -> u64 {
    1 + u64::try_from(place % 3).unwrap()
}

/// Records messages on stacks, once the daemon knows them.
async fn record(api: &Api, stacks: &[u64]) {
    let deadline = Instant::now() + PATIENCE;
    while api.get("/ready").await.0 != 200
        || api.get("/stacks").await.1.as_array().unwrap().len() < stacks.len()
    {
        assert!(
            Instant::now() < deadline,
            "the daemon doesn't learn of all stacks"
        );
        tick().await;
    }
    for (place, stack) in stacks.iter().enumerate() {
        for number in 0..messages(place) {
            let body = json!({
                "stack_small_id": stack,
                "message_hash": message(*stack, number),
                "num_compute_units": 1_000,
            });
            let (status, answer) = api.post("/stack_messages", body).await;
            assert_eq!(status, 200, "{answer}");
        }
    }
}

/// How many intents with these statuses the journal has.
async fn count(api: &Api, statuses: &[&str]) -> usize {
    let (_, journal) = api.get("/transactions?limit=10000").await;
    let is_wanted = |intent: &&Value| statuses.contains(&intent["status"].as_str().unwrap());
    journal.as_array().unwrap().iter().filter(is_wanted).count()
}

/// Waits until no intent in the journal is open.
async fn until_quiet(api: &Api) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open = count(api, &["queued", "submitted"]).await;
        if open == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{open} intents are still open");
        tick().await;
    }
}

/// Waits until both lanes have submitted a transaction.
async fn until_both_sent(api: &Api) {
    let deadline = Instant::now() + PATIENCE;
    while count(api, &["submitted"]).await < 2 {
        assert!(Instant::now() < deadline, "nothing is sent");
        tick().await;
    }
}

/// Sends a settlement without waiting for the answer.
fn settle_unanswered(api: &Api, stacks: &[u64]) -> tokio::task::JoinHandle<()> {
    let body = json!({"stack_small_ids": stacks});
    let request = api.request(reqwest::Method::POST, "/try_settle_stack_ids");
    tokio::spawn(async move {
        // The daemon is killed before it answers.
        let _ = request.json(&body).send().await;
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_whose_answer_was_lost_in_a_crash_is_executed_once() {
    let scene = Scene::start(0).await;
    let stacks = &scene.stacks[..5];
    let daemon = Process::start(scene.dir.path());
    record(&daemon.api, stacks).await;
    scene.delay_executions();
    let unanswered = settle_unanswered(&daemon.api, stacks);
    until_both_sent(&daemon.api).await;
    daemon.kill();
    unanswered.await.unwrap();
    scene.network.clear_faults();
    // Executes one of the two transactions in flight, without an answer to the daemon.
    let open = scene.open_attempts().await;
    assert_eq!(open.len(), 2);
    scene.chain().execute(&open[0].transaction).await.unwrap();
    assert_eq!(scene.settled(stacks), 1);

    let daemon = Process::start(scene.dir.path());
    until_quiet(&daemon.api).await;
    scene.assert_each_settled_once(&daemon.api, stacks).await;
    let body = json!({"stack_small_ids": stacks});
    let (status, answer) = daemon.api.post("/try_settle_stack_ids", body).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(statuses(&answer), ["failed"; 5]);
    for result in answer["results"].as_array().unwrap() {
        assert_eq!(result["error"]["code"], "already_settling");
    }
    scene.assert_each_settled_once(&daemon.api, stacks).await;
    let log = daemon.kill();
    let taken_up = log
        .iter()
        .filter(|line| line.contains("taking up an unresolved attempt"));
    assert_eq!(taken_up.count(), 2, "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_interrupted_repeatedly_is_settled_once() {
    let scene = Scene::start(10).await;
    let stacks = &scene.stacks[..20];
    let mut daemon = Process::start(scene.dir.path());
    record(&daemon.api, stacks).await;
    scene.delay_executions();
    let unanswered = settle_unanswered(&daemon.api, stacks);
    until_both_sent(&daemon.api).await;
    daemon.kill();
    scene.network.clear_faults();
    assert_eq!(scene.settled(stacks), 0, "nothing is settled yet");
    daemon = Process::start(scene.dir.path());
    for killed_at in [1, 4, 9, 10, 16] {
        scene.until_settled(stacks, killed_at).await;
        daemon.kill();
        daemon = Process::start(scene.dir.path());
    }
    unanswered.await.unwrap();
    until_quiet(&daemon.api).await;
    scene.assert_each_settled_once(&daemon.api, stacks).await;
}
