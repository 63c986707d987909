//! While a call to the Sui node hangs, reads, messages and writes for other badges continue: no
//! lock is held across such a call.

use atoma_localnet::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::gated::Setup;
use crate::support::process::in_time;
use crate::support::{NONE, TestWorld};

/// The most stacks that one request may name.
const STACKS: u64 = 1_000;

/// Everything that can be read.
const GETS: &[&str] = &[
    "/tasks",
    "/subscriptions",
    "/subscriptions/1",
    "/stacks",
    "/stacks/1",
    "/almost_filled_stacks/0.5",
    "/almost_filled_stacks/1/0.5",
    "/claimed_stacks",
    "/claimed_stacks/1",
    "/attestations_due",
    "/attestations_due/1",
    "/own_attestation_disputes",
    "/own_attestation_disputes/1",
    "/against_attestation_disputes",
    "/against_attestation_disputes/1",
    "/nodes",
    "/transactions",
    "/transactions?status=queued",
    "/transactions/1",
    "/health",
    "/ready",
];

/// Checks that everything can be read and that a message can be recorded.
async fn all_is_answered(world: &TestWorld, stack: u64, number: u64) {
    for path in GETS {
        let (status, answer) = world.api.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
    world.record_one(stack, number, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_answered_while_a_thousand_settlements_wait() {
    let world = TestWorld::start(&[NONE], 1).await;
    let task = world.tasks[0];
    let stacks = world.buy(task, 1, 1_000, 1_000, STACKS).await;
    for stack in &stacks {
        world.record_one(*stack, 0, 10).await;
    }
    let other = world.buy_one(task, 1, 1_000, 1_000).await;
    // Longer than the test may take, so anything that waits for it gets no answer.
    world.network.inject_fault(Fault {
        count: u64::MAX,
        ms: 600_000,
        ..Fault::once(FaultKind::ExecuteDelay)
    });
    let settling = world.spawn_settle(&stacks);
    world.until_submitted().await;
    in_time(all_is_answered(&world, other, 0)).await;
    let waiting = world.list("/transactions?status=queued&limit=10000").await;
    assert_eq!(waiting.len(), stacks.len() - 1);
    settling.abort();
}

/// A call to the chain, and what must happen on the network for the daemon to make it.
const CALLS: &[(&str, Option<FaultKind>)] = &[
    ("view", None),
    ("gas_coins", None),
    ("simulate", None),
    ("execute", None),
    ("consumption", Some(FaultKind::ExecuteLostAfter)),
    ("lookup", Some(FaultKind::ExecuteLostAfter)),
    ("is_absent", Some(FaultKind::ExecuteLostBefore)),
];

#[tokio::test(flavor = "multi_thread")]
async fn whichever_call_of_a_settlement_hangs_only_its_own_badge_waits() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let served = world.buy_one(1, 1, 1_000, 1_000).await;
    for (number, (call, fault)) in (0..).zip(CALLS) {
        // A fresh daemon, which knows neither its coins nor the cost of a settlement.
        let gates = world.restart_gated(Setup::default()).await;
        let [mine, others] = [
            world.buy_one(1, 1, 1_000, 1_000).await,
            world.buy_one(1, 2, 1_000, 1_000).await,
        ];
        for stack in [mine, others] {
            world.record(stack, 2, 10).await;
        }
        if let Some(kind) = fault {
            world.network.inject_fault(Fault::once(*kind));
        }
        gates.close(call);
        let pending = world.spawn_settle(&[mine]);
        gates.hangs().await;
        in_time(all_is_answered(&world, served, number)).await;
        in_time(world.settle(&[others])).await;
        in_time(world.spawn_post("/register", json!({"additional": true})))
            .await
            .unwrap();
        // If it is not on chain yet, the journal doesn't show it as settled either.
        let entry = &world.journal_entries(mine).await[0];
        assert_ne!(entry["status"], "succeeded", "{call}");
        assert!(!pending.is_finished(), "{call}");
        gates.open();
        let (status, answer) = in_time(pending).await.unwrap();
        assert_eq!(status, 200, "{call}: {answer}");
        assert_ne!(world.ticket(mine), Value::Null, "{call}");
    }
}

/// The calls that a request makes to the chain before anything is in the journal.
#[tokio::test(flavor = "multi_thread")]
async fn whichever_call_of_a_request_hangs_only_its_client_waits() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let gates = world.restart_gated(Setup::default()).await;
    let served = world.buy_one(1, 1, 1_000, 1_000).await;
    let settled = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(settled, 2, 10).await;
    world.settle(&[settled]).await;
    let requests = [
        (
            "epoch",
            "/claim_funds",
            json!({"stack_small_ids": [settled]}),
        ),
        ("badges", "/register", json!({"additional": false})),
    ];
    for (number, (call, path, body)) in (0..).zip(requests) {
        let others = world.buy_one(1, 2, 1_000, 1_000).await;
        world.record(others, 2, 10).await;
        gates.close(call);
        let pending = world.spawn_post(path, body);
        gates.hangs().await;
        in_time(all_is_answered(&world, served, number)).await;
        in_time(world.settle(&[others])).await;
        assert!(!pending.is_finished(), "{call}");
        gates.open();
        let (status, answer) = in_time(pending).await.unwrap();
        assert_eq!(status, 409, "{call}: {answer}");
    }
    // Readiness asks the node itself, and reports after a while that it does not answer.
    gates.close("height");
    let api = world.api.clone();
    let ready = tokio::spawn(async move { api.get("/ready").await });
    gates.hangs().await;
    in_time(all_is_answered(&world, served, 9)).await;
    let (status, answer) = in_time(ready).await.unwrap();
    assert_eq!(status, 503, "{answer}");
}
