//! The life of a node over HTTP: registering, subscribing, serving, and what is refused when.

use serde_json::{Value, json};

use crate::support::work::{message, proof};
use crate::support::{NONE, SAMPLING, TestWorld, assert_refused};

const UNITS: u64 = 1_000_000;
const PRICE: u64 = 1_000;

#[tokio::test]
async fn registering_gives_a_badge_and_a_second_one_must_be_requested() {
    let mut world = TestWorld::unregistered().await;
    assert!(world.list("/nodes").await.is_empty());
    assert_refused(
        &world.get("/subscriptions").await,
        404,
        "no_node_registered",
    );
    let settle = json!({"stack_small_ids": [1]});
    let refused = world.post("/try_settle_stack_ids", settle).await;
    assert_refused(&refused, 404, "no_node_registered");

    let first = world.post_ok("/register", json!({})).await;
    assert_eq!(first["node_small_id"], 1);
    let nodes = world.list("/nodes").await;
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["node_badge_id"], first["node_badge_id"]);
    assert_eq!(nodes[0]["address"], world.address());
    assert!(world.list("/subscriptions").await.is_empty());

    let refused = world.post("/register", json!({})).await;
    assert_refused(&refused, 409, "already_registered");
    let no = json!({"additional": false});
    assert_refused(
        &world.post("/register", no).await,
        409,
        "already_registered",
    );
    assert_eq!(
        world.network.state().unwrap()["nodes"]
            .as_object()
            .unwrap()
            .len(),
        1
    );

    world.nodes.push(1);
    assert_eq!(world.register().await, 2);
    let nodes = world.list("/nodes").await;
    assert_eq!(nodes.len(), 2);
    assert_ne!(nodes[0]["node_badge_id"], nodes[1]["node_badge_id"]);
    // A missing body counts as an empty one.
    let request = world.api.request(reqwest::Method::POST, "/register");
    assert_refused(
        &crate::support::answer(request).await,
        409,
        "already_registered",
    );
}

#[tokio::test]
async fn a_subscription_is_made_changed_and_withdrawn() {
    let mut world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    world.register().await;
    let body = |price: Value| {
        let mut body = json!({"task_small_id": 1});
        body.as_object_mut()
            .unwrap()
            .extend(price.as_object().unwrap().clone());
        body
    };
    let per_unit = body(json!({"price_per_compute_unit": 0.0015}));
    let per_million = body(json!({"price_per_one_million_compute_units": 2_000}));

    let refused = world
        .post("/task_update_subscription", per_million.clone())
        .await;
    assert_refused(&refused, 409, "not_subscribed");
    let gone = json!({"task_small_id": 1});
    let refused = world.post("/task_unsubscribe", gone.clone()).await;
    assert_refused(&refused, 409, "not_subscribed");

    let answer = world.post_ok("/task_subscribe", per_unit.clone()).await;
    assert!(answer["tx_digest"].is_string());
    assert_eq!(answer["warnings"], json!([]));
    let offers = world.list("/subscriptions").await;
    assert_eq!(offers[0]["price_per_one_million_compute_units"], 1_500);
    assert_eq!(offers[0]["price_per_compute_unit"], 0.0015);
    assert_eq!(offers[0]["max_num_compute_units"], 1_000_000);
    assert_eq!(offers[0]["valid"], true);
    let refused = world.post("/task_subscribe", per_unit.clone()).await;
    assert_refused(&refused, 409, "already_subscribed");

    let mut with_limit = per_million.clone();
    with_limit["max_num_compute_units"] = json!(5);
    let answer = world.post_ok("/task_update_subscription", with_limit).await;
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 1);
    let on_chain = &world.network.state().unwrap()["subscriptions"][0];
    assert_eq!(on_chain["price_per_one_million_compute_units"], 2_000);
    let offers = world.list("/subscriptions/1").await;
    assert_eq!(offers[0]["price_per_one_million_compute_units"], 2_000);

    world.post_ok("/task_unsubscribe", gone.clone()).await;
    assert_eq!(world.network.state().unwrap()["subscriptions"], json!([]));
    let offers = world.list("/subscriptions").await;
    assert!(
        offers.iter().all(|offer| offer["valid"] == false),
        "{offers:?}"
    );
    let refused = world.post("/task_unsubscribe", gone).await;
    assert_refused(&refused, 409, "not_subscribed");
    world.post_ok("/task_subscribe", per_unit).await;
}

#[tokio::test]
async fn bad_prices_and_unknown_tasks_are_refused_before_anything_is_sent() {
    let mut world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    world.register().await;
    for price in [
        json!({}),
        json!({"price_per_compute_unit": 1, "price_per_one_million_compute_units": 1_000_000}),
        json!({"price_per_compute_unit": 18_446_744_073_710_u64}),
        json!({"price_per_compute_unit": -1}),
        json!({"price_per_one_million_compute_units": 1.5}),
        json!({"price_per_one_million_compute_units": "7"}),
    ] {
        for path in ["/task_subscribe", "/task_update_subscription"] {
            let mut body = price.clone();
            body["task_small_id"] = json!(1);
            assert_refused(&world.post(path, body).await, 400, "invalid_request");
        }
    }
    let body = json!({"task_small_id": 9, "price_per_one_million_compute_units": 5});
    assert_refused(
        &world.post("/task_subscribe", body).await,
        404,
        "unknown_task",
    );
    let body = json!({"task_small_id": 9});
    assert_refused(
        &world.post("/task_unsubscribe", body).await,
        404,
        "unknown_task",
    );
    // The contract rejects a price of zero.
    let body = json!({"task_small_id": 1, "price_per_one_million_compute_units": 0});
    let refused = world.post("/task_subscribe", body).await;
    assert_refused(&refused, 422, "contract_abort");
    assert_eq!(
        refused.1["details"]["abort_name"],
        "EInvalidPricePerComputeUnit"
    );
    assert_eq!(refused.1["details"]["function"], "subscribe_node_to_task");
    assert!(refused.1["details"]["abort_code"].is_u64());
    assert_eq!(world.network.state().unwrap()["subscriptions"], json!([]));
}

#[tokio::test]
async fn one_of_several_nodes_must_be_named_by_id_or_badge() {
    let mut world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    world.register().await;
    world.register().await;
    let badges = world.list("/nodes").await;
    let body = |node: Value| {
        let mut body = json!({"task_small_id": 1, "price_per_one_million_compute_units": 5});
        body.as_object_mut()
            .unwrap()
            .extend(node.as_object().unwrap().clone());
        body
    };
    let path = "/task_subscribe";
    assert_refused(
        &world.post(path, body(json!({}))).await,
        400,
        "ambiguous_node",
    );
    let badge = &badges[1]["node_badge_id"];
    let disagree = body(json!({"node_small_id": 1, "node_badge_id": badge}));
    assert_refused(&world.post(path, disagree).await, 400, "node_mismatch");
    let unknown = body(json!({"node_small_id": 7}));
    assert_refused(&world.post(path, unknown).await, 404, "unknown_node");
    let unknown = body(json!({"node_badge_id": "0x7"}));
    assert_refused(&world.post(path, unknown).await, 404, "unknown_badge");
    world
        .post_ok(path, body(json!({"node_badge_id": badge})))
        .await;
    let agree = json!({"node_small_id": 1, "node_badge_id": badges[0]["node_badge_id"]});
    world.post_ok(path, body(agree)).await;
    let offers = world.list("/subscriptions").await;
    let nodes: Vec<_> = offers.iter().map(|o| o["node_small_id"].clone()).collect();
    assert_eq!(json!(nodes), json!([1, 2]));
}

#[tokio::test]
async fn messages_are_capped_at_the_stack_and_refused_after_settlement() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, PRICE).await;
    let settle = json!({"stack_small_ids": [stack]});
    let refused = world.post("/try_settle_stack_ids", settle).await;
    assert_refused(&refused, 409, "stack_has_no_messages");

    let answer = world.record_one(stack, 0, 60).await;
    assert_eq!(answer["num_total_messages"], 1);
    assert_eq!(answer["already_computed_units"], 60);
    assert_eq!(answer["merkle_root"], json!(message(stack, 0)));
    let body = |stack: u64, number: u64, units: u64| json!({"stack_small_id": stack, "message_hash": message(stack, number), "num_compute_units": units});
    let path = "/stack_messages";
    // What the stack has no units for is recorded, but not paid.
    let answer = world.post_ok(path, body(stack, 1, 41)).await;
    assert_eq!(answer["already_computed_units"], 100);
    assert_eq!(answer["num_uncovered_units"], 1);
    let answer = world.post_ok(path, body(stack, 2, u64::MAX)).await;
    assert_eq!(answer["num_uncovered_units"], u64::MAX);
    assert_refused(
        &world.post(path, body(999, 1, 1)).await,
        404,
        "unknown_stack",
    );
    assert_eq!(world.stack(stack).await["already_computed_units"], 100);

    let body_too_many = json!({"stack_small_ids": [stack], "num_claimed_compute_units": 101});
    let refused = world.post("/try_settle_stack_ids", body_too_many).await;
    assert_refused(&refused, 422, "too_many_compute_units");
    world.settle(&[stack]).await;
    let refused = world.post(path, body(stack, 3, 0)).await;
    assert_refused(&refused, 409, "already_settling");
    let ticket = world.ticket(stack);
    assert_eq!(ticket["committed_stack_proof"], proof(stack, 3, 1, 1));
}

#[tokio::test]
async fn claiming_more_than_was_recorded_is_a_warning() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, PRICE).await;
    world.record(stack, 1, 60).await;
    let body = json!({"stack_small_ids": [stack], "num_claimed_compute_units": 61});
    let answer = world.post_ok("/try_settle_stack_ids", body).await;
    let warnings = answer["results"][0]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(world.ticket(stack)["num_claimed_compute_units"], 61);
}

#[tokio::test]
async fn finished_work_is_refused_a_second_time() {
    let world = TestWorld::start(&[SAMPLING], 3).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 2, 5).await;
    world.draw(stack, &[2]);
    let ids = json!({"stack_small_ids": [stack]});
    let attest = "/submit_stack_settlement_attestations";
    assert_refused(&world.post(attest, ids.clone()).await, 409, "not_settled");
    let not_selected = json!({"stack_small_ids": [stack], "node_small_id": 2});
    let refused = world.post("/try_settle_stack_ids", not_selected).await;
    assert_refused(&refused, 422, "node_not_selected");
    world.settle(&[stack]).await;
    let refused = world.post("/try_settle_stack_ids", ids.clone()).await;
    assert_refused(&refused, 409, "already_settling");
    let not_drawn = json!({"stack_small_ids": [stack], "node_small_id": 3});
    let refused = world.post(attest, not_drawn).await;
    assert_refused(&refused, 422, "attestation_not_requested");
    world.attest(&[stack]).await;
    assert_refused(&world.post(attest, ids).await, 409, "already_attested");
    assert_eq!(world.ticket(stack)["already_attested_nodes"], json!([2]));
}
