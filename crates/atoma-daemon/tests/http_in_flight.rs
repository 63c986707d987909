//! Requests for work that is under way, answers that come late, and a network that misbehaves.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod common;

use std::time::Instant;

use atoma_localnet::{Fault, FaultKind};
use common::process::PATIENCE;
use common::work::{digests, proof, statuses};
use common::{NONE, TestWorld, answer};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

const SETTLE: &str = "/try_settle_stack_ids";

fn fault(kind: FaultKind, count: u64, ms: u64) -> Fault {
    Fault { kind, count, ms }
}

/// A world with stacks that have work on them, all of the first of two nodes.
async fn with_work(count: u64) -> (TestWorld, Vec<u64>) {
    let world = TestWorld::start(&[NONE], 2).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, count).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    (world, stacks)
}

/// The journal's entries about a stack.
async fn journalled(world: &TestWorld, stack: u64) -> Vec<Value> {
    let mut entries = world.list("/transactions").await;
    entries.retain(|entry| entry["stack_small_ids"] == json!([stack]));
    entries
}

/// Asks the journal about a stack until its only entry is as wanted.
async fn until(world: &TestWorld, stack: u64, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match journalled(world, stack).await.as_slice() {
            [only] if wanted(only) => return only.clone(),
            entries => assert!(Instant::now() < deadline, "{entries:?}"),
        }
    }
}

fn has_status(status: &str) -> impl Fn(&Value) -> bool {
    move |entry| entry["status"] == status
}

#[tokio::test]
async fn the_same_request_joins_and_another_is_refused_while_it_is_under_way() {
    let (world, stacks) = with_work(1).await;
    world
        .network
        .inject_fault(fault(FaultKind::ExecuteDelay, 1, 1_500));
    let api = world.api.clone();
    let body = json!({"stack_small_ids": stacks});
    let (first_api, first_body) = (api.clone(), body.clone());
    let first = tokio::spawn(async move { first_api.post(SETTLE, first_body).await });
    until(&world, stacks[0], has_status("submitted")).await;

    let other = json!({"stack_small_ids": stacks, "num_claimed_compute_units": 7});
    let (status, refused) = api.post(SETTLE, other).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(refused["code"], "in_flight_with_other_parameters");
    assert!(refused["details"]["transaction_id"].is_u64());
    // No message enters what is being settled.
    let message = json!({
        "stack_small_id": stacks[0],
        "message_hash": common::work::message(stacks[0], 2),
        "num_compute_units": 1,
    });
    let (status, refused) = api.post("/stack_messages", message).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(
        world.ticket(stacks[0]),
        Value::Null,
        "the delay is over too soon"
    );

    let (status, joined) = api.post(SETTLE, body).await;
    assert_eq!(status, 200, "{joined}");
    let (status, first) = first.await.unwrap();
    assert_eq!(status, 200, "{first}");
    assert_eq!(digests(&first), digests(&joined));
    assert_eq!(journalled(&world, stacks[0]).await.len(), 1);
    assert_eq!(world.ticket(stacks[0])["num_claimed_compute_units"], 200);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_nothing() {
    let (world, stacks) = with_work(3).await;
    world
        .network
        .inject_fault(fault(FaultKind::ExecuteDelay, 1, 400));
    let body = json!({"stack_small_ids": stacks});
    let request = world.api.request(Method::POST, SETTLE).json(&body);
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        // The request is dropped, and its connection with it.
        _ = until(&world, stacks[0], has_status("submitted")) => {}
    }
    for stack in stacks {
        until(&world, stack, has_status("succeeded")).await;
        let found = world.ticket(stack)["committed_stack_proof"].clone();
        assert_eq!(found, proof(stack, 2, 1, 1));
    }
}

#[tokio::test]
async fn an_outcome_that_is_late_is_told_to_be_pending() {
    let (mut world, stacks) = with_work(1).await;
    let other = world.buy_one(1, 2, 1_000, 1_000).await;
    world.record(other, 2, 100).await;
    let third = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(third, 2, 100).await;
    let file = world.dir.path().join("daemon.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("request_timeout_s = 1\n{config}")).unwrap();
    world.restart().await;

    world
        .network
        .inject_fault(fault(FaultKind::ExecuteDelay, 1, 2_000));
    let (status, late) = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 504, "{late}");
    assert_eq!(late["code"], "outcome_unknown");
    assert_eq!(statuses(&late), ["pending"]);
    let digest = late["details"]["tx_digest"].as_str().unwrap().to_owned();
    let id = late["details"]["transaction_id"].as_u64().unwrap();
    assert_eq!(late["results"][0]["tx_digest"], digest);
    // The other node has its own lane.
    let asked = json!({"stack_small_ids": [other, third]});
    let (status, some) = world.post(SETTLE, asked).await;
    assert!(status == 207 || status == 200, "{some}");
    assert_eq!(statuses(&some)[0], "succeeded");

    let done = until(&world, stacks[0], has_status("succeeded")).await;
    assert_eq!(done["tx_digest"], digest);
    assert_eq!(done["transaction_id"], id);
    until(&world, third, has_status("succeeded")).await;
}

/// Each fault hits one settlement or the reads before it; every one is made, once.
#[tokio::test]
async fn a_network_that_misbehaves_costs_no_settlement() {
    let (world, stacks) = with_work(6).await;
    let faults = [
        fault(FaultKind::ExecuteLostBefore, 2, 0),
        fault(FaultKind::ExecuteLostAfter, 2, 0),
        fault(FaultKind::Unavailable, 2, 0),
        fault(FaultKind::StaleObjects, 3, 0),
        fault(FaultKind::Congestion, 1, 0),
        fault(FaultKind::EventsCut, 1, 0),
    ];
    for (stack, fault) in stacks.iter().zip(faults) {
        world.network.inject_fault(fault);
        let (status, answer) = world
            .post(SETTLE, json!({"stack_small_ids": [stack]}))
            .await;
        assert_eq!(status, 200, "{fault:?}: {answer}");
        world.network.clear_faults();
        let entries = journalled(&world, *stack).await;
        assert_eq!(entries.len(), 1, "{fault:?}");
        assert_eq!(entries[0]["status"], "succeeded");
        assert_eq!(json!(digests(&answer)[0]), entries[0]["tx_digest"]);
        let ticket = world.ticket(*stack);
        assert_eq!(ticket["committed_stack_proof"], proof(*stack, 2, 1, 1));
        assert_eq!(world.stack(*stack).await["in_settle_period"], true);
    }
}

#[tokio::test]
async fn a_sui_node_that_is_away_is_a_bad_gateway_and_the_settlement_waits_for_it() {
    let (world, stacks) = with_work(1).await;
    world
        .network
        .inject_fault(fault(FaultKind::Unavailable, 1_000_000, 0));
    let (status, refused) = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 502, "{refused}");
    assert_eq!(refused["code"], "sui_node_error");
    assert_eq!(refused["results"][0]["status"], "pending");
    let entry = &journalled(&world, stacks[0]).await[0];
    assert_eq!(entry["status"], "queued");
    assert_eq!(entry["waiting_for"]["code"], "sui_node_error");
    let (status, body) = world.get("/ready").await;
    assert_eq!(status, 503, "{body}");
    world.network.clear_faults();
    assert_eq!(world.ticket(stacks[0]), Value::Null);
    // Until it is over, an answer tells so; then the same request tells the outcome.
    let settled = async {
        loop {
            let asked = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
            if asked.0 == 200 {
                return;
            }
        }
    };
    timeout(PATIENCE, settled).await.unwrap();
    assert_eq!(journalled(&world, stacks[0]).await.len(), 1);
}

/// Two clients ask for the same stacks at the same moment, in opposite orders.
#[tokio::test]
async fn requests_at_the_same_moment_settle_each_stack_once() {
    let (world, stacks) = with_work(8).await;
    let mut backwards = stacks.clone();
    backwards.reverse();
    let ask = |stacks: &[u64]| {
        let request = world.api.request(Method::POST, SETTLE);
        answer(request.json(&json!({"stack_small_ids": stacks})))
    };
    let (one, two) = tokio::join!(ask(&stacks), ask(&backwards));
    for (status, answer) in [&one, &two] {
        assert!([200, 207, 409].contains(status), "{answer}");
    }
    for stack in stacks {
        let entries = journalled(&world, stack).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["status"], "succeeded");
        assert_eq!(
            world.ticket(stack)["committed_stack_proof"],
            proof(stack, 2, 1, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_the_network_and_the_next_start_goes_on() {
    let (mut world, stacks) = with_work(2).await;
    world
        .network
        .inject_fault(fault(FaultKind::ExecuteDelay, 1, 600_000));
    let (api, body) = (world.api.clone(), json!({"stack_small_ids": stacks}));
    let asked = tokio::spawn(async move {
        // The daemon stops before it has an answer.
        let _ = api.request(Method::POST, SETTLE).json(&body).send().await;
    });
    until(&world, stacks[0], has_status("submitted")).await;
    tokio::time::timeout(PATIENCE, world.stop()).await.unwrap();
    asked.await.unwrap();
    world.network.clear_faults();
    world.go_on().await;
    for stack in stacks {
        until(&world, stack, has_status("succeeded")).await;
        assert_eq!(world.ticket(stack)["num_claimed_compute_units"], 200);
    }
}
