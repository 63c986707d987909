//! The transaction engine: lanes side by side, its own speed, and how many transactions claims take.
//!
//! `cargo bench -p atoma-daemon --bench engine`: one run each, about half a minute.

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
use std::path::Path;
use std::time::{Duration, Instant};

use atoma_domain::journal::{Action, Actor, GasOptions, IntentStatus, NewIntent};
use atoma_domain::{NodeSmallId, StackSmallId};
use atoma_operator::{Engine, EngineConfig, NodeChoice, Ports, Registered, Submission};
use support::{World, runtime};
use timed::Times;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    let runtime = runtime();
    runtime.block_on(lanes());
    runtime.block_on(alone());
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
    let choice = NodeChoice {
        node_small_id: Some(node_small_id),
        node_badge_id: None,
    };
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
/// takes of it is what the journal takes longer than on a file system in memory, in the same run.
async fn alone() {
    let on_disk = alone_in(&std::env::temp_dir()).await;
    let in_memory = Path::new("/dev/shm");
    if !in_memory.is_dir() {
        println!("  no file system in memory here: fsync can't be told from SQLite");
        return;
    }
    let without = alone_in(in_memory).await;
    let fsync = on_disk.saturating_sub(without);
    println!("  so of the journal's {on_disk:.2?} fsync takes {fsync:.2?}, SQLite the rest");
}

/// The same with the database in a folder; tells how long the journal was at work.
async fn alone_in(folder: &Path) -> Duration {
    let mut world = World::start_in(folder, 0, 0, 250).await;
    world.demo.tasks.truncate(1);
    let stacks = world.stacks_with_work(world.node(), 2_000).await;
    let times = Times::default();
    let ports = times.over(world.daemon.operator().ports());
    let time = settle(&ports, &stacks).await;
    let rate = rate(&stacks, time);
    let folder = folder.display();
    println!("2000 stacks of one badge, no delays, in {folder}: {time:.2?}, {rate:.0} a second");
    println!("  {}", times.shares(time));
    times.journal()
}

/// A thousand settled stacks claimed at once; the baseline is a transaction each.
async fn claims() {
    let mut world = World::start(0, 0, 10).await;
    world.demo.tasks.truncate(1);
    let stacks = world.stacks_with_work(world.node(), 1_000).await;
    let operator = world.daemon.operator();
    let (node, gas) = (NodeChoice::default(), GasOptions::default());
    operator.settle(&stacks, None, node, gas).await.unwrap();
    world.network.advance_epoch().unwrap();
    let begun = Instant::now();
    let claimed = operator.claim(&stacks, node, gas).await.unwrap();
    let time = begun.elapsed();
    let digests: BTreeSet<_> = claimed
        .iter()
        .filter_map(|result| result.tx_digest)
        .collect();
    println!(
        "1000 stacks claimed in {} transactions, {time:.2?}",
        digests.len()
    );
}

/// How many stacks a second.
fn rate(stacks: &[StackSmallId], time: Duration) -> f64 {
    f64::from(u32::try_from(stacks.len()).unwrap()) / time.as_secs_f64()
}

/// Settles stacks by an engine of its own; tells how long it took.
async fn settle(ports: &Ports, stacks: &[StackSmallId]) -> Duration {
    let engine = Engine::new(
        ports.clone(),
        EngineConfig::default(),
        CancellationToken::new(),
    );
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
                action: Action::SettleStack {
                    stack_small_id: stack.stack_small_id,
                    num_claimed_compute_units: None,
                },
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
    time
}
