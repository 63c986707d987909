//! Requests with a key of which only a part can start: a refused part doesn't stop the others, and
//! a repeated request starts the rest, once.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::process::PATIENCE;
use crate::support::work::statuses;
use crate::support::{Answer, NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// Settles stacks with an idempotency key.
async fn settle(world: &TestWorld, key: &str, stacks: &[u64]) -> Answer {
    let request = world.api.request(Method::POST, SETTLE);
    let body = json!({"stack_small_ids": stacks});
    answer(request.header("Idempotency-Key", key).json(&body)).await
}

/// Repeats a request until all parts have succeeded.
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

/// A world where nothing executes and a lane holds `limit` intents. Returns stacks of the first of
/// two nodes and one of the second, all served.
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
    world.hold_submissions();
    (world, stacks, other)
}

/// Checks that each stack has one intent, which succeeded.
async fn assert_each_once(world: &TestWorld, stacks: &[u64]) {
    for stack in stacks {
        let entries = world.journal_entries(*stack).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_full_lane_blocks_no_stack_of_another_node() {
    let (world, stacks, other) = with_short_lanes(1).await;
    let filling = world.spawn_settle(&stacks[..1]);
    world.until_status(stacks[0], "submitted").await;
    let requested = [stacks[1], other];
    let (status, first) = settle(&world, "k", &requested).await;
    assert_eq!(status, 207, "{first}");
    assert_eq!(statuses(&first), ["failed", "pending"]);
    assert_eq!(first["results"][0]["error"]["code"], "queue_full");
    assert!(world.journal_entries(stacks[1]).await.is_empty());
    // The same as long as the lane is full.
    let (status, again) = settle(&world, "k", &requested).await;
    assert_eq!((status, statuses(&again)), (207, vec!["failed", "pending"]));
    let reused = settle(&world, "k", &[stacks[1]]).await;
    assert_refused(&reused, 409, "idempotency_key_reused");

    world.network.clear_faults();
    filling.await.unwrap();
    let done = until_done(&world, "k", &requested).await;
    assert_eq!(statuses(&done), ["succeeded", "succeeded"]);
    assert_eq!(
        done["results"][1]["transaction_id"],
        first["results"][1]["transaction_id"]
    );
    assert_eq!(settle(&world, "k", &requested).await, (200, done));
    assert_each_once(&world, &requested).await;
}

#[tokio::test]
async fn intents_in_flight_are_joined_even_if_the_lane_is_full_for_the_rest() {
    let (world, stacks, _) = with_short_lanes(1).await;
    let filling = world.spawn_settle(&stacks[..1]);
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
async fn more_stacks_than_a_lane_holds_start_over_several_requests() {
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

/// A final refusal stays under the key, whatever else a repetition starts.
#[tokio::test]
async fn a_finally_refused_part_is_not_started_by_a_repetition() {
    let (world, stacks, other) = with_short_lanes(2).await;
    let unserved = world.buy_one(1, 2, 1_000, 1_000).await;
    let filling = world.spawn_settle(&stacks[..2]);
    world.until_status(stacks[1], "queued").await;
    let requested = [stacks[2], other, unserved];
    let (status, first) = settle(&world, "k", &requested).await;
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
            let (_, again) = settle(&world, "k", &requested).await;
            assert_eq!(codes(&again)[2], "stack_has_no_messages");
            if statuses(&again) == ["succeeded", "succeeded", "failed"] {
                return;
            }
        }
    };
    timeout(PATIENCE, all_but_one).await.unwrap();
    assert_each_once(&world, &requested[..2]).await;
    assert!(world.journal_entries(unserved).await.is_empty());
}

/// A known key is answered at once, even while writes are not served yet.
#[tokio::test]
async fn a_known_request_is_answered_before_writes_are_served() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 1, 100).await;
    }
    let first = settle(&world, "k", &stacks[..1]).await;
    assert_eq!(first.0, 200, "{}", first.1);
    world.stop().await;
    world.take_node_down();
    world.start_again().await;
    assert_refused(&settle(&world, "new", &stacks[1..]).await, 503, "not_ready");
    assert_eq!(settle(&world, "k", &stacks[..1]).await, first);
    assert!(world.journal_entries(stacks[1]).await.is_empty());
}
