//! Two operators, each with a daemon: one settles, the other checks.

use serde_json::{Value, json};

use crate::support::work::{message, statuses};
use crate::support::{SAMPLING, TestWorld};

const ATTEST: &str = "/submit_stack_settlement_attestations";
const UNITS: u64 = 1_000_000;
/// What the demonstration's nodes ask, and its buyer pays.
const PRICE: u64 = 1_000_000;

/// The first operator has settled a stack of two messages; the second's node was drawn.
async fn settled_elsewhere() -> (TestWorld, TestWorld, u64) {
    let (first, demo) = TestWorld::demo().await;
    let second = TestWorld::of_operator(&first.network, &demo, 1).await;
    let stack = first.buy_one(3, first.nodes[0], UNITS, PRICE).await;
    first.record(stack, 2, 100).await;
    first.draw(stack, &[second.nodes[0]]);
    first.settle(&[stack]).await;
    // A purchase after the settlement: the second daemon knows both once it knows this.
    second.buy_one(3, second.nodes[0], UNITS, PRICE).await;
    (first, second, stack)
}

/// Records what the second operator's node got when it ran the request again.
async fn run_again(world: &TestWorld, stack: u64, number: u64, hash: u64) {
    let body = json!({
        "stack_small_id": stack,
        "message_hash": message(stack, hash),
        "num_compute_units": 100,
        "node_small_id": world.nodes[0],
    });
    let answer = world.done("/stack_messages", body).await;
    assert_eq!(answer["num_total_messages"], number + 1);
}

#[tokio::test]
async fn an_attester_attests_from_its_own_record_alone() {
    let (first, second, stack) = settled_elsewhere().await;
    let ids = json!({"stack_small_ids": [stack]});
    let (status, refused) = first.post(ATTEST, ids.clone()).await;
    assert_eq!(status, 422);
    assert_eq!(refused["code"], "no_attestation_requested");
    let (status, refused) = second.post(ATTEST, ids.clone()).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(refused["code"], "nothing_to_attest_with");

    // Half of the requests make another root: that is not sent.
    run_again(&second, stack, 0, 0).await;
    let (status, refused) = second.post(ATTEST, ids).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["code"], "commitment_mismatch");
    run_again(&second, stack, 1, 1).await;
    second.attest(&[stack]).await;
    let ticket = first.ticket(stack);
    assert_eq!(ticket["already_attested_nodes"], json!([second.nodes[0]]));
    assert_eq!(ticket["is_in_dispute"], false);

    // The settling operator learns of it, is paid, and the other has its share.
    first.network.advance_epoch().unwrap();
    let before = first.usdc(&first.address());
    first.claim(&[stack]).await;
    assert_eq!(first.usdc(&first.address()) - before, 240);
    let view = first.settled(stack).await;
    assert_eq!(view["attestation_status"], "Complete");
    let state = first.network.state().unwrap();
    let share = &state["nodes"][second.nodes[0].to_string()]["available_fee_amount"];
    assert_eq!(*share, 240);
}

#[tokio::test]
async fn a_stack_of_another_operator_is_not_settled_or_claimed_here() {
    let (first, second, stack) = settled_elsewhere().await;
    let ids = json!({"stack_small_ids": [stack]});
    first.network.advance_epoch().unwrap();
    for path in ["/try_settle_stack_ids", "/claim_funds"] {
        let (status, refused) = second.post(path, ids.clone()).await;
        assert_eq!(status, 404, "{path}: {refused}");
        assert_eq!(refused["code"], "unknown_node", "{path}");
    }
    assert!(second.stack(stack).await.is_null());
    assert!(second.settled(stack).await.is_null());
    assert_eq!(first.ticket(stack)["is_in_dispute"], false);
}

#[tokio::test]
async fn an_attester_that_disagrees_disputes_only_when_told_to() {
    let (first, second, stack) = settled_elsewhere().await;
    run_again(&second, stack, 0, 9).await;
    let (status, _) = second
        .post(ATTEST, json!({"stack_small_ids": [stack]}))
        .await;
    assert_eq!(status, 422);
    assert_eq!(first.ticket(stack)["is_in_dispute"], false);
    let body = json!({"stack_small_ids": [stack], "allow_dispute": true});
    let answer = second.done(ATTEST, body).await;
    assert_eq!(statuses(&answer), ["succeeded"]);
    assert_eq!(first.ticket(stack)["is_in_dispute"], true);
    let own = second.list("/own_attestation_disputes").await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["plaintiff_node_id"], second.nodes[0]);
    // The first daemon sees it too, once it has seen a later purchase.
    first.buy_one(3, first.nodes[0], UNITS, PRICE).await;
    assert_eq!(first.list("/against_attestation_disputes").await, own);
    assert!(first.list("/own_attestation_disputes").await.is_empty());
}

#[tokio::test]
async fn the_time_to_attest_ends_with_the_epoch_after_the_settlement() {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stacks = world.buy(1, 1, UNITS, PRICE, 2).await;
    for stack in &stacks {
        world.record(*stack, 1, 100).await;
        world.draw(*stack, &[2]);
    }
    world.settle(&stacks).await;
    world.network.advance_epoch().unwrap();
    world.attest(&stacks[..1]).await;
    let last = world.network.epoch();
    world.network.advance_epoch().unwrap();
    let (status, refused) = world
        .post(ATTEST, json!({"stack_small_ids": [stacks[1]]}))
        .await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["code"], "attestation_window_over");
    assert_eq!(refused["details"]["last_epoch"], last);
    assert_eq!(
        world.ticket(stacks[1])["already_attested_nodes"],
        Value::Array(vec![])
    );
    // Both are paid: the node that settled bears no fault.
    world.claim(&stacks).await;
}
