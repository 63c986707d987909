//! Requests under a key of which only a part could be begun: what passes stops no other part, and
//! a repeated request begins what is left, once.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::process::PATIENCE;
use crate::support::work::statuses;
use crate::support::{Answer, NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// Asks under a key for stacks to be settled.
async fn settle(world: &TestWorld, key: &str, stacks: &[u64]) -> Answer {
    let request = world.api.request(Method::POST, SETTLE);
    let body = json!({"stack_small_ids": stacks});
    answer(request.header("Idempotency-Key", key).json(&body)).await
}

/// Repeats a request until all of it is done.
async fn until_done(world: &TestWorld, key: &str, stacks: &[u64]) -> Value {
    let done = async {
        loop {
            let (status, body) = settle(world, key, stacks).await;
            if status == 200 {
                return body;
            }
            assert!([207, 504].contains(&status), "{body}");
        }
    };
    timeout(PATIENCE, done).await.unwrap()
}

/// A world on which nothing executes, whose lanes take `limit` intents: stacks of the first of two
/// nodes, and one of the second, all with work on them.
async fn with_short_lanes(limit: usize) -> (TestWorld, Vec<u64>, u64) {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 4).await;
    let other = world.buy_one(1, 2, 1_000, 1_000).await;
    for stack in stacks.iter().chain([&other]) {
        world.record(*stack, 1, 100).await;
    }
    let settings = format!("request_timeout_s = 1\nqueue_limit = {limit}");
    world.restart_with(&settings).await;
    world.until_ready().await;
    world.hold();
    (world, stacks, other)
}

/// Checks that each stack was asked for once, and that it is done.
async fn assert_each_once(world: &TestWorld, stacks: &[u64]) {
    for stack in stacks {
        let entries = world.journalled(*stack).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_full_lane_stops_no_other_nodes_stack() {
    let (world, stacks, other) = with_short_lanes(1).await;
    let filling = world.ask_to_settle(&stacks[..1]);
    world.until_status(stacks[0], "submitted").await;
    let asked = [stacks[1], other];
    let (status, first) = settle(&world, "k", &asked).await;
    assert_eq!(status, 207, "{first}");
    assert_eq!(statuses(&first), ["failed", "pending"]);
    assert_eq!(first["results"][0]["error"]["code"], "queue_full");
    assert!(world.journalled(stacks[1]).await.is_empty());
    // As long as the lane is full, so it stays.
    let (status, again) = settle(&world, "k", &asked).await;
    assert_eq!((status, statuses(&again)), (207, vec!["failed", "pending"]));
    let reused = settle(&world, "k", &[stacks[1]]).await;
    assert_refused(&reused, 409, "idempotency_key_reused");

    world.network.clear_faults();
    filling.await.unwrap();
    let done = until_done(&world, "k", &asked).await;
    assert_eq!(statuses(&done), ["succeeded", "succeeded"]);
    assert_eq!(
        done["results"][1]["transaction_id"],
        first["results"][1]["transaction_id"]
    );
    assert_eq!(settle(&world, "k", &asked).await, (200, done));
    assert_each_once(&world, &asked).await;
}

#[tokio::test]
async fn what_is_under_way_is_joined_though_the_lane_is_full_for_the_rest() {
    let (world, stacks, _) = with_short_lanes(1).await;
    let filling = world.ask_to_settle(&stacks[..1]);
    let entry = world.until_status(stacks[0], "submitted").await;
    let (status, joined) = settle(&world, "k", &stacks[..2]).await;
    assert_eq!(status, 207, "{joined}");
    assert_eq!(statuses(&joined), ["pending", "failed"]);
    assert_eq!(joined["results"][0]["tx_digest"], entry["tx_digest"]);
    assert_eq!(joined["results"][1]["error"]["code"], "queue_full");
    world.network.clear_faults();
    filling.await.unwrap();
    until_done(&world, "k", &stacks[..2]).await;
    assert_each_once(&world, &stacks[..2]).await;
}

#[tokio::test]
async fn more_stacks_than_a_lane_takes_are_begun_by_and_by() {
    let (world, stacks, _) = with_short_lanes(3).await;
    let (status, first) = settle(&world, "k", &stacks).await;
    assert_eq!(status, 207, "{first}");
    assert_eq!(
        statuses(&first),
        ["pending", "pending", "pending", "failed"]
    );
    world.network.clear_faults();
    let done = until_done(&world, "k", &stacks).await;
    assert_eq!(statuses(&done), ["succeeded"; 4]);
    assert_each_once(&world, &stacks).await;
}

/// What was refused for good stays so under the key, whatever else is begun with a repetition.
#[tokio::test]
async fn what_is_refused_for_good_is_not_begun_by_a_repetition() {
    let (world, stacks, other) = with_short_lanes(2).await;
    let unserved = world.buy_one(1, 2, 1_000, 1_000).await;
    let filling = world.ask_to_settle(&stacks[..2]);
    world.until_status(stacks[1], "queued").await;
    let asked = [stacks[2], other, unserved];
    let (status, first) = settle(&world, "k", &asked).await;
    assert_eq!(status, 207, "{first}");
    assert_eq!(statuses(&first), ["failed", "pending", "failed"]);
    let codes = |body: &Value| {
        let results = body["results"].as_array().unwrap();
        let code = |result: &Value| result["error"]["code"].clone();
        results.iter().map(code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&first)[0], "queue_full");
    assert_eq!(codes(&first)[2], "stack_has_no_messages");
    world.record(unserved, 1, 100).await;
    world.network.clear_faults();
    filling.await.unwrap();
    let all_but_one = async {
        loop {
            let (_, again) = settle(&world, "k", &asked).await;
            assert_eq!(codes(&again)[2], "stack_has_no_messages");
            if statuses(&again) == ["succeeded", "succeeded", "failed"] {
                return;
            }
        }
    };
    timeout(PATIENCE, all_but_one).await.unwrap();
    assert_each_once(&world, &asked[..2]).await;
    assert!(world.journalled(unserved).await.is_empty());
}

/// What is known of a key is told also while nothing may be written, and at once.
#[tokio::test]
async fn a_known_request_is_told_of_before_writes_may_begin() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 1, 100).await;
    }
    let first = settle(&world, "k", &stacks[..1]).await;
    assert_eq!(first.0, 200, "{}", first.1);
    world.stop().await;
    world.lose_node();
    world.go_on().await;
    assert_refused(&settle(&world, "new", &stacks[1..]).await, 503, "not_ready");
    assert_eq!(settle(&world, "k", &stacks[..1]).await, first);
    assert!(world.journalled(stacks[1]).await.is_empty());
}
