//! Disputes over HTTP: never by accident, only on request.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{ExecutionOutcome, TransactionPlan, ViewQuery};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, Mist, StackSmallId};
use serde_json::{Value, json};

use crate::support::work::{message, root, statuses};
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

const ATTEST: &str = "/submit_stack_settlement_attestations";

/// The warnings of an answer's only result.
fn warnings(answer: &Value) -> Vec<&str> {
    assert_eq!(statuses(answer), ["succeeded"], "{answer}");
    let warnings = answer["results"][0]["warnings"].as_array().unwrap();
    warnings.iter().map(|text| text.as_str().unwrap()).collect()
}

/// As after the restore of an old backup: what the selected node's record holds is not what was settled, and the drawn
/// node, of the same operator, has no record of its own.
#[tokio::test]
async fn a_node_that_attests_from_the_selected_nodes_record_warns_of_a_dispute() {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 1, 5).await;
    world.draw(stack, &[2]);
    let other = world.beside().await;
    other.wait_for_stacks(&[stack]).await;
    other.record(stack, 2, 5).await;
    other.settle(&[stack]).await;
    // Once the daemon knows this later purchase, it knows the settlement, too.
    world.buy_one(1, 1, UNITS, PRICE).await;

    let due = world.list("/attestations_due").await;
    let differs = json!([{"node_small_id": 2, "record_agrees": false}]);
    assert_eq!(due[0]["nodes"], differs, "{due:?}");
    let body = json!({"stack_small_ids": [stack], "allow_dispute": true});
    // Both the plan and the answer say what it costs.
    for path in [&format!("{ATTEST}?dry_run=true"), ATTEST] {
        let answer = world.post_ok(path, body.clone()).await;
        let warnings = warnings(&answer);
        assert_eq!(warnings.len(), 1, "{answer}");
        assert!(
            warnings[0].contains("freezes the funds of the stack"),
            "{answer}"
        );
    }
    assert_eq!(world.ticket(stack)["is_in_dispute"], true);
}

/// Settles a stack of the first node over the right messages, but for one extra node too many. The contract doesn't
/// check that.
async fn settle_for_too_many(world: &TestWorld, stack: u64, messages: u64) {
    let ports = world.operator.ports();
    let owner = ports.signer.address();
    let nodes = ports.state.operator_nodes().await.unwrap();
    let query = ViewQuery {
        badge: Some(nodes[0].node_badge_id),
        ..ViewQuery::default()
    };
    let view = ports.chain.view(&query).await.unwrap();
    let extra_nodes = view.parameters.cross_validation_extra_nodes_count;
    let proof = SettlementProof::of_selected_node(&root(stack, messages), extra_nodes + 1, 1);
    let coins = ports.chain.gas_coins(owner).await.unwrap();
    let plan = TransactionPlan {
        sender: owner,
        badge: view.badge,
        calls: vec![ContractCall::TrySettleStack {
            stack: StackSmallId::new(stack),
            claimed: ComputeUnits::new(5 * messages),
            proof: proof.unwrap(),
        }],
        gas: vec![coins[0].reference.clone()],
        split: Vec::new(),
        gas_price: view.epoch.reference_gas_price,
        gas_budget: Mist::new(100_000_000),
        expires_after: view.epoch.epoch,
    };
    let unsigned = ports.chain.build(&plan).unwrap();
    let signed = ports.signer.sign(unsigned).await.unwrap();
    let executed = ports.chain.execute(&signed).await.unwrap();
    assert_eq!(executed.outcome, ExecutionOutcome::Success);
}

#[tokio::test]
async fn the_plan_of_an_attestation_is_judged_by_the_ticket_on_chain() {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 2, 5).await;
    world.draw(stack, &[2]);
    settle_for_too_many(&world, stack, 2).await;
    world.buy_one(1, 1, UNITS, PRICE).await;
    // The mirror knows no number of extra nodes, so here only the messages are compared.
    let due = world.list("/attestations_due").await;
    let agrees = json!([{"node_small_id": 2, "record_agrees": true}]);
    assert_eq!(due[0]["nodes"], agrees, "{due:?}");

    let body = json!({"stack_small_ids": [stack], "allow_dispute": true});
    let path = format!("{ATTEST}?dry_run=true");
    let answer = world.post_ok(&path, body.clone()).await;
    let warnings = warnings(&answer);
    assert_eq!(warnings.len(), 1, "{answer}");
    assert!(
        warnings[0].contains("freezes the funds of the stack"),
        "{answer}"
    );
    world.post_ok(ATTEST, body).await;
    assert_eq!(world.ticket(stack)["is_in_dispute"], true);
}
