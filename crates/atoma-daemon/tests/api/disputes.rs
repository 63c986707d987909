//! Disputes over HTTP: never by accident, only on request.

use serde_json::json;

use crate::support::work::message;
use crate::support::{SAMPLING, TestWorld, assert_refused};

const UNITS: u64 = 1_000_000;
const PRICE: u64 = 1_000;

/// A settled stack of the first node, of which the second node has a different message.
async fn disagreeing() -> (TestWorld, u64) {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 2, 5).await;
    let other = json!({
        "stack_small_id": stack,
        "message_hash": message(stack, 77),
        "num_compute_units": 5,
        "node_small_id": 2,
    });
    world.post_ok("/stack_messages", other).await;
    world.draw(stack, &[2]);
    world.settle(&[stack]).await;
    (world, stack)
}

#[tokio::test]
async fn a_differing_attestation_is_not_sent_unless_it_may_dispute() {
    let (world, stack) = disagreeing().await;
    let path = "/submit_stack_settlement_attestations";
    let mut body = json!({"stack_small_ids": [stack]});
    let refused = world.post(path, body.clone()).await;
    assert_refused(&refused, 422, "commitment_mismatch");
    assert_eq!(world.ticket(stack)["is_in_dispute"], false);
    assert!(world.list("/against_attestation_disputes").await.is_empty());

    body["allow_dispute"] = json!(true);
    world.post_ok(path, body.clone()).await;
    assert_eq!(world.ticket(stack)["is_in_dispute"], true);
    let dispute = world.list("/against_attestation_disputes").await[0].clone();
    assert_eq!(dispute["plaintiff_node_id"], 2);
    assert_eq!(dispute["defendant_node_id"], 1);
    assert_eq!(dispute["resolution_status"], "Pending");
    assert_eq!(world.list("/own_attestation_disputes/2").await[0], dispute);
    assert!(world.list("/own_attestation_disputes/1").await.is_empty());
    assert_eq!(world.settled(stack).await["attestation_status"], "Failed");

    assert_refused(&world.post(path, body).await, 422, "stack_in_dispute");
    world.network.advance_epoch().unwrap();
    let claim = json!({"stack_small_ids": [stack]});
    assert_refused(
        &world.post("/claim_funds", claim).await,
        422,
        "stack_in_dispute",
    );
}

#[tokio::test]
async fn a_dispute_is_raised_only_if_there_is_something_to_dispute() {
    let (world, stack) = disagreeing().await;
    let path = "/start_attestation_dispute";
    let honest = world.buy_one(1, 1, UNITS, PRICE).await;
    let body = json!({"stack_small_id": honest});
    assert_refused(&world.post(path, body.clone()).await, 409, "not_settled");
    assert_refused(
        &world.post(path, json!({"stack_small_id": 999})).await,
        404,
        "unknown_stack",
    );
    world.record(honest, 2, 5).await;
    world.draw(honest, &[2]);
    world.settle(&[honest]).await;
    assert_refused(&world.post(path, body).await, 409, "nothing_to_dispute");
    assert_eq!(world.ticket(honest)["is_in_dispute"], false);

    let body = json!({"stack_small_id": stack});
    // Both the plan and the answer say what it costs.
    for path in [&format!("{path}?dry_run=true"), path] {
        let answer = world.post_ok(path, body.clone()).await;
        let warning = answer["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.contains("freezes the funds of stack"), "{answer}");
    }
    assert_eq!(world.ticket(stack)["is_in_dispute"], true);
    assert_eq!(world.list("/own_attestation_disputes").await.len(), 1);
    assert_refused(&world.post(path, body).await, 409, "already_in_dispute");
}
