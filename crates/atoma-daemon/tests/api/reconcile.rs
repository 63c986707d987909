//! Comparing the mirror with the contract on request.

use atoma_domain::events::NodeUnsubscribedFromTask;
use atoma_domain::{NodeSmallId, TaskSmallId};
use serde_json::{Value, json};

use crate::command_line::{parsed, run};
use crate::mirror_ahead::apply_to_mirror;
use crate::support::{NONE, TestWorld};

/// Makes the mirror lack a subscription that the contract has.
async fn lose_subscription(world: &TestWorld) {
    let event = NodeUnsubscribedFromTask {
        task_small_id: TaskSmallId::new(1),
        node_small_id: NodeSmallId::new(1),
    };
    apply_to_mirror(world, vec![event.into()]).await;
    assert_eq!(world.list("/subscriptions").await[0]["valid"], false);
}

async fn repaired(world: &TestWorld) -> String {
    let request = world.api.request(reqwest::Method::GET, "/metrics");
    let text = request.send().await.unwrap().text().await.unwrap();
    let name = "atoma_mirror_differences_total{kind=\"subscription_missing\"} ";
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_missed_something_is_repaired_on_request() {
    let world = TestWorld::start(&[NONE], 1).await;
    lose_subscription(&world).await;
    let tried = world.post("/reconcile?dry_run=true", json!({})).await;
    assert_eq!(tried.0, 200, "{}", tried.1);
    assert_eq!(tried.1["dry_run"], true);
    assert_eq!(tried.1["differences"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.list("/subscriptions").await[0]["valid"], false);
    let output = run(&world, &["reconcile", "--dry-run"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stdout.contains("subscription_missing"));
    let found = parsed(&run(&world, &["reconcile", "--json"]));
    let difference = &found["differences"][0];
    assert_eq!(difference["kind"], "subscription_missing");
    assert_eq!(difference["entry"], "task");
    assert_eq!(difference["small_id"], 1);
    assert_eq!(difference["subscriber_small_id"], 1);
    assert_eq!(difference["mirrored"], Value::Null);
    assert_eq!(world.list("/subscriptions").await[0]["valid"], true);
    assert_eq!(repaired(&world).await, "1");
    let again = world.post_ok("/reconcile", json!({})).await;
    assert_eq!(again["differences"], json!([]));
    assert_eq!(again["not_compared"], 0);
    // At least the node and the task.
    assert!(again["compared"].as_u64() >= Some(2), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_rebuilt_on_request_and_goes_on() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 2, 5).await;
    lose_subscription(&world).await;
    let output = run(&world, &["reconcile", "--rebuild"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("subscription_missing"));
    assert_eq!(world.list("/subscriptions").await[0]["valid"], true);
    // What was served is settled all the same, and what happens next is mirrored.
    world.settle(&[stack]).await;
    let next = world.buy_one(1, 1, 1_000, 1_000).await;
    assert!(next > stack);
}
