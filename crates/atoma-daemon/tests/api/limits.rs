//! The limits: full queues, the circuit breaker, the cap on gas. What they hold is reported, and
//! continues later.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::journal::summary;
use crate::support::work::{proof, statuses};
use crate::support::{Answer, NONE, SAMPLING, TestWorld, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// The refusal of a settlement, and its `Retry-After` in seconds.
async fn refusal(world: &TestWorld, stacks: &[u64]) -> (Answer, Option<u64>) {
    let request = world.api.request(Method::POST, SETTLE);
    let response = request
        .json(&json!({"stack_small_ids": stacks}))
        .send()
        .await
        .unwrap();
    let after = response.headers().get("Retry-After").cloned();
    let after = after.map(|after| after.to_str().unwrap().parse().unwrap());
    let status = response.status().as_u16();
    ((status, response.json().await.unwrap()), after)
}

/// A stack of the task with two messages.
async fn served(world: &TestWorld, task: u64, node: u64) -> u64 {
    let stack = world.buy_one(task, node, 1_000, 1_000).await;
    world.record(stack, 2, 100).await;
    stack
}

async fn number_of_entries(world: &TestWorld) -> usize {
    world.list("/transactions?limit=10000").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_lane_is_refused_and_the_rest_continues() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let mut stacks = Vec::new();
    for _ in 0..4 {
        stacks.push(served(&world, 1, 1).await);
    }
    let other = served(&world, 1, 2).await;
    world.restart_with("queue_limit = 2").await;
    world.hold_submissions();
    let settling = world.spawn_settle(&stacks[..3]);
    world.until_status(stacks[0], "submitted").await;

    let (refused, after) = refusal(&world, &stacks[3..]).await;
    assert_refused(&refused, 429, "queue_full");
    assert_eq!(refused.1["details"]["node_small_id"], 1);
    assert!(refused.1["error"].as_str().unwrap().contains("of node 1 "));
    assert_eq!(statuses(&refused.1), ["failed"]);
    assert_eq!(refused.1["results"][0]["error"]["code"], "queue_full");
    assert_eq!(refused.1["results"][0]["transaction_id"], Value::Null);
    assert!(after.is_some());
    // The other node has its own lane.
    let half = world.spawn_settle(&[stacks[3], other]);
    world.until_status(other, "submitted").await;
    for refused in &stacks[2..] {
        assert!(world.journal_entries(*refused).await.is_empty());
    }

    world.network.clear_faults();
    let (status, answer) = settling.await.unwrap();
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["succeeded", "succeeded", "failed"]);
    assert_eq!(answer["results"][2]["error"]["code"], "queue_full");
    let (status, answer) = half.await.unwrap();
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["failed", "succeeded"]);
    // The refused stack is not frozen, and now there is room.
    world.record_one(stacks[3], 2, 100).await;
    world.settle(&stacks[2..]).await;
    assert_eq!(
        world.ticket(stacks[3])["committed_stack_proof"],
        proof(stacks[3], 3, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_joins_its_intents_in_a_full_lane() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = [served(&world, 1, 1).await, served(&world, 1, 1).await];
    world
        .restart_with("queue_limit = 2\nrequest_timeout_s = 1")
        .await;
    world.hold_submissions();
    let settling = world.spawn_settle(&stacks);
    let first = world.until_status(stacks[0], "submitted").await;
    let (status, again) = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 504, "{again}");
    assert_eq!(statuses(&again), ["pending", "pending"]);
    assert_eq!(
        again["results"][0]["transaction_id"],
        first["transaction_id"]
    );
    assert_eq!(settling.await.unwrap().0, 504);
    assert_eq!(world.journal_entries(stacks[1]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_an_abandoned_intent_is_free_at_once() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let mut stacks = Vec::new();
    for _ in 0..3 {
        stacks.push(served(&world, 1, 1).await);
    }
    world.restart_with("queue_limit = 2").await;
    world.hold_submissions();
    let settling = world.spawn_settle(&stacks[..2]);
    world.until_status(stacks[0], "submitted").await;
    let entry = world.until_status(stacks[1], "queued").await;
    // The lane itself can't reach the intent while the one in front is stuck.
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    world.post_ok(&path, json!({})).await;
    let other = world.spawn_settle(&stacks[2..]);
    world.until_status(stacks[2], "queued").await;
    world.network.clear_faults();
    assert_eq!(other.await.unwrap().0, 200);
    let (_, answer) = settling.await.unwrap();
    assert_eq!(statuses(&answer), ["succeeded", "failed"]);
    // No place was freed twice, and none is lost.
    let more = [served(&world, 1, 1).await, served(&world, 1, 1).await];
    world.settle(&more).await;
    world.hold_submissions();
    let full = world.spawn_settle(&[served(&world, 1, 1).await, served(&world, 1, 1).await]);
    let last = served(&world, 1, 1).await;
    world.until_submitted().await;
    let (refused, _) = refusal(&world, &[last]).await;
    assert_refused(&refused, 429, "queue_full");
    world.network.clear_faults();
    assert_eq!(full.await.unwrap().0, 200);
}

/// A world with a breaker that opens for `pause_s` at the first failure, a stack whose settlement
/// the contract aborts, and other stacks in the same lane.
///
/// A similar settlement has succeeded before, so this one is sent without a simulation. It aborts
/// because an unsubscribed node stays in the task's subscriber list until the next purchase.
async fn before_an_abort(pause_s: u64) -> (TestWorld, u64, Vec<u64>) {
    let mut world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    let before = served(&world, 1, 1).await;
    let bad = served(&world, 1, 1).await;
    let good = vec![served(&world, 2, 1).await, served(&world, 2, 1).await];
    world
        .restart_with(&format!("breaker = {{failures = 1, pause_s = {pause_s}}}"))
        .await;
    world.settle(&[before]).await;
    let body = json!({"task_small_id": 1, "node_small_id": 2});
    world.post_ok("/task_unsubscribe", body).await;
    (world, bad, good)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_holds_queued_intents_and_refuses_new_ones() {
    let (mut world, bad, good) = before_an_abort(3_600).await;
    let new = served(&world, 2, 2).await;
    let (_, ready) = world.get("/ready").await;
    let spent = ready["brakes"]["gas_spent"].as_u64().unwrap();
    assert_eq!(ready["brakes"]["held"], Value::Null);

    let body = json!({"stack_small_ids": [bad, good[0], good[1]]});
    let (status, answer) = world.post(SETTLE, body.clone()).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["failed", "pending", "pending"]);
    let failed = &answer["results"][0];
    assert_eq!(failed["error"]["code"], "contract_abort", "{answer}");
    assert!(failed["error"]["details"]["abort_code"].is_u64());
    assert!(failed["tx_digest"].is_string());
    for (result, stack) in answer["results"].as_array().unwrap()[1..].iter().zip(&good) {
        assert_eq!(result["error"]["code"], "breaker_open");
        assert_eq!(result["tx_digest"], Value::Null);
        let id = &result["transaction_id"];
        let (_, entry) = world.get(&format!("/transactions/{id}")).await;
        assert_eq!(entry["status"], "queued", "{entry}");
        assert_eq!(entry["tx_digest"], Value::Null);
        assert_eq!(entry["error"], Value::Null);
        assert_eq!(entry["waiting_for"]["code"], "breaker_open");
        assert_eq!(world.journal_entries(*stack).await, [summary(entry)]);
        assert_eq!(world.ticket(*stack), Value::Null);
    }

    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 503, "{ready}");
    let reasons = ready["details"]["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{ready}");
    let brakes = &ready["brakes"];
    assert_eq!(brakes["held"]["code"], "breaker_open");
    assert_eq!(brakes["failures_in_a_row"], 1);
    assert_eq!(brakes["breaker_failures"], 1);
    // Nothing is in flight, and the failed transaction cost gas.
    assert_eq!(brakes["gas_reserved"], 0);
    let after = brakes["gas_spent"].as_u64().unwrap();
    assert!(after > spent);

    let entries = number_of_entries(&world).await;
    let (refused, retry) = refusal(&world, &[new]).await;
    assert_refused(&refused, 503, "breaker_open");
    assert!(matches!(retry, Some(1..=3_600)), "{retry:?}");
    let register = world.post("/register", json!({"additional": true})).await;
    assert_refused(&register, 503, "breaker_open");
    // A repeated request joins the held intents.
    let (held, retry) = refusal(&world, &good).await;
    assert_refused(&held, 504, "outcome_unknown");
    assert!(retry.is_some());
    assert_eq!(statuses(&held.1), ["pending", "pending"]);
    assert_eq!(held.1["results"][0]["error"]["code"], "breaker_open");
    for field in ["transaction_id", "stack_small_id", "tx_digest"] {
        assert_eq!(held.1["results"][0][field], answer["results"][1][field]);
    }
    assert_eq!(number_of_entries(&world).await, entries);
    assert!(world.journal_entries(new).await.is_empty());

    // A restart closes the breaker.
    world.restart().await;
    for stack in &good {
        world.until_status(*stack, "succeeded").await;
        assert_eq!(
            world.ticket(*stack)["committed_stack_proof"],
            proof(*stack, 2, 1, 1)
        );
    }
    world.settle(&[new]).await;
    assert_eq!(world.get("/ready").await.0, 200);
    assert_eq!(world.journal_entries(bad).await[0]["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn intents_held_by_the_breaker_continue_after_the_pause() {
    let (world, bad, good) = before_an_abort(1).await;
    let started = Instant::now();
    let settling = world.spawn_settle(&[bad, good[0], good[1]]);
    for stack in &good {
        world.until_status(*stack, "succeeded").await;
    }
    assert!(started.elapsed() >= Duration::from_secs(1));
    let failed = world.until_status(bad, "failed").await;
    assert_eq!(failed["error"]["code"], "contract_abort");
    settling.await.unwrap();
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    assert_eq!(ready["brakes"]["failures_in_a_row"], 0);
    // After a purchase has cleaned the list, the settlement succeeds.
    let swept = served(&world, 1, 1).await;
    world.settle(&[bad, swept]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_daily_cap_nothing_is_sent_until_it_is_raised() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let mut stacks = Vec::new();
    for _ in 0..3 {
        stacks.push(served(&world, 1, 1).await);
    }
    let (_, ready) = world.get("/ready").await;
    assert_eq!(ready["brakes"]["daily_gas_cap"], Value::Null);
    let spent = ready["brakes"]["gas_spent"].as_u64().unwrap();
    let body = json!({"stack_small_ids": [stacks[0]]});
    let (_, dry) = world.post(&format!("{SETTLE}?dry_run=true"), body).await;
    let needed = dry["results"][0]["estimated_gas"].as_u64().unwrap();
    // Room for one budget with its margin, but not for a second one after what the first has cost.
    let cap = spent + needed + needed / 2;
    world
        .restart_with(&format!("gas = {{daily_cap_mist = {cap}}}"))
        .await;

    let (status, answer) = world
        .post(SETTLE, json!({"stack_small_ids": stacks[..2]}))
        .await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["succeeded", "failed"]);
    assert_eq!(answer["results"][1]["error"]["code"], "spend_cap_reached");
    let (_, ready) = world.get("/ready").await;
    let after = ready["brakes"]["gas_spent"].as_u64().unwrap();
    assert!((spent..=cap).contains(&after), "{ready}");

    let (refused, retry) = refusal(&world, &stacks[2..]).await;
    assert_refused(&refused, 429, "spend_cap_reached");
    assert_eq!(retry, Some(600));
    assert_eq!(statuses(&refused.1), ["failed"]);
    for stack in &stacks[1..] {
        let entry = &world.journal_entries(*stack).await[0];
        assert_eq!(entry["status"], "failed");
        assert_eq!(entry["error"]["code"], "spend_cap_reached");
        assert_eq!(entry["error"]["details"]["daily_cap"], cap);
        assert_eq!(entry["error"]["details"]["spent"], after);
        assert_eq!(entry["tx_digest"], Value::Null);
        assert_eq!(world.ticket(*stack), Value::Null);
    }
    let (_, ready) = world.get("/ready").await;
    assert_eq!(ready["brakes"]["gas_spent"], after);
    assert_eq!(ready["brakes"]["gas_reserved"], 0);
    assert_eq!(ready["brakes"]["daily_gas_cap"], cap);

    world.restart_with("gas = {}").await;
    world.settle(&stacks[1..]).await;
}
