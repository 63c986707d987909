//! Stops with work in flight: they don't wait for the network, and the next start continues the
//! work.

use std::collections::{BTreeMap, BTreeSet};

use atoma_domain::ObjectId;
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Attempt;
use atoma_domain::ports::Journal as _;
use atoma_localnet::{Fault, FaultKind};
use atoma_state::{SqliteState, StateOptions};
use serde_json::{Value, json};

use crate::support::process::in_time;
use crate::support::work::{proof, statuses};
use crate::support::{Api, NONE, TestWorld};

/// Delays executions until the connection is gone. What is sent still arrives.
fn delay_executions(world: &TestWorld) {
    world.network.inject_fault(Fault {
        count: u64::MAX,
        ms: 600_000,
        ..Fault::once(FaultKind::ExecuteDelay)
    });
}

async fn stop(world: &mut TestWorld) {
    in_time(world.stop()).await;
}

/// The open attempts, ordered by digest.
async fn open_attempts(world: &TestWorld) -> Vec<Attempt> {
    let unfinished = world.operator.ports().journal.unfinished().await.unwrap();
    let attempts = unfinished.into_iter().filter_map(|open| open.attempt);
    let by_digest: BTreeMap<_, _> = attempts.map(|a| (a.digest(), a)).collect();
    by_digest.into_values().collect()
}

/// Waits until the open attempts are as wanted.
async fn until_open(world: &TestWorld, wanted: impl Fn(&[Attempt]) -> bool) -> Vec<Attempt> {
    let open = async {
        loop {
            let open = open_attempts(world).await;
            if wanted(&open) {
                return open;
            }
        }
    };
    in_time(open).await
}

/// Checks that no two attempts use the same badge or coin.
fn assert_disjoint(attempts: &[Attempt]) {
    let used = attempts.iter().flat_map(|a| a.badge.iter().chain(&a.gas));
    let ids: Vec<ObjectId> = used.map(|object| *object.object_id()).collect();
    let distinct: BTreeSet<&ObjectId> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
}

/// The digests of each stack's settlements in the ledger. Checks that all transactions of the
/// operator succeeded.
async fn settlements(world: &TestWorld) -> BTreeMap<u64, Vec<Value>> {
    world.network.step().unwrap();
    let ports = world.operator.ports();
    let (operator, tip) = (ports.signer.address(), ports.chain.height().await.unwrap());
    let mut stream = ports.source.follow(None).await.unwrap();
    let (mut covered, mut found) = (None, BTreeMap::<u64, Vec<Value>>::new());
    while covered < Some(tip) {
        for frame in in_time(stream.next_steps(1_000)).await.unwrap() {
            covered = covered.max(frame.covered);
            let Some(transaction) = frame.transaction.filter(|t| t.sender == operator) else {
                continue;
            };
            assert!(!transaction.events.is_empty(), "{transaction:?}");
            for event in &transaction.events {
                if let ContractEvent::StackTrySettle(event) = event {
                    let of = found.entry(event.stack_small_id.get()).or_default();
                    of.push(json!(transaction.digest));
                }
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_the_network_and_the_next_start_continues() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    delay_executions(&world);
    let body = json!({"stack_small_ids": stacks});
    let settling = world.spawn_post("/try_settle_stack_ids", body);
    world.until_status(stacks[0], "submitted").await;
    stop(&mut world).await;
    // The waiting client gets the id to look up.
    let (status, late) = settling.await.unwrap();
    assert_eq!(status, 504, "{late}");
    assert_eq!(statuses(&late), ["pending", "pending"]);
    assert!(late["details"]["transaction_id"].is_u64(), "{late}");
    world.network.clear_faults();
    world.start_again().await;
    for stack in stacks {
        world.until_status(stack, "succeeded").await;
        assert_eq!(world.ticket(stack)["num_claimed_compute_units"], 200);
    }
}

/// The work belongs to the engine: it needs neither the client nor the server's worker that took
/// the request.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_within_the_grace_period_is_recorded_even_if_nobody_waits() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 2, 100).await;
    world.network.inject_fault(Fault {
        ms: 500,
        ..Fault::once(FaultKind::ExecuteDelay)
    });
    let settling = world.spawn_settle(&[stack]);
    world.until_status(stack, "submitted").await;
    settling.abort();
    // Without connections, a worker of the server stops at once.
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    world.api = Api::new(nowhere);
    stop(&mut world).await;
    let path = world.dir.path().join("data").join("atoma.sqlite");
    let state = SqliteState::open(&path, StateOptions::default())
        .await
        .unwrap();
    assert_eq!(state.unfinished().await.unwrap(), []);
    state.close().await;
    world.start_again().await;
    world.until_status(stack, "succeeded").await;
}

/// Three nodes have a transaction in flight. One is executed after the daemon has stopped, the
/// others never arrive.
#[tokio::test(flavor = "multi_thread")]
async fn three_lanes_stopped_in_flight_settle_each_stack_once_and_share_no_coin() {
    let mut world = TestWorld::start(&[NONE], 3).await;
    let mut stacks = Vec::new();
    for node in world.nodes.clone() {
        let of_node = world.buy(1, node, 1_000, 1_000, 3).await;
        for stack in &of_node {
            world.record(*stack, 2, 100).await;
        }
        stacks.push(of_node);
    }
    delay_executions(&world);
    let settling = world.spawn_settle(&stacks.concat());
    for of_node in &stacks {
        world.until_status(of_node[0], "submitted").await;
    }
    let before = open_attempts(&world).await;
    assert_eq!(before.len(), 3);
    assert_disjoint(&before);
    let chain = world.operator.ports().chain.clone();
    settling.abort();
    stop(&mut world).await;
    world.network.clear_faults();
    chain.execute(&before[0].transaction).await.unwrap();

    world.hold_submissions();
    world.configure("recovery_timeout_s = 0");
    world.start_again().await;
    world.until_ready().await;
    // The lane whose transaction was executed signs its next one, and a registration is signed,
    // too. The coins of the two unresolved attempts stay leased.
    let registering = world.spawn_post("/register", json!({"additional": true}));
    let are_all_sent = |open: &[Attempt]| open.len() == 4 && !open.contains(&before[0]);
    let now = until_open(&world, are_all_sent).await;
    assert_disjoint(&now);
    for unresolved in &before[1..] {
        assert!(now.contains(unresolved), "{unresolved:?}");
    }

    world.network.clear_faults();
    let (status, registered) = registering.await.unwrap();
    assert_eq!(status, 200, "{registered}");
    let stacks = stacks.concat();
    let mut expected = BTreeMap::new();
    for stack in &stacks {
        let entry = world.until_status(*stack, "succeeded").await;
        expected.insert(*stack, vec![entry["tx_digest"].clone()]);
        assert_eq!(
            world.ticket(*stack)["committed_stack_proof"],
            proof(*stack, 2, 1, 1)
        );
    }
    assert_eq!(settlements(&world).await, expected);
    // The attempts in flight were sent again, not signed again.
    let digests: Vec<&Value> = expected.values().flatten().collect();
    for attempt in before {
        assert!(digests.contains(&&json!(attempt.digest())));
    }
}
