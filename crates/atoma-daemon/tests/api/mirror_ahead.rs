//! Mirror and journal learn of a transaction at different times. In between, the journal decides
//! the answer.

use atoma_domain::events::{
    ContractEvent, NewStackSettlementAttestation, NodeSubscribedToTask,
    StackSettlementTicketClaimed, StackTrySettle,
};
use atoma_domain::ports::{LedgerFrame, LedgerPosition, LedgerTransaction};
use atoma_domain::{
    ComputeUnits, Digest, Hash32, MicroUsdc, NodeSmallId, PricePerMillion, StackSmallId,
    TaskSmallId,
};
use atoma_localnet::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::work::{message, statuses};
use crate::support::{NONE, SAMPLING, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";
const ATTEST: &str = "/submit_stack_settlement_attestations";
const CLAIM: &str = "/claim_funds";

/// Applies events to the mirror that the journal doesn't know yet.
pub(crate) async fn apply_to_mirror(world: &TestWorld, events: Vec<ContractEvent>) {
    let ports = world.operator.ports();
    let progress = ports.events.progress().await.unwrap();
    let last = progress.position.unwrap();
    let transaction = LedgerTransaction {
        digest: Digest::new([9; 32]),
        position: LedgerPosition {
            index: last.index + 1,
            ..last
        },
        timestamp: ports.clock.now(),
        epoch: progress.epoch.unwrap(),
        sender: ports.signer.address(),
        events,
        set_aside: Vec::new(),
        contract_version: None,
        unexplained: Vec::new(),
        balance_changes: None,
    };
    let frame = LedgerFrame {
        transaction: Some(transaction),
        cursor: progress.cursor.unwrap(),
        covered: progress.covered,
    };
    let applied = ports.events.apply(&[frame], ports.signer.address()).await;
    assert!(applied.unwrap().position > Some(last));
}

/// Checks that a request joins the one in flight, and is refused with other parameters.
async fn assert_joins(world: &TestWorld, path: &str, body: &Value, other: Value) {
    let joined = world.post(path, body.clone()).await;
    assert_refused(&joined, 504, "outcome_unknown");
    let mut changed = body.clone();
    let fields = other.as_object().unwrap().clone();
    changed.as_object_mut().unwrap().extend(fields);
    let refused = world.post(path, changed).await;
    assert_refused(&refused, 409, "in_flight_with_other_parameters");
    assert_eq!(
        refused.1["details"]["transaction_id"],
        joined.1["details"]["transaction_id"]
    );
}

#[tokio::test]
async fn an_intent_in_flight_is_joined_even_if_the_mirror_shows_it_done() {
    let mut world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    let node = world.nodes[1];
    let stacks = world.buy(1, node, 1_000, 1_000, 2).await;
    let claimed = world.buy_one(2, node, 1_000, 1_000).await;
    for stack in stacks.iter().chain([&claimed]) {
        world.record(*stack, 1, 100).await;
        world.draw(*stack, &[1]);
    }
    world.settle(&[claimed]).await;
    world.network.advance_epoch().unwrap();
    world.settle(&stacks[1..]).await;
    let task = world.new_task(NONE);
    // Once the daemon knows this purchase, it knows the task.
    world.buy_one(2, node, 1_000, 1_000).await;
    world.restart_with("request_timeout_s = 1").await;
    world.until_ready().await;

    world.hold_submissions();
    let ids = |stack: u64| json!({"stack_small_ids": [stack]});
    let offer = json!({
        "node_small_id": node,
        "task_small_id": task,
        "price_per_one_million_compute_units": 5,
    });
    let requests = [
        (
            SETTLE,
            ids(stacks[0]),
            json!({"num_claimed_compute_units": 7}),
        ),
        (ATTEST, ids(stacks[1]), json!({"allow_dispute": true})),
        (CLAIM, ids(claimed), json!({"gas_budget": 50_000_000})),
        (
            "/task_subscribe",
            offer,
            json!({"price_per_one_million_compute_units": 6}),
        ),
    ];
    for (path, body, _) in &requests {
        let started = world.post(path, body.clone()).await;
        assert_refused(&started, 504, "outcome_unknown");
    }
    let stack = StackSmallId::new;
    let node = NodeSmallId::new(node);
    let proof = Hash32::of(&[]);
    apply_to_mirror(
        &world,
        vec![
            StackTrySettle {
                stack_small_id: stack(stacks[0]),
                selected_node_id: node,
                requested_attestation_nodes: Vec::new(),
                committed_stack_proof: proof.into(),
                stack_merkle_leaf: proof.into(),
                num_claimed_compute_units: ComputeUnits::new(100),
            }
            .into(),
            NewStackSettlementAttestation {
                stack_small_id: stack(stacks[1]),
                attestation_node_id: NodeSmallId::new(1),
                committed_stack_proof: proof.into(),
                stack_merkle_leaf: proof.into(),
            }
            .into(),
            StackSettlementTicketClaimed {
                stack_small_id: stack(claimed),
                selected_node_id: node,
                attestation_nodes: Vec::new(),
                num_claimed_compute_units: ComputeUnits::new(100),
                user_refund_amount: MicroUsdc::new(0),
            }
            .into(),
            NodeSubscribedToTask {
                task_small_id: TaskSmallId::new(task),
                node_small_id: node,
                price_per_one_million_compute_units: PricePerMillion::new(5),
                max_num_compute_units: ComputeUnits::new(1_000_000),
            }
            .into(),
        ],
    )
    .await;
    assert_eq!(world.stack(stacks[0]).await["in_settle_period"], true);
    for (path, body, other) in requests {
        assert_joins(&world, path, &body, other).await;
    }
}

/// The mirror's epoch is enough to see that a stack can be claimed, and an unknown stack is unknown
/// whatever the Sui node says.
#[tokio::test]
async fn a_claim_in_an_outage_is_accepted_and_answers_for_each_stack() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 1, 100).await;
    }
    world.settle(&stacks[..1]).await;
    world.network.advance_epoch().unwrap();
    // With it, the mirror learns the epoch.
    world.settle(&stacks[1..]).await;
    world.take_node_down();
    let unknown = world.post(CLAIM, json!({"stack_small_ids": [999]})).await;
    assert_refused(&unknown, 404, "unknown_stack");
    let body = json!({"stack_small_ids": [stacks[0], stacks[1], 999]});
    let (status, answer) = world.post(CLAIM, body.clone()).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["pending", "failed", "failed"]);
    let codes = ["sui_node_error", "sui_node_error", "unknown_stack"];
    for (place, code) in codes.iter().enumerate() {
        assert_eq!(answer["results"][place]["error"]["code"], *code, "{answer}");
    }
    world.network.clear_faults();
    world
        .until_entries(stacks[0], |entries| {
            entries[0]["kind"] == "claim_stack" && entries[0]["status"] == "succeeded"
        })
        .await;
}

#[tokio::test]
async fn a_repeated_registration_is_answered_in_an_outage() {
    let world = TestWorld::start(&[NONE], 1).await;
    let post = || {
        let request = world.api.request(Method::POST, "/register");
        let request = request.header("Idempotency-Key", "second-node");
        answer(request.json(&json!({"additional": true})))
    };
    let first = post().await;
    assert_eq!(first.0, 200, "{}", first.1);
    world.take_node_down();
    assert_eq!(post().await, first);
}

#[tokio::test]
async fn a_subscription_that_the_mirror_lacks_is_known_from_the_journal() {
    let world = TestWorld::start(&[NONE], 1).await;
    let task = world.new_task(NONE);
    world.buy_one(1, 1, 1_000, 1_000).await;
    world.network.inject_fault(Fault {
        count: u64::MAX,
        ms: 600_000,
        ..Fault::once(FaultKind::EventsStall)
    });
    let offer = json!({"task_small_id": task, "price_per_one_million_compute_units": 5});
    let gone = json!({"task_small_id": task});
    world.post_ok("/task_subscribe", offer.clone()).await;
    let again = world.post("/task_subscribe", offer.clone()).await;
    assert_refused(&again, 409, "already_subscribed");
    world
        .post_ok("/task_update_subscription", offer.clone())
        .await;
    world.post_ok("/task_unsubscribe", gone.clone()).await;
    let again = world.post("/task_unsubscribe", gone).await;
    assert_refused(&again, 409, "not_subscribed");
    world.post_ok("/task_subscribe", offer).await;
}

#[tokio::test]
async fn no_message_is_recorded_for_a_stack_of_another_operator() {
    let (world, demo) = TestWorld::demo().await;
    let is_foreign = |node: u64| !world.nodes.contains(&node);
    let foreign = demo.stacks.iter();
    let foreign = foreign.map(|stack| (stack.stack_small_id.get(), stack.node_small_id.get()));
    let (stack, node) = foreign.clone().find(|(_, node)| is_foreign(*node)).unwrap();
    let body = json!({
        "stack_small_id": stack,
        "message_hash": message(stack, 0),
        "num_compute_units": 1,
    });
    let refused = world.post("/stack_messages", body).await;
    assert_refused(&refused, 404, "unknown_node");
    assert_eq!(refused.1["details"]["node_small_id"], node);
    let stack = StackSmallId::new(stack);
    let work = &world.operator.ports().work;
    let record = work.work_record(stack, NodeSmallId::new(node)).await;
    assert_eq!(record.unwrap(), None);
}
