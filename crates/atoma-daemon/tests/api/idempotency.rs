//! Requests with an idempotency key: repeated, they do nothing twice and return the outcome.

use atoma_domain::IntentId;
use atoma_domain::journal::IntentStatus;
use atoma_operator::{Engine, EngineConfig};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::process::PATIENCE;
use crate::support::work::{digests, statuses};
use crate::support::{Answer, NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// Posts with an idempotency key.
async fn post(world: &TestWorld, key: &str, path: &str, body: &Value) -> Answer {
    let request = world.api.request(Method::POST, path);
    answer(request.header("Idempotency-Key", key).json(body)).await
}

/// A world with stacks that were served.
async fn with_work(count: u64) -> (TestWorld, Vec<u64>) {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, count).await;
    for stack in &stacks {
        world.record(*stack, 1, 100).await;
    }
    (world, stacks)
}

#[tokio::test]
async fn a_repeated_request_returns_the_outcome_also_after_a_restart() {
    let (mut world, stacks) = with_work(2).await;
    let body = json!({"stack_small_ids": [stacks[1], 999, stacks[0]]});
    let first = post(&world, "nightly-1", SETTLE, &body).await;
    assert_eq!(first.0, 207);
    assert_eq!(statuses(&first.1), ["succeeded", "failed", "succeeded"]);
    let journal = world.list("/transactions").await;
    let again = post(&world, "nightly-1", SETTLE, &body).await;
    assert_eq!(again, first);
    world.restart().await;
    let again = post(&world, "nightly-1", SETTLE, &body).await;
    assert_eq!(again, first);
    assert_eq!(world.list("/transactions").await, journal);
    // Without the key it is a new request.
    let (status, answer) = world.post(SETTLE, body).await;
    assert_eq!(status, 409, "{answer}");
}

#[tokio::test]
async fn a_repeated_registration_is_answered_after_a_restart_with_the_network_down() {
    let mut world = TestWorld::unregistered().await;
    let body = json!({"additional": true});
    let first = post(&world, "r", "/register", &body).await;
    assert_eq!(first.0, 200, "{}", first.1);
    world.restart().await;
    world.take_node_down();
    assert_eq!(post(&world, "r", "/register", &body).await, first);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_on_another_path_is_separate() {
    let (world, stacks) = with_work(2).await;
    let body = |stack: u64| json!({"stack_small_ids": [stack]});
    let (status, _) = post(&world, "k", SETTLE, &body(stacks[0])).await;
    assert_eq!(status, 200);
    let refused = post(&world, "k", SETTLE, &body(stacks[1])).await;
    assert_refused(&refused, 409, "idempotency_key_reused");
    assert_eq!(world.ticket(stacks[1]), Value::Null);
    world.network.advance_epoch().unwrap();
    let claimed = post(&world, "k", "/claim_funds", &body(stacks[0])).await;
    assert_eq!(claimed.0, 200, "{}", claimed.1);
    let before = world.usdc(&world.address());
    let again = post(&world, "k", "/claim_funds", &body(stacks[0])).await;
    assert_eq!(again, claimed);
    assert_eq!(world.usdc(&world.address()), before);
    // The journal answers without the Sui node.
    world.take_node_down();
    let again = post(&world, "k", "/claim_funds", &body(stacks[0])).await;
    assert_eq!(again, claimed);
}

#[tokio::test]
async fn a_request_that_started_nothing_leaves_its_key_free() {
    let (world, stacks) = with_work(1).await;
    let unknown = json!({"stack_small_ids": [999]});
    let refused = post(&world, "k", SETTLE, &unknown).await;
    assert_refused(&refused, 404, "unknown_stack");
    let malformed = post(&world, "k", SETTLE, &json!({"stack_small_ids": "all"})).await;
    assert_refused(&malformed, 400, "invalid_request");
    let body = json!({"stack_small_ids": stacks});
    let (status, answer) = post(&world, "k", SETTLE, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(digests(&answer).len(), 1);
}

#[tokio::test]
async fn a_registration_sent_twice_makes_one_node() {
    let world = TestWorld::start(&[NONE], 1).await;
    let body = json!({"additional": true});
    let first = post(&world, "second-node", "/register", &body).await;
    assert_eq!(first.0, 200, "{}", first.1);
    let again = post(&world, "second-node", "/register", &body).await;
    assert_eq!(again, first);
    assert_eq!(first.1["node_small_id"], 2);
    assert_eq!(world.list("/nodes").await.len(), 2);
    let other = post(&world, "third-node", "/register", &body).await;
    assert_eq!(other.1["node_small_id"], 3);
}

/// Of two simultaneous requests the second does nothing twice, whatever its answer.
#[tokio::test]
async fn a_request_repeated_at_the_same_moment_is_done_once() {
    let world = TestWorld::start(&[NONE], 1).await;
    let body = json!({"additional": true});
    let (one, two) = tokio::join!(
        post(&world, "second-node", "/register", &body),
        post(&world, "second-node", "/register", &body),
    );
    assert!(one.0 == 200 || two.0 == 200, "{} {}", one.1, two.1);
    let again = post(&world, "second-node", "/register", &body).await;
    assert!(again == one || again == two, "{}", again.1);
    assert_eq!(world.list("/nodes").await.len(), 2);
}

#[tokio::test]
async fn a_request_repeated_at_the_same_moment_gets_the_same_answer() {
    let world = TestWorld::start(&[NONE], 1).await;
    let body = json!({"additional": true});
    let (one, two) = tokio::join!(
        post(&world, "second-node", "/register", &body),
        post(&world, "second-node", "/register", &body),
    );
    assert_eq!(one.0, 200, "{}", one.1);
    assert_eq!(two, one);
}

/// If one entry of the journal can't be read, the others are still answered.
#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_affect_the_others() {
    let (world, stacks) = with_work(2).await;
    let settled = world.settle(&stacks).await;
    let id = |place: usize| {
        let id = settled["results"][place]["transaction_id"].as_u64();
        IntentId::new(id.unwrap())
    };
    let ports = world.operator.ports().clone();
    let engine = Engine::new(ports, EngineConfig::default(), CancellationToken::new());
    let missing = IntentId::new(999);
    let waited = engine.wait(&[id(0), missing, id(1)], PATIENCE).await;
    let status_of = |place: usize| (waited[place].id, waited[place].status);
    assert_eq!(status_of(0), (id(0), IntentStatus::Succeeded));
    assert_eq!(status_of(1), (missing, IntentStatus::Queued));
    assert_eq!(status_of(2), (id(1), IntentStatus::Succeeded));
    let digests_found = [0, 2].map(|place: usize| waited[place].tx_digest.unwrap().to_string());
    assert_eq!(digests_found.to_vec(), digests(&settled));
}

#[tokio::test]
async fn keys_are_bounded_and_visible() {
    let (world, stacks) = with_work(1).await;
    let body = json!({"stack_small_ids": stacks});
    for key in ["", "two words", &"k".repeat(256)] {
        let refused = post(&world, key, SETTLE, &body).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    assert_eq!(world.ticket(stacks[0]), Value::Null);
    let (status, _) = post(&world, &"k".repeat(255), SETTLE, &body).await;
    assert_eq!(status, 200);
}
