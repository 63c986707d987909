//! The transaction engine: lanes side by side, its own speed, what metrics cost, and how many transactions claims
//! take.
//!
//! `cargo bench -p atoma-daemon --bench engine`: one run each, about a minute.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/mod.rs"]
mod support;
#[path = "support/timed.rs"]
mod timed;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use atoma_domain::journal::{Action, Actor, GasOptions, IntentStatus, NewIntent};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_metrics::Metrics;
use atoma_operator::{Engine, EngineConfig, NodeChoice, Operator, Ports, Registered, Submission};
use atoma_state::{SqliteState, StateOptions};
use support::{World, runtime};
use timed::{Times, percent};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let runtime = runtime();
    runtime.block_on(lanes());
    runtime.block_on(alone());
    runtime.block_on(metered());
    runtime.block_on(claims());
}

/// Ten stacks of one badge, against ten each of three badges, on a network that takes 300 ms.
async fn lanes() {
    let mut world = World::start(300, 0, 250).await;
    let gas = GasOptions::default();
    let third = world.daemon.operator().register(true, gas).await.unwrap();
    let Registered::Executed { node_small_id, .. } = third else {
        return;
    };
    let task = world.demo.tasks[0].task_small_id;
    let choice = NodeChoice::from(node_small_id);
    let price = atoma_domain::PricePerMillion::new(1);
    let operator = world.daemon.operator();
    operator
        .subscribe_to_task(task, price, choice, gas)
        .await
        .unwrap();
    world.demo.tasks.truncate(1);
    let nodes = [NodeSmallId::new(1), NodeSmallId::new(2), node_small_id];
    let mut rates = Vec::new();
    for badges in [1, 3] {
        let mut stacks = Vec::new();
        for node in nodes.iter().take(badges) {
            stacks.extend(world.stacks_with_work(*node, 10).await);
        }
        let ports = world.daemon.operator().ports();
        let time = settle(ports, &stacks).await;
        println!("{badges} badges, 10 stacks each, 300 ms: {time:.2?}");
        rates.push(rate(&stacks, time));
    }
    println!(
        "three badges are {:.2} times as fast as one",
        rates[1] / rates[0]
    );
}

/// Two thousand stacks of one badge on a network without delays, the journal durable. What `fsync`
/// takes of it is what the journal takes longer than in a second run on the same disk, in which
/// nothing that it writes is flushed.
async fn alone() {
    let (time, durable) = alone_with(true).await;
    let (_, undurable) = alone_with(false).await;
    let fsync = durable.saturating_sub(undurable);
    println!(
        "  so of the durable run fsync takes {}, SQLite {}",
        percent(fsync, time),
        percent(durable - fsync, time)
    );
}

/// The same with a journal that is durable or not; tells how long all took, and how long the
/// journal was at work.
async fn alone_with(is_durable: bool) -> (Duration, Duration) {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start_in(dir.path(), 0, 0, 250).await;
    world.demo.tasks.truncate(1);
    let stacks = world.stacks_with_work(world.node(), 2_000).await;
    let mut ports = world.daemon.operator().ports().clone();
    if !is_durable {
        let database = dir.path().join("data").join("atoma.sqlite");
        assert!(database.is_file());
        let undurable = SqliteState::open_undurable(&database, StateOptions::default());
        ports.journal = Arc::new(undurable.await.unwrap());
    }
    let times = Times::default();
    let time = settle(&times.over(&ports), &stacks).await;
    let rate = rate(&stacks, time);
    let journal = if is_durable { "durable" } else { "not durable" };
    println!("2000 stacks of one badge, no delays, {journal}: {time:.2?}, {rate:.0} a second");
    println!("  {}", times.shares(time));
    (time, times.journal())
}

/// What metrics cost: five pairs of a thousand settlements, as the daemon counts them, and counted once more
/// while somebody reads all metrics every second.
async fn metered() {
    const STACKS: u64 = 1_000;
    let mut world = World::start(0, 0, 250).await;
    world.demo.tasks.truncate(1);
    let operator = world.daemon.operator().clone();
    let metrics = Metrics::new().unwrap();
    let mut twice = operator.ports().clone();
    twice.chain = metrics.counting(twice.chain);
    let mut costs = Vec::new();
    for pair in 0..5 {
        let mut times = [Duration::ZERO; 2];
        // Whoever comes second finds a larger database, so they take turns.
        for turn in [pair % 2, (pair + 1) % 2] {
            let stacks = world.stacks_with_work(world.node(), STACKS).await;
            times[turn] = if turn == 0 {
                settle(operator.ports(), &stacks).await
            } else {
                let stopping = CancellationToken::new();
                let scrapes = scrape(operator.clone(), metrics.clone(), stopping.clone());
                let scrapes = tokio::spawn(scrapes);
                let time = settle(&twice, &stacks).await;
                stopping.cancel();
                scrapes.await.unwrap();
                time
            };
        }
        costs.push(100.0 * (times[1].as_secs_f64() / times[0].as_secs_f64() - 1.0));
    }
    costs.sort_by(f64::total_cmp);
    println!(
        "metrics: settling takes {:.1} % longer (median of {} pairs; {:.1} to {:.1} %)",
        costs[costs.len() / 2],
        costs.len(),
        costs[0],
        costs[costs.len() - 1]
    );
}

async fn scrape(operator: Operator, metrics: Metrics, stopping: CancellationToken) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    while stopping.run_until_cancelled(seconds.tick()).await.is_some() {
        let text = metrics.render(&operator.measure().await).unwrap();
        assert!(!text.is_empty());
    }
}

/// A thousand settled stacks claimed at once; the baseline is a transaction each.
async fn claims() {
    let baseline = EngineConfig {
        claims_per_transaction: 1,
        ..EngineConfig::default()
    };
    let mut world = World::start(0, 0, 10).await;
    world.demo.tasks.truncate(1);
    for (name, config) in [("baseline", baseline), ("engine", EngineConfig::default())] {
        let stacks = world.stacks_with_work(world.node(), 1_000).await;
        let operator = world.daemon.operator();
        let (node, gas) = (NodeChoice::default(), GasOptions::default());
        operator.settle(&stacks, None, node, gas).await.unwrap();
        world.network.advance_epoch().unwrap();
        let claim = |stack_small_id| Action::ClaimStack { stack_small_id };
        let (time, transactions) = drive(operator.ports(), config, &stacks, claim).await;
        println!("{name}: 1000 stacks claimed in {transactions} transactions, {time:.2?}");
    }
}

/// How many stacks a second.
fn rate(stacks: &[StackSmallId], time: Duration) -> f64 {
    f64::from(u32::try_from(stacks.len()).unwrap()) / time.as_secs_f64()
}

/// Settles stacks by an engine of its own; tells how long it took.
async fn settle(ports: &Ports, stacks: &[StackSmallId]) -> Duration {
    let settle = |stack_small_id| Action::SettleStack {
        stack_small_id,
        num_claimed_compute_units: None,
    };
    let (time, transactions) = drive(ports, EngineConfig::default(), stacks, settle).await;
    assert_eq!(transactions, stacks.len());
    time
}

/// Has an engine of its own do something about each stack; tells how long it took, and by how many
/// transactions.
async fn drive(
    ports: &Ports,
    config: EngineConfig,
    stacks: &[StackSmallId],
    action: impl Fn(StackSmallId) -> Action,
) -> (Duration, usize) {
    let engine = Engine::new(ports.clone(), config, CancellationToken::new());
    let nodes = ports.state.operator_nodes().await.unwrap();
    let known = ports.state.stacks_by_id(stacks).await.unwrap();
    let intents = known
        .iter()
        .map(|stack| {
            let node = nodes
                .iter()
                .find(|node| node.node_small_id == stack.selected_node_id)
                .unwrap();
            NewIntent {
                action: action(stack.stack_small_id),
                actor: Actor::Node {
                    node_small_id: node.node_small_id,
                    node_badge_id: node.node_badge_id,
                    address: node.address,
                },
                gas: GasOptions::default(),
            }
        })
        .collect();
    let begun = Instant::now();
    let ids: Vec<_> = engine
        .submit(intents)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|submission| match submission {
            Submission::Accepted(id) => Some(id),
            Submission::Refused(_) => None,
        })
        .collect();
    let ends = engine.wait(&ids, PATIENCE).await;
    let time = begun.elapsed();
    assert_eq!(ends.len(), stacks.len());
    assert!(ends.iter().all(|end| end.status == IntentStatus::Succeeded));
    let digests: BTreeSet<_> = ends.iter().filter_map(|end| end.tx_digest).collect();
    (time, digests.len())
}
