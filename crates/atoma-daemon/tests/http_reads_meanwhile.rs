//! Reads and messages are answered while settlements wait for the network: no lock is held across a
//! wait for it.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod common;

use atoma_localnet::{Fault, FaultKind};
use common::process::PATIENCE;
use common::{NONE, TestWorld};
use serde_json::json;

/// As many as one request may name.
const STACKS: u64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_answered_while_a_thousand_settlements_wait() {
    let world = TestWorld::start(&[NONE], 1).await;
    let task = world.tasks[0];
    let stacks = world.buy(task, 1, 1_000, 1_000, STACKS).await;
    for stack in &stacks {
        world.record_one(*stack, 0, 10).await;
    }
    let other = world.buy_one(task, 1, 1_000, 1_000).await;
    // Longer than the test may take: what waited behind it would never be answered.
    world.network.inject_fault(Fault {
        kind: FaultKind::ExecuteDelay,
        count: u64::MAX,
        ms: 600_000,
    });
    let api = world.api.clone();
    let body = json!({"stack_small_ids": stacks});
    let settling = tokio::spawn(async move { api.post("/try_settle_stack_ids", body).await });
    let reads = async {
        while world
            .list("/transactions?status=submitted")
            .await
            .is_empty()
        {}
        for path in [
            "/tasks",
            "/subscriptions",
            "/stacks",
            "/stacks/1",
            "/almost_filled_stacks/0.5",
            "/claimed_stacks",
            "/own_attestation_disputes",
            "/against_attestation_disputes",
            "/nodes",
            "/transactions",
            "/transactions?status=queued",
            "/health",
            "/ready",
        ] {
            let (status, answer) = world.api.get(path).await;
            assert_eq!(status, 200, "{path}: {answer}");
        }
        world.record_one(other, 0, 10).await;
    };
    tokio::time::timeout(PATIENCE, reads)
        .await
        .expect("an answer waits for the network");
    let waiting = world.list("/transactions?status=queued&limit=10000").await;
    assert_eq!(waiting.len(), stacks.len() - 1);
    settling.abort();
}
