//! What an inference service does over HTTP: reserve units, serve, record.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::work::{dump, message, proof, root};
use crate::support::{Answer, NONE, SAMPLING, TestWorld, answer, assert_refused};

const MESSAGES: &str = "/stack_messages";
const RESERVATIONS: &str = "/reservations";

/// A request for units of the buyer's stacks of task 1.
fn wanted(world: &TestWorld, units: u64) -> Value {
    json!({
        "owner_address": world.network.buyer(),
        "task_small_id": 1,
        "num_compute_units": units,
        "holder": "gpu-1",
    })
}

/// Reserves units, which must succeed. Returns the reservation's number.
async fn reserve(world: &TestWorld, wanted: Value) -> u64 {
    let reserved = world.post_ok(RESERVATIONS, wanted).await;
    reserved["reservation_id"].as_u64().unwrap()
}

fn served(stack: u64, number: u64, units: u64) -> Value {
    json!({
        "stack_small_id": stack,
        "message_hash": message(stack, number),
        "num_compute_units": units,
    })
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

/// Posts with an idempotency key.
async fn keyed(world: &TestWorld, key: &str, path: &str, body: &Value) -> Answer {
    let request = world.api.request(Method::POST, path);
    answer(request.header("Idempotency-Key", key).json(body)).await
}

/// Reserved and free units of a stack.
async fn units_of(world: &TestWorld, stack: u64) -> [u64; 2] {
    let view = world.stack(stack).await;
    ["reserved_units", "free_units"].map(|field| view[field].as_u64().unwrap())
}

#[tokio::test]
async fn a_request_is_reserved_served_and_recorded() {
    let world = TestWorld::start(&[NONE, SAMPLING], 1).await;
    // It has fewer free units than the stack of `TestWorld::start`.
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    let (status, reserved) = world.post(RESERVATIONS, wanted(&world, 700)).await;
    assert_eq!(status, 200, "{reserved}");
    let id = &reserved["reservation_id"];
    let view = world.list(RESERVATIONS).await;
    assert_eq!(json!(view), json!([reserved]));
    for (field, value) in [
        ("stack_small_id", json!(stack)),
        ("node_small_id", json!(1)),
        ("num_compute_units", json!(700)),
        ("holder", json!("gpu-1")),
    ] {
        assert_eq!(reserved[field], value, "{field}");
    }
    assert_eq!(units_of(&world, stack).await, [700, 300]);

    let path = format!("{RESERVATIONS}/{id}");
    let change = json!({"num_compute_units": 500, "lease_s": 3_600});
    let (status, changed) = world.api.patch(&path, change).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["num_compute_units"], 500);
    assert!(changed["expires_at"].as_str() > reserved["expires_at"].as_str());
    let settle = json!({"stack_small_ids": [stack]});
    world.record_one(stack, 0, 7).await;
    let refused = world.post("/try_settle_stack_ids", settle).await;
    assert_refused(&refused, 409, "requests_in_progress");

    let body = with(served(stack, 1, 450), "reservation_id", id.clone());
    let recorded = world.post_ok(MESSAGES, body).await;
    let expected = json!({
        "num_total_messages": 2,
        "already_computed_units": 457,
        "merkle_root": root(stack, 2),
        "num_uncovered_units": 0,
        "already_recorded": false,
    });
    assert_eq!(recorded, expected);
    assert!(world.list(RESERVATIONS).await.is_empty());
    assert_eq!(units_of(&world, stack).await, [0, 543]);
    world.settle(&[stack]).await;
    assert_eq!(units_of(&world, stack).await, [0, 0]);
    assert_eq!(
        world.ticket(stack)["committed_stack_proof"],
        proof(stack, 2, 1, 1)
    );
}

#[tokio::test]
async fn a_repeated_message_is_told_and_not_recorded_twice() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, 1_000).await;
    let named = with(served(stack, 0, 110), "message_id", "m-1");
    let first = world.post_ok(MESSAGES, named.clone()).await;
    assert_eq!(first["num_uncovered_units"], 10);
    let by_key = served(stack, 1, 1);
    let second = keyed(&world, "k", MESSAGES, &by_key).await;
    assert_eq!(second.0, 200, "{}", second.1);
    world.restart().await;

    let again = with(first, "already_recorded", true);
    assert_eq!(world.post_ok(MESSAGES, named.clone()).await, again);
    let second = with(second.1, "already_recorded", true);
    assert_eq!(keyed(&world, "k", MESSAGES, &by_key).await, (200, second));
    let other = with(named.clone(), "message_hash", json!(message(stack, 5)));
    let refused = world.post(MESSAGES, other).await;
    assert_refused(&refused, 409, "message_id_reused");
    let refused = keyed(&world, "k", MESSAGES, &served(stack, 5, 1)).await;
    assert_refused(&refused, 409, "idempotency_key_reused");
    assert_eq!(world.stack(stack).await["num_total_messages"], 2);

    // Also once the stack takes no more messages.
    world.settle(&[stack]).await;
    assert_eq!(world.post_ok(MESSAGES, named).await, again);
    let refused = world.post(MESSAGES, served(stack, 2, 1)).await;
    assert_refused(&refused, 409, "already_settling");
    assert_eq!(
        world.ticket(stack)["committed_stack_proof"],
        proof(stack, 2, 1, 1)
    );
}

#[tokio::test]
async fn a_dry_run_of_served_work_changes_nothing() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, 1_000).await;
    let before = dump(&world).await;
    let body = with(served(stack, 0, 110), "message_id", "m");
    let path = format!("{MESSAGES}?dry_run=true");
    let rehearsed = world.post_ok(&path, body.clone()).await;
    assert_eq!(rehearsed["dry_run"], true);
    let path = format!("{RESERVATIONS}?dry_run=true");
    let reserved = world.post_ok(&path, wanted(&world, 10)).await;
    assert_eq!(
        (&reserved["reservation_id"], &reserved["dry_run"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(dump(&world).await, before);
    let mut recorded = world.post_ok(MESSAGES, body).await;
    recorded["dry_run"] = json!(true);
    assert_eq!(recorded, rehearsed);

    let id = reserve(&world, wanted(&world, 10)).await;
    let before = dump(&world).await;
    let path = format!("{RESERVATIONS}/{id}?dry_run=true");
    let refused = world.api.patch(&path, json!({})).await;
    assert_refused(&refused, 400, "invalid_request");
    assert_refused(&world.api.delete(&path).await, 400, "invalid_request");
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn reservations_are_listed_and_released() {
    let world = TestWorld::start(&[NONE], 1).await;
    let mut ids = Vec::new();
    for holder in ["a", "b", "a", "a"] {
        ids.push(reserve(&world, with(wanted(&world, 10), "holder", holder)).await);
    }
    let listed = async |query: &str| -> Vec<u64> {
        let list = world.list(&format!("{RESERVATIONS}{query}")).await;
        let ids = list.iter().map(|r| r["reservation_id"].as_u64().unwrap());
        ids.collect()
    };
    assert_eq!(listed("").await, ids);
    assert_eq!(listed("?holder=b").await, [ids[1]]);
    assert_eq!(
        listed("?stack_small_id=1&holder=a").await,
        [ids[0], ids[2], ids[3]]
    );
    assert_eq!(listed("?stack_small_id=2").await, [0; 0]);
    assert_eq!(
        listed(&format!("?limit=2&cursor={}", ids[0])).await,
        ids[1..3]
    );

    let one = format!("{RESERVATIONS}/{}", ids[0]);
    let released = world.api.delete(&one).await;
    assert_eq!(released, (200, json!({"num_released": 1})));
    let gone = world.api.delete(&one).await;
    assert_refused(&gone, 404, "unknown_reservation");
    let gone = world.api.patch(&one, json!({})).await;
    assert_refused(&gone, 404, "unknown_reservation");
    let path = format!("{RESERVATIONS}?holder=a");
    let released = world.api.delete(&path).await;
    assert_eq!(released, (200, json!({"num_released": 2})));
    assert_eq!(world.api.delete(&path).await.1["num_released"], 0);
    assert_eq!(listed("").await, [ids[1]]);
}

#[tokio::test]
async fn a_repeated_reservation_is_made_once() {
    let world = TestWorld::start(&[NONE], 1).await;
    let body = wanted(&world, 10);
    let first = keyed(&world, "k", RESERVATIONS, &body).await;
    assert_eq!(keyed(&world, "k", RESERVATIONS, &body).await, first);
    assert_eq!(world.list(RESERVATIONS).await.len(), 1);
    let refused = keyed(&world, "k", RESERVATIONS, &wanted(&world, 11)).await;
    assert_refused(&refused, 409, "idempotency_key_reused");
}

#[tokio::test]
async fn reservations_that_can_not_be_made_say_why() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, 1_000).await;
    let on_stack = |units| {
        let mut body = with(wanted(&world, units), "stack_small_id", stack);
        body.as_object_mut().unwrap().remove("task_small_id");
        body
    };
    let refused = world.post(RESERVATIONS, on_stack(101)).await;
    assert_refused(&refused, 422, "not_enough_units");
    assert_eq!(refused.1["details"]["free_compute_units"], 100);
    for unknown in [
        with(wanted(&world, 1), "owner_address", "0x789"),
        with(wanted(&world, 1), "task_small_id", 99),
        with(on_stack(1), "stack_small_id", 99),
    ] {
        let refused = world.post(RESERVATIONS, unknown).await;
        assert_refused(&refused, 404, "no_stack");
    }
    world.record_one(stack, 0, 1).await;
    world.settle(&[stack]).await;
    let refused = world.post(RESERVATIONS, on_stack(1)).await;
    assert_refused(&refused, 409, "stack_locked");

    let unknown = with(wanted(&world, 1), "task_small_id", 99);
    let digest = json!("4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi");
    let unknown = with(unknown, "purchase_tx_digest", digest);
    let refused = world.post(RESERVATIONS, unknown).await;
    assert_refused(&refused, 404, "unknown_purchase");

    let before = dump(&world).await;
    for (field, value) in [
        ("owner_address", json!("0xzz")),
        ("owner_address", Value::Null),
        ("num_compute_units", json!(-1)),
        ("task_small_id", Value::Null),
        ("model_name", json!("model-of-level-0")),
        ("holder", json!("with space")),
        ("holder", json!("h".repeat(129))),
        ("lease_s", json!(0)),
        ("lease_s", json!(3_601)),
        ("lease_s", json!(u64::MAX)),
        ("purchase_tx_digest", json!("0x12")),
    ] {
        let body = with(wanted(&world, 1), field, value);
        let refused = world.post(RESERVATIONS, body.clone()).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    for path in [
        RESERVATIONS,
        "/reservations?holder=",
        "/reservations?holder=a&stack_small_id=1",
    ] {
        let refused = world.api.delete(path).await;
        assert_refused(&refused, 400, "invalid_request");
    }
    let refused = world.api.delete("/reservations/x").await;
    assert_refused(&refused, 400, "invalid_request");
    let refused = world.api.patch(RESERVATIONS, json!({})).await;
    assert_refused(&refused, 405, "method_not_allowed");
    let bad = with(served(stack, 1, 1), "message_id", "");
    assert_refused(&world.post(MESSAGES, bad).await, 400, "invalid_request");
    assert_eq!(dump(&world).await, before);
}

/// A purchase that brings nothing doesn't hide why the mirrored stacks don't serve.
#[tokio::test]
async fn a_purchase_hides_no_refusal() {
    let world = TestWorld::start(&[NONE], 1).await;
    world.record_one(1, 0, 1).await;
    world.settle(&[1]).await;
    // It bought nothing.
    let settlements = world.list("/transactions?kind=settle_stack").await;
    let digest = settlements[0]["tx_digest"].clone();
    let with_purchase = |body| with(body, "purchase_tx_digest", digest.clone());
    let refused = world
        .post(RESERVATIONS, with_purchase(wanted(&world, 1)))
        .await;
    assert_refused(&refused, 409, "stack_locked");
    let unknown = with(wanted(&world, 1), "task_small_id", 99);
    let refused = world.post(RESERVATIONS, with_purchase(unknown)).await;
    assert_refused(&refused, 422, "not_a_purchase");

    world.buy_one(1, 1, 100, 1_000).await;
    let too_many = with_purchase(wanted(&world, 101));
    let refused = world.post(RESERVATIONS, too_many.clone()).await;
    assert_refused(&refused, 422, "not_enough_units");
    world.take_node_down();
    let refused = world.post(RESERVATIONS, too_many).await;
    assert_refused(&refused, 422, "not_enough_units");
    // A mirrored stack serves: the purchase isn't looked up.
    reserve(&world, with_purchase(wanted(&world, 100))).await;
}

/// The message is recorded, and the answer says what looks wrong.
#[tokio::test]
async fn a_message_is_recorded_with_warnings() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, 1_000).await;
    let id = reserve(&world, wanted(&world, 50)).await;
    let named = with(served(stack, 0, 50), "message_id", "m-1");
    let typo = with(named.clone(), "reservation_id", id + 1);
    let recorded = world.post_ok(MESSAGES, typo).await;
    assert_eq!(recorded["num_total_messages"], 1);
    let warning = format!(
        "There was never a reservation {}. The message's own reservation, if it has one, stays open until its lease \
         expires.",
        id + 1
    );
    assert_eq!(recorded["warnings"], json!([warning]));
    // The repetition names the right one, and other units.
    let again = with(with(named, "reservation_id", id), "num_compute_units", 49);
    let repeated = world.post_ok(MESSAGES, again).await;
    assert_eq!(repeated["already_recorded"], true);
    let warning = "The message was recorded before with 50 compute units; these 49 have no effect.";
    assert_eq!(repeated["warnings"], json!([warning]));
    assert_eq!(units_of(&world, stack).await, [0, 50]);

    let id = reserve(&world, wanted(&world, 50)).await;
    let path = format!("{RESERVATIONS}/{id}");
    let too_many = world
        .api
        .patch(&path, json!({"num_compute_units": 51}))
        .await;
    assert_refused(&too_many, 422, "not_enough_units");
}

/// A reservation by the name of its task's model.
#[tokio::test]
async fn units_are_reserved_by_model() {
    let world = TestWorld::start(&[NONE, SAMPLING], 1).await;
    let stack = world.buy_one(2, 1, 100, 1_000).await;
    let by_model = json!({
        "owner_address": world.network.buyer(),
        "model_name": "model-of-level-2",
        "num_compute_units": 100,
    });
    let reserved = world.post_ok(RESERVATIONS, by_model).await;
    assert_eq!(reserved["stack_small_id"], stack);
    let (other, reservation) = (1, &reserved["reservation_id"]);
    let body = with(served(other, 0, 1), "reservation_id", reservation.clone());
    let refused = world.post(MESSAGES, body).await;
    assert_refused(&refused, 409, "reservation_of_another_stack");
}

/// A reservation of nothing would keep its stack from being settled.
#[tokio::test]
async fn nothing_is_not_reserved() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 100, 1_000).await;
    let refused = world.post(RESERVATIONS, wanted(&world, 0)).await;
    assert_refused(&refused, 400, "invalid_request");
    let id = reserve(&world, wanted(&world, 50)).await;
    let path = format!("{RESERVATIONS}/{id}");
    let refused = world
        .api
        .patch(&path, json!({"num_compute_units": 0}))
        .await;
    assert_refused(&refused, 400, "invalid_request");
    assert_eq!(units_of(&world, stack).await, [50, 50]);
}
