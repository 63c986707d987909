//! The brakes: full queues, the breaker, the cap on gas. What they hold up is told, and goes on.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::journal::summary;
use crate::support::work::{proof, statuses};
use crate::support::{Answer, NONE, SAMPLING, TestWorld, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// A refusal to settle, and the seconds after which it says to ask again.
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

/// A stack of the task, with two messages on it.
async fn served(world: &TestWorld, task: u64, node: u64) -> u64 {
    let stack = world.buy_one(task, node, 1_000, 1_000).await;
    world.record(stack, 2, 100).await;
    stack
}

async fn number_of_entries(world: &TestWorld) -> usize {
    world.list("/transactions?limit=10000").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_a_lane_is_refused_and_the_rest_goes_on() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let mut stacks = Vec::new();
    for _ in 0..4 {
        stacks.push(served(&world, 1, 1).await);
    }
    let other = served(&world, 1, 2).await;
    world.restart_with("queue_limit = 2").await;
    world.hold();
    let asked = world.ask_to_settle(&stacks[..3]);
    world.until_status(stacks[0], "submitted").await;

    let (refused, after) = refusal(&world, &stacks[3..]).await;
    assert_refused(&refused, 429, "queue_full");
    assert_eq!(refused.1["details"]["node_small_id"], 1);
    assert!(refused.1["error"].as_str().unwrap().contains("of node 1 "));
    assert_eq!(statuses(&refused.1), ["failed"]);
    assert_eq!(refused.1["results"][0]["error"]["code"], "queue_full");
    assert_eq!(refused.1["results"][0]["transaction_id"], Value::Null);
    assert!(after.is_some());
    // The other node's lane has its own places.
    let half = world.ask_to_settle(&[stacks[3], other]);
    world.until_status(other, "submitted").await;
    for refused in &stacks[2..] {
        assert!(world.journalled(*refused).await.is_empty());
    }

    world.network.clear_faults();
    let (status, answer) = asked.await.unwrap();
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["succeeded", "succeeded", "failed"]);
    assert_eq!(answer["results"][2]["error"]["code"], "queue_full");
    let (status, answer) = half.await.unwrap();
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["failed", "succeeded"]);
    // What was refused is not frozen, and there is room now.
    world.record_one(stacks[3], 2, 100).await;
    world.settle(&stacks[2..]).await;
    assert_eq!(
        world.ticket(stacks[3])["committed_stack_proof"],
        proof(stacks[3], 3, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_for_what_is_in_a_full_lane_joins_it() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = [served(&world, 1, 1).await, served(&world, 1, 1).await];
    world
        .restart_with("queue_limit = 2\nrequest_timeout_s = 1")
        .await;
    world.hold();
    let asked = world.ask_to_settle(&stacks);
    let first = world.until_status(stacks[0], "submitted").await;
    let (status, again) = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 504, "{again}");
    assert_eq!(statuses(&again), ["pending", "pending"]);
    assert_eq!(
        again["results"][0]["transaction_id"],
        first["transaction_id"]
    );
    assert_eq!(asked.await.unwrap().0, 504);
    assert_eq!(world.journalled(stacks[1]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_what_is_given_up_is_free_at_once() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let mut stacks = Vec::new();
    for _ in 0..3 {
        stacks.push(served(&world, 1, 1).await);
    }
    world.restart_with("queue_limit = 2").await;
    world.hold();
    let asked = world.ask_to_settle(&stacks[..2]);
    world.until_status(stacks[0], "submitted").await;
    let entry = world.until_status(stacks[1], "queued").await;
    // The lane itself does not come to it while its front is stuck.
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    world.done(&path, json!({})).await;
    let other = world.ask_to_settle(&stacks[2..]);
    world.until_status(stacks[2], "queued").await;
    world.network.clear_faults();
    assert_eq!(other.await.unwrap().0, 200);
    let (_, answer) = asked.await.unwrap();
    assert_eq!(statuses(&answer), ["succeeded", "failed"]);
    // No place was given back twice, and none is lost.
    let more = [served(&world, 1, 1).await, served(&world, 1, 1).await];
    world.settle(&more).await;
    world.hold();
    let full = world.ask_to_settle(&[served(&world, 1, 1).await, served(&world, 1, 1).await]);
    let last = served(&world, 1, 1).await;
    world.until_submitted().await;
    let (refused, _) = refusal(&world, &[last]).await;
    assert_refused(&refused, 429, "queue_full");
    world.network.clear_faults();
    assert_eq!(full.await.unwrap().0, 200);
}

/// A world with a breaker that opens at the first failure, for so long; a stack whose settlement
/// the contract aborts; and others of the same lane.
///
/// A settlement like it succeeded before, so that it is sent unsimulated. What it aborts for is
/// an entry in the task's subscriber list that lasts from an unsubscription to the next purchase.
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
    world.done("/task_unsubscribe", body).await;
    (world, bad, good)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_holds_what_is_queued_and_refuses_what_is_new() {
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
        assert_eq!(world.journalled(*stack).await, [summary(entry)]);
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
    // Nothing is on its way, and the failure was paid for.
    assert_eq!(brakes["gas_reserved"], 0);
    let after = brakes["gas_spent"].as_u64().unwrap();
    assert!(after > spent);

    let entries = number_of_entries(&world).await;
    let (refused, retry) = refusal(&world, &[new]).await;
    assert_refused(&refused, 503, "breaker_open");
    assert!(matches!(retry, Some(1..=3_600)), "{retry:?}");
    let register = world.post("/register", json!({"additional": true})).await;
    assert_refused(&register, 503, "breaker_open");
    // Who asks again for what is held joins it.
    let (held, retry) = refusal(&world, &good).await;
    assert_refused(&held, 503, "breaker_open");
    assert!(retry.is_some());
    assert_eq!(statuses(&held.1), ["pending", "pending"]);
    for field in ["transaction_id", "stack_small_id", "tx_digest"] {
        assert_eq!(held.1["results"][0][field], answer["results"][1][field]);
    }
    assert_eq!(number_of_entries(&world).await, entries);
    assert!(world.journalled(new).await.is_empty());

    // A start is a new beginning.
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
    assert_eq!(world.journalled(bad).await[0]["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_breaker_held_goes_on_by_itself_after_the_pause() {
    let (world, bad, good) = before_an_abort(1).await;
    let begun = Instant::now();
    let asked = world.ask_to_settle(&[bad, good[0], good[1]]);
    for stack in &good {
        world.until_status(*stack, "succeeded").await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let failed = world.until_status(bad, "failed").await;
    assert_eq!(failed["error"]["code"], "contract_abort");
    asked.await.unwrap();
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    assert_eq!(ready["brakes"]["failures_in_a_row"], 0);
    // The contract can take it again once a purchase has swept the list.
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
    // Room for one budget with its margin, and not for another beside what the first has cost.
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
        let entry = &world.journalled(*stack).await[0];
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
