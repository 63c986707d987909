//! A journal that can't be written because another process has locked the SQLite file. Nothing is
//! sent, and waiting requests are answered.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::{CheckpointNumber, TaskSmallId};
use atoma_localnet::Purchase;
use atoma_state::StateOptions;
use atoma_state::testing::WriteLock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::gated::{Gates, Setup};
use crate::support::process::in_time;
use crate::support::work::{proof, statuses};
use crate::support::{Answer, NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// A world with stacks of one node with two messages each. The daemon waits one second for the
/// database, and longer than the tests for an outcome.
async fn with_work(count: u64) -> (TestWorld, Arc<Gates>, Vec<u64>) {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let gates = world
        .restart_gated(Setup {
            state: StateOptions {
                busy_timeout: Duration::from_secs(1),
                ..StateOptions::default()
            },
            request_timeout: Duration::from_secs(170),
            ..Setup::default()
        })
        .await;
    let stacks = world.buy(1, 1, 1_000, 1_000, count).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    (world, gates, stacks)
}

/// Locks the daemon's database.
async fn lock(world: &TestWorld) -> WriteLock {
    WriteLock::take(world.database()).await.unwrap()
}

/// Settles stacks, with the database locked after the first call of that name. Returns the lock and
/// the answer, which says that the work stays queued.
async fn settle_while_locked(
    world: &TestWorld,
    gates: &Gates,
    call: &'static str,
    stacks: &[u64],
) -> (WriteLock, Value) {
    gates.close(call);
    let settling = world.spawn_settle(stacks);
    gates.hangs().await;
    let locked = lock(world).await;
    gates.open();
    let (status, answer) = in_time(settling).await.unwrap();
    assert_eq!(
        (status, &answer["code"]),
        (504, &json!("outcome_unknown")),
        "{answer}"
    );
    (locked, answer)
}

/// The height of the ledger. Every transaction makes a checkpoint.
async fn height(world: &TestWorld) -> CheckpointNumber {
    world.operator.ports().chain.height().await.unwrap()
}

async fn settle_under_key(world: &TestWorld, stacks: &[u64]) -> Answer {
    let request = world.api.request(Method::POST, SETTLE);
    let request = request.header("Idempotency-Key", "key");
    in_time(answer(request.json(&json!({"stack_small_ids": stacks})))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_journalled_fails_and_leaves_nothing() {
    let (world, _, stacks) = with_work(2).await;
    let before = height(&world).await;
    let locked = lock(&world).await;
    let refused = settle_under_key(&world, &stacks).await;
    assert_refused(&refused, 500, "internal");
    assert_eq!(refused.1.get("results"), None, "{}", refused.1);
    // Reads still work.
    for stack in &stacks {
        assert!(world.journal_entries(*stack).await.is_empty());
    }
    assert_eq!(world.get("/ready").await.0, 200);
    assert_eq!(height(&world).await, before);

    locked.release().await.unwrap();
    // The stack is not frozen, and the key is free.
    world.record_one(stacks[0], 2, 100).await;
    let (status, settled) = settle_under_key(&world, &stacks).await;
    assert_eq!(status, 200, "{settled}");
    for (stack, messages) in [(stacks[0], 3), (stacks[1], 2)] {
        assert_eq!(world.journal_entries(stack).await.len(), 1);
        let ticket = world.ticket(stack);
        assert_eq!(
            ticket["committed_stack_proof"],
            proof(stack, messages, 1, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_cannot_be_recorded_is_not_sent_and_all_requests_are_answered() {
    let (world, gates, stacks) = with_work(3).await;
    let before = height(&world).await;
    let (locked, answer) = settle_while_locked(&world, &gates, "view", &stacks).await;
    assert_eq!(statuses(&answer), ["pending"; 3]);
    for (result, stack) in answer["results"].as_array().unwrap().iter().zip(&stacks) {
        assert_eq!(result["error"]["code"], "internal");
        assert_eq!(result["tx_digest"], Value::Null);
        let entry = &world.journal_entries(*stack).await[0];
        assert_eq!(entry["transaction_id"], result["transaction_id"]);
        assert_eq!(entry["status"], "queued");
        assert_eq!(entry["tx_digest"], Value::Null);
        assert_eq!(entry["error"], Value::Null);
        assert_eq!(entry["waiting_for"]["code"], "internal");
        assert_eq!(world.ticket(*stack), Value::Null);
    }
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    let warnings = ready["warnings"].to_string();
    assert!(warnings.contains("transactions waiting: 3"), "{warnings}");
    assert_eq!(height(&world).await, before);

    // The lane continues on its own, and nothing waits for the journal.
    gates.close("execute");
    locked.release().await.unwrap();
    gates.hangs().await;
    for (stack, status) in stacks.iter().zip(["submitted", "queued", "queued"]) {
        let entry = &world.journal_entries(*stack).await[0];
        assert_eq!(entry["status"], status);
        assert_eq!(entry["waiting_for"], Value::Null);
    }
    gates.open();
    for stack in &stacks {
        let entry = world.until_status(*stack, "succeeded").await;
        assert_eq!(entry["waiting_for"], Value::Null);
        let ticket = world.ticket(*stack);
        assert_eq!(ticket["committed_stack_proof"], proof(*stack, 2, 1, 1));
    }
    assert_eq!(height(&world).await.get(), before.get() + 3);
    assert_eq!(world.warnings().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_cannot_be_recorded_is_answered_with_its_digest_and_recorded_later() {
    let (world, gates, stacks) = with_work(2).await;
    let before = height(&world).await;
    let (locked, answer) = settle_while_locked(&world, &gates, "execute", &stacks).await;
    assert_eq!(statuses(&answer), ["pending"; 2]);
    let digest = &answer["results"][0]["tx_digest"];
    assert!(digest.is_string(), "{answer}");
    let error = answer["results"][0]["error"]["error"].as_str().unwrap();
    let executed = format!("{} has executed", digest.as_str().unwrap());
    assert!(error.contains(&executed), "{error}");
    let entry = &world.journal_entries(stacks[0]).await[0];
    assert_eq!(entry["status"], "submitted");
    assert_eq!(&entry["tx_digest"], digest);
    assert_eq!(entry["waiting_for"]["error"], error);
    assert_ne!(world.ticket(stacks[0]), Value::Null);
    // The other one was not sent, so it has no digest.
    let other = &answer["results"][1];
    assert_eq!(other["tx_digest"], Value::Null);
    assert_eq!(other["error"]["code"], "internal");
    assert_eq!(
        world.journal_entries(stacks[1]).await[0]["status"],
        "queued"
    );
    assert_eq!(world.ticket(stacks[1]), Value::Null);
    assert_eq!(height(&world).await.get(), before.get() + 1);

    locked.release().await.unwrap();
    let first = world.until_status(stacks[0], "succeeded").await;
    assert_eq!(&first["tx_digest"], digest);
    assert_eq!(first["waiting_for"], Value::Null);
    world.until_status(stacks[1], "succeeded").await;
    assert_eq!(height(&world).await.get(), before.get() + 2);
}

/// A mirror that can't be written is a reason of its own, with the cause, however short its lag is.
#[tokio::test]
async fn a_mirror_that_cannot_be_written_is_a_reason() {
    let (world, _gates, _) = with_work(1).await;
    let locked = lock(&world).await;
    let purchase = Purchase {
        task_small_id: TaskSmallId::new(1),
        num_compute_units: 1_000,
        price: 1_000,
        count: 1,
        node_small_id: None,
    };
    world.network.buy_stacks(&purchase).unwrap();
    let reason = async {
        loop {
            let (_, ready) = world.get("/ready").await;
            let reasons = ready["details"]["reasons"].to_string();
            if reasons.contains("the mirror does not move") {
                return reasons;
            }
        }
    };
    let reason = in_time(reason).await;
    assert!(reason.contains("database is locked"), "{reason}");
    locked.release().await.unwrap();
    let ready = async { while world.get("/ready").await.0 != 200 {} };
    in_time(ready).await;
}
