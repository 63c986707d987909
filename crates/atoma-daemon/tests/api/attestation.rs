//! Two operators with a daemon each: one settles, the other attests.

use serde_json::{Value, json};

use crate::support::work::{message, statuses};
use crate::support::{SAMPLING, TestWorld};

const ATTEST: &str = "/submit_stack_settlement_attestations";
const UNITS: u64 = 1_000_000;
/// The price that the demonstration's nodes ask and its buyer pays.
const PRICE: u64 = 1_000_000;

/// The first operator has settled a stack of two messages, and a node of the second one was drawn.
async fn settled_by_first() -> (TestWorld, TestWorld, u64) {
    let (first, demo) = TestWorld::demo().await;
    let second = TestWorld::of_operator(&first.network, &demo, 1).await;
    let stack = first.buy_one(3, first.nodes[0], UNITS, PRICE).await;
    first.record(stack, 2, 100).await;
    first.draw(stack, &[second.nodes[0]]);
    first.settle(&[stack]).await;
    // Once the second daemon knows this later purchase, it knows the settlement, too.
    second.buy_one(3, second.nodes[0], UNITS, PRICE).await;
    (first, second, stack)
}

/// Records the message that the second operator's node computed when it verified the request.
async fn record_verification(world: &TestWorld, stack: u64, number: u64, hash: u64) {
    let body = json!({
        "stack_small_id": stack,
        "message_hash": message(stack, hash),
        "num_compute_units": 100,
        "node_small_id": world.nodes[0],
    });
    let answer = world.post_ok("/stack_messages", body).await;
    assert_eq!(answer["num_total_messages"], number + 1);
}

#[tokio::test]
async fn an_attester_attests_from_its_own_record_only() {
    let (first, second, stack) = settled_by_first().await;
    let ids = json!({"stack_small_ids": [stack]});
    let (status, refused) = first.post(ATTEST, ids.clone()).await;
    assert_eq!(status, 422);
    assert_eq!(refused["code"], "no_attestation_requested");
    let (status, refused) = second.post(ATTEST, ids.clone()).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(refused["code"], "nothing_to_attest_with");

    // Half of the messages give a different root, so nothing is sent.
    record_verification(&second, stack, 0, 0).await;
    let (status, refused) = second.post(ATTEST, ids).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(refused["code"], "commitment_mismatch");
    record_verification(&second, stack, 1, 1).await;
    second.attest(&[stack]).await;
    let ticket = first.ticket(stack);
    assert_eq!(ticket["already_attested_nodes"], json!([second.nodes[0]]));
    assert_eq!(ticket["is_in_dispute"], false);

    // The settling operator sees the attestation and is paid; the attester has its share.
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

/// An attester's share is paid once, and a withdrawal of nothing is never sent.
#[tokio::test]
async fn an_attester_withdraws_its_share_once() {
    const WITHDRAW: &str = "/withdraw_fees";
    let (first, second, stack) = settled_by_first().await;
    let body = json!({"node_small_id": second.nodes[0]});
    record_verification(&second, stack, 0, 0).await;
    record_verification(&second, stack, 1, 1).await;
    second.attest(&[stack]).await;
    let (status, early) = second.post(WITHDRAW, body.clone()).await;
    assert_eq!(
        (status, &early["code"]),
        (409, &json!("nothing_to_withdraw"))
    );
    first.network.advance_epoch().unwrap();
    first.claim(&[stack]).await;
    let before = second.usdc(&second.address());
    let (status, rehearsed) = second
        .post("/withdraw_fees?dry_run=true", body.clone())
        .await;
    assert_eq!(status, 200, "{rehearsed}");
    assert_eq!(second.usdc(&second.address()), before);
    let (status, done) = second.post(WITHDRAW, body.clone()).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(second.usdc(&second.address()) - before, 240);
    let (status, again) = second.post(WITHDRAW, body).await;
    assert_eq!(status, 409, "{again}");
    let listed = second
        .list("/transactions?kind=withdraw_fees&status=succeeded")
        .await;
    assert_eq!(listed[0]["tx_digest"], done["tx_digest"]);
    // The node that was settled for has nothing to withdraw: its claim paid it.
    let (status, _) = first.post(WITHDRAW, json!({"node_small_id": 1})).await;
    assert_eq!(status, 409);
}

/// An operator finds the stacks of other operators that its nodes must attest.
#[tokio::test]
async fn attestations_are_due_until_they_are_made() {
    let (first, second, stack) = settled_by_first().await;
    let node = second.nodes[0];
    let from = first.ticket(stack)["dispute_settled_at_epoch"].clone();
    let due = |agrees: Value| {
        let nodes = [json!({"node_small_id": node, "record_agrees": agrees})];
        json!([{"stack_small_id": stack, "task_small_id": 3, "claimable_from_epoch": from, "nodes": nodes}])
    };
    let listed = async || Value::from(second.list("/attestations_due").await);
    assert_eq!(listed().await, due(Value::Null));
    let of_node = second.list(&format!("/attestations_due/{node}")).await;
    assert_eq!(Value::from(of_node), due(Value::Null));
    assert!(first.list("/attestations_due").await.is_empty());
    record_verification(&second, stack, 0, 0).await;
    assert_eq!(listed().await, due(json!(false)));
    record_verification(&second, stack, 1, 1).await;
    assert_eq!(listed().await, due(json!(true)));
    second.attest(&[stack]).await;
    assert_eq!(listed().await, json!([]));
}

#[tokio::test]
async fn an_attestation_that_agrees_warns_of_nothing_even_if_it_may_dispute() {
    let (first, second, stack) = settled_by_first().await;
    let body = json!({"stack_small_ids": [stack], "allow_dispute": true});
    // Nothing to compare with: refused, not frozen.
    let (_, refused) = second.post(ATTEST, body.clone()).await;
    assert_eq!(refused["code"], "nothing_to_attest_with");
    assert_eq!(refused["results"][0]["warnings"], json!([]));
    record_verification(&second, stack, 0, 0).await;
    record_verification(&second, stack, 1, 1).await;
    for path in [&format!("{ATTEST}?dry_run=true"), ATTEST] {
        let answer = second.post_ok(path, body.clone()).await;
        assert_eq!(statuses(&answer), ["succeeded"]);
        assert_eq!(answer["results"][0]["warnings"], json!([]));
    }
    assert_eq!(first.ticket(stack)["is_in_dispute"], false);
}

#[tokio::test]
async fn a_stack_of_another_operator_is_not_settled_or_claimed_here() {
    let (first, second, stack) = settled_by_first().await;
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
async fn an_attester_that_disagrees_disputes_only_on_request() {
    let (first, second, stack) = settled_by_first().await;
    record_verification(&second, stack, 0, 9).await;
    let (status, _) = second
        .post(ATTEST, json!({"stack_small_ids": [stack]}))
        .await;
    assert_eq!(status, 422);
    assert_eq!(first.ticket(stack)["is_in_dispute"], false);
    let body = json!({"stack_small_ids": [stack], "allow_dispute": true});
    // Both the plan and the answer say what it costs.
    for path in [&format!("{ATTEST}?dry_run=true"), ATTEST] {
        let answer = second.post_ok(path, body.clone()).await;
        assert_eq!(statuses(&answer), ["succeeded"]);
        let warnings = answer["results"][0]["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{answer}");
        let warning = warnings[0].as_str().unwrap();
        assert!(
            warning.contains("freezes the funds of the stack"),
            "{warning}"
        );
    }
    assert_eq!(first.ticket(stack)["is_in_dispute"], true);
    let own = second.list("/own_attestation_disputes").await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["plaintiff_node_id"], second.nodes[0]);
    // Once the first daemon knows a later purchase, it knows the dispute, too.
    first.buy_one(3, first.nodes[0], UNITS, PRICE).await;
    assert_eq!(first.list("/against_attestation_disputes").await, own);
    assert!(first.list("/own_attestation_disputes").await.is_empty());
}

#[tokio::test]
async fn the_attestation_window_ends_with_the_epoch_after_the_settlement() {
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
    // Both stacks are paid: the missing attestation is not the selected node's fault.
    world.claim(&stacks).await;
}
