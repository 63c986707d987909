//! Settling and attesting over HTTP: the chain has what was recorded.

use serde_json::{Value, json};

use crate::support::work::{digests, proof, statuses};
use crate::support::{NONE, SAMPLING, TestWorld};

const UNITS: u64 = 1_000_000;
const PRICE: u64 = 1_000;

/// Checks the ticket and the daemon's view of a stack that was completed without a dispute.
async fn assert_complete(world: &TestWorld, stack: u64, requested: &[u64]) {
    let ticket = world.ticket(stack);
    assert_eq!(ticket["is_in_dispute"], false);
    assert_eq!(ticket["requested_attestation_nodes"], json!(requested));
    let view = world.settled(stack).await;
    assert_eq!(view["attestation_status"], "Complete", "{view}");
    assert_eq!(view["settlement_complete"], true);
    assert_eq!(view["is_in_dispute"], false);
    assert_eq!(view["received_attestations"], requested.len());
    assert_eq!(view["required_attestations"], requested.len());
}

#[tokio::test]
async fn a_stack_is_settled_and_attested_with_the_proof_of_its_messages() {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 5, 100).await;
    world.draw(stack, &[2]);

    let answer = world.settle(&[stack]).await;
    assert_eq!(statuses(&answer), ["succeeded"]);
    let ticket = world.ticket(stack);
    assert_eq!(ticket["committed_stack_proof"], proof(stack, 5, 1, 1));
    assert_eq!(ticket["num_claimed_compute_units"], 500);
    let view = world.settled(stack).await;
    assert_eq!(view["attestation_status"], "Pending");
    assert_eq!(view["requested_attestation_nodes"], "[2]");

    let answer = world.attest(&[stack]).await;
    assert_eq!(answer["results"][0]["node_small_id"], 2);
    assert_eq!(digests(&answer).len(), 1);
    assert_eq!(world.ticket(stack)["already_attested_nodes"], json!([2]));
    assert_complete(&world, stack, &[2]).await;
}

#[tokio::test]
async fn two_and_three_attesters_complete_a_stack() {
    let world = TestWorld::start(&[SAMPLING], 4).await;
    for (extra, drawn) in [(2, &[3, 2][..]), (3, &[4, 1, 2]), (2, &[1, 2])] {
        world.parameters(json!({"cross_validation_extra_nodes_count": extra}));
        let stack = world.buy_one(1, 1, UNITS, PRICE).await;
        world.record(stack, 3, 7).await;
        world.draw(stack, drawn);
        world.settle(&[stack]).await;
        let expected = proof(stack, 3, extra, extra);
        assert_eq!(world.ticket(stack)["committed_stack_proof"], expected);
        let answer = world.attest(&[stack]).await;
        assert_eq!(digests(&answer).len(), drawn.len());
        assert_complete(&world, stack, drawn).await;
    }
}

#[tokio::test]
async fn the_number_of_extra_nodes_is_read_at_each_settlement() {
    let world = TestWorld::start(&[SAMPLING], 4).await;
    let stacks = world.buy(1, 1, UNITS, PRICE, 2).await;
    for (stack, extra) in stacks.iter().zip([1, 3]) {
        world.record(*stack, 2, 7).await;
        world.parameters(json!({"cross_validation_extra_nodes_count": extra}));
        world.draw(*stack, &[2, 3, 4][..usize::try_from(extra).unwrap()]);
        world.settle(&[*stack]).await;
    }
    // The first ticket still has one slot, although the contract now requires three.
    world.attest(&stacks).await;
    assert_complete(&world, stacks[0], &[2]).await;
    assert_complete(&world, stacks[1], &[2, 3, 4]).await;
}

/// Of four subscribers one is more expensive than the stack and one has unsubscribed. Two remain
/// for three slots, so the contract draws both and leaves a slot empty.
#[tokio::test]
async fn fewer_eligible_nodes_than_slots_leave_slots_empty() {
    let world = TestWorld::start(&[SAMPLING], 4).await;
    world.parameters(json!({"cross_validation_extra_nodes_count": 3}));
    let expensive = json!({
        "node_small_id": 3,
        "task_small_id": 1,
        "price_per_one_million_compute_units": PRICE + 1,
    });
    world.post_ok("/task_update_subscription", expensive).await;
    let gone = json!({"node_small_id": 4, "task_small_id": 1});
    world.post_ok("/task_unsubscribe", gone).await;
    // This purchase removes the unsubscribed node from the contract's list.
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 4, 7).await;
    world.settle(&[stack]).await;
    let ticket = world.ticket(stack);
    assert_eq!(ticket["requested_attestation_nodes"], json!([1, 2]));
    assert_eq!(ticket["committed_stack_proof"], proof(stack, 4, 3, 2));
    let answer = world.attest(&[stack]).await;
    assert_eq!(statuses(&answer), ["succeeded", "succeeded"]);
    assert_complete(&world, stack, &[1, 2]).await;
}

#[tokio::test]
async fn a_task_without_checks_is_settled_with_the_plain_commitment() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 3, 7).await;
    world.settle(&[stack]).await;
    assert_eq!(
        world.ticket(stack)["committed_stack_proof"],
        proof(stack, 3, 1, 1)
    );
    assert_complete(&world, stack, &[]).await;
}

/// Stacks with different numbers of messages, requested in another order than they were bought:
/// each settlement and attestation carries the proof of its own stack.
#[tokio::test]
async fn no_stack_gets_anothers_proof() {
    let world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    let mut stacks = Vec::new();
    for (task, node) in [(1, 1), (1, 2), (2, 1), (1, 1), (2, 2), (1, 2)] {
        stacks.extend(world.buy(task, node, UNITS, PRICE, 2).await);
    }
    for (stack, messages) in stacks.iter().zip(1..) {
        world.record(*stack, messages, 10 + messages).await;
    }
    // 5 and 12 have no common divisor, so this visits every index, and neighbours are far apart.
    let shuffled: Vec<usize> = (0..12).map(|place| place * 5 % 12).collect();
    let requested: Vec<u64> = shuffled.iter().map(|place| stacks[*place]).collect();
    let answer = world.settle(&requested).await;
    world.assert_own_digests(&answer).await;
    let results = answer["results"].as_array().unwrap();
    let order: Vec<_> = results
        .iter()
        .map(|r| r["stack_small_id"].clone())
        .collect();
    assert_eq!(json!(order), json!(requested));
    for (stack, messages) in stacks.iter().zip(1..) {
        let ticket = world.ticket(*stack);
        assert_eq!(
            ticket["committed_stack_proof"],
            proof(*stack, messages, 1, 1)
        );
        let units = messages * (10 + messages);
        assert_eq!(ticket["num_claimed_compute_units"], units);
    }
    let drawn: Vec<u64> = requested
        .into_iter()
        .filter(|stack| world.ticket(*stack)["requested_attestation_nodes"] != json!([]))
        .collect();
    assert_eq!(drawn.len(), 8);
    let answer = world.attest(&drawn).await;
    world.assert_own_digests(&answer).await;
    for stack in drawn {
        let ticket = world.ticket(stack);
        assert_eq!(ticket["is_in_dispute"], false);
        assert_eq!(
            ticket["already_attested_nodes"],
            ticket["requested_attestation_nodes"]
        );
    }
}

#[tokio::test]
async fn an_unknown_stack_does_not_affect_the_others() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, UNITS, PRICE, 2).await;
    for (stack, messages) in stacks.iter().zip([2, 3]) {
        world.record(*stack, messages, 7).await;
    }
    let requested = [stacks[1], 999, stacks[0]];
    let body = json!({"stack_small_ids": requested});
    let (status, answer) = world.post("/try_settle_stack_ids", body).await;
    assert_eq!(status, 207);
    assert_eq!(statuses(&answer), ["succeeded", "failed", "succeeded"]);
    assert_eq!(answer["results"][1]["stack_small_id"], 999);
    assert_eq!(answer["results"][1]["error"]["code"], "unknown_stack");
    assert_eq!(digests(&answer).len(), 2);
    for (stack, messages) in stacks.iter().zip([2, 3]) {
        let found = world.ticket(*stack)["committed_stack_proof"].clone();
        assert_eq!(found, proof(*stack, messages, 1, 1));
    }
}

#[tokio::test]
async fn a_stack_named_twice_settles_nothing() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, UNITS, PRICE, 2).await;
    for stack in &stacks {
        world.record(*stack, 1, 7).await;
    }
    let requested = [stacks[0], stacks[1], stacks[0]];
    let body = json!({"stack_small_ids": requested});
    let (status, answer) = world.post("/try_settle_stack_ids", body).await;
    assert_eq!(
        (status, &answer["code"]),
        (400, &Value::from("invalid_request"))
    );
    for stack in stacks {
        assert_eq!(world.ticket(stack), Value::Null);
    }
}

/// A subscriber that left after the last purchase makes the contract abort when it draws. No event
/// or read shows that beforehand, so the third of five settlements fails on chain.
#[tokio::test]
async fn a_settlement_that_fails_on_chain_blocks_no_other_and_succeeds_later() {
    let world = TestWorld::start(&[SAMPLING, SAMPLING], 2).await;
    let mut stacks = world.buy(1, 1, UNITS, PRICE, 4).await;
    let fails = world.buy_one(2, 1, UNITS, PRICE).await;
    stacks.insert(2, fails);
    for stack in &stacks {
        world.record(*stack, 2, 7).await;
    }
    let gone = json!({"node_small_id": 2, "task_small_id": 2});
    world.post_ok("/task_unsubscribe", gone).await;

    let body = json!({"stack_small_ids": stacks});
    let (status, answer) = world.post("/try_settle_stack_ids", body).await;
    assert_eq!(status, 207);
    let expected = ["succeeded", "succeeded", "failed", "succeeded", "succeeded"];
    assert_eq!(statuses(&answer), expected, "{answer}");
    assert_eq!(digests(&answer).len(), 4);
    world.assert_own_digests(&answer).await;
    for (stack, result) in stacks.iter().zip(answer["results"].as_array().unwrap()) {
        assert_eq!(result["stack_small_id"], *stack);
        assert!(result["tx_digest"].is_string(), "{result}");
        assert_eq!(world.ticket(*stack).is_null(), *stack == fails);
    }
    let error = &answer["results"][2]["error"];
    assert_eq!(error["code"], "contract_abort");
    let digest = answer["results"][2]["tx_digest"].as_str().unwrap();
    let (_, transaction) = world.get(&format!("/transactions/{digest}")).await;
    assert_eq!(transaction["status"], "failed");
    assert_eq!(transaction["stack_small_ids"], json!([fails]));

    // The record is open again, and the next purchase removes the subscriber.
    world.record_one(fails, 2, 7).await;
    world.buy_one(2, 1, UNITS, PRICE).await;
    world.settle(&[fails]).await;
    assert_eq!(
        world.ticket(fails)["committed_stack_proof"],
        proof(fails, 3, 1, 1)
    );
}
