//! Requests for work in flight, late answers, and network faults.

use atoma_domain::Hash32;
use atoma_domain::journal::{Recalled, RequestKey};
use atoma_localnet::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::process::in_time;
use crate::support::work::{digests, proof, statuses};
use crate::support::{NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

fn fault(kind: FaultKind, count: u64, ms: u64) -> Fault {
    Fault {
        count,
        ms,
        ..Fault::once(kind)
    }
}

/// A world with two nodes, and stacks that the first one served.
async fn with_work(count: u64) -> (TestWorld, Vec<u64>) {
    let world = TestWorld::start(&[NONE], 2).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, count).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    (world, stacks)
}

/// Waits until a request with this key is in the journal.
async fn until_accepted(world: &TestWorld, key: &str) {
    let ports = world.operator.ports();
    let key = RequestKey {
        scope: format!("POST {SETTLE} {key}"),
        body: Hash32::of(&[]),
    };
    let taken_in = async {
        // The journal has another body for the key, which it reports as well.
        while ports.journal.recall(&key, ports.clock.now()).await.unwrap() == Recalled::Unknown {}
    };
    in_time(taken_in).await;
}

#[tokio::test]
async fn the_same_request_joins_and_a_different_one_is_refused_while_it_is_in_flight() {
    let (world, stacks) = with_work(1).await;
    world.hold_submissions();
    let first = world.spawn_settle(&stacks);
    world.until_status(stacks[0], "submitted").await;

    let other = json!({"stack_small_ids": stacks, "num_claimed_compute_units": 7});
    let refused = world.post(SETTLE, other).await;
    assert_refused(&refused, 409, "in_flight_with_other_parameters");
    assert!(refused.1["details"]["transaction_id"].is_u64());
    // No message can be recorded during the settlement.
    let message = json!({
        "stack_small_id": stacks[0],
        "message_hash": crate::support::work::message(stacks[0], 2),
        "num_compute_units": 1,
    });
    let (status, refused) = world.post("/stack_messages", message).await;
    assert_eq!(status, 409, "{refused}");

    // The key shows when the request has joined.
    let joining = world.api.request(Method::POST, SETTLE);
    let joining = joining.header("Idempotency-Key", "joins");
    let joining = joining.json(&json!({"stack_small_ids": stacks}));
    let joined = tokio::spawn(answer(joining));
    until_accepted(&world, "joins").await;
    assert_eq!(world.ticket(stacks[0]), Value::Null);
    world.network.clear_faults();
    let (status, joined) = joined.await.unwrap();
    assert_eq!(status, 200, "{joined}");
    let (status, first) = first.await.unwrap();
    assert_eq!(status, 200, "{first}");
    assert_eq!(digests(&first), digests(&joined));
    assert_eq!(world.journal_entries(stacks[0]).await.len(), 1);
    assert_eq!(world.ticket(stacks[0])["num_claimed_compute_units"], 200);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_nothing() {
    let (world, stacks) = with_work(3).await;
    world.hold_submissions();
    let body = json!({"stack_small_ids": stacks});
    let request = world.api.request(Method::POST, SETTLE).json(&body);
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        // Drops the request and its connection.
        _ = world.until_status(stacks[0], "submitted") => {}
    }
    world.network.clear_faults();
    for stack in stacks {
        world.until_status(stack, "succeeded").await;
        let found = world.ticket(stack)["committed_stack_proof"].clone();
        assert_eq!(found, proof(stack, 2, 1, 1));
    }
}

#[tokio::test]
async fn a_late_outcome_is_reported_as_pending() {
    let (mut world, stacks) = with_work(2).await;
    let other = world.buy_one(1, 2, 1_000, 1_000).await;
    world.record(other, 2, 100).await;
    world.restart_with("request_timeout_s = 1").await;
    world.hold_submissions();
    let first = world.spawn_settle(&stacks[..1]);
    let entry = world.until_status(stacks[0], "submitted").await;
    let joined = world
        .post(SETTLE, json!({"stack_small_ids": stacks[..1]}))
        .await;
    assert_refused(&joined, 504, "outcome_unknown");
    let late = joined.1;
    assert_eq!(statuses(&late), ["pending"]);
    for field in ["transaction_id", "tx_digest"] {
        assert_eq!(late["details"][field], entry[field]);
        assert_eq!(late["results"][0][field], entry[field]);
    }
    assert_eq!(first.await.unwrap().0, 504);
    // The other node has its own lane.
    let (status, some) = world
        .post(SETTLE, json!({"stack_small_ids": [other, stacks[1]]}))
        .await;
    assert_eq!(status, 504, "{some}");
    assert_eq!(statuses(&some), ["pending", "pending"]);
    world.until_status(other, "submitted").await;
    world.until_status(stacks[1], "queued").await;

    world.network.clear_faults();
    let done = world.until_status(stacks[0], "succeeded").await;
    for field in ["transaction_id", "tx_digest"] {
        assert_eq!(done[field], entry[field]);
    }
    for stack in [stacks[1], other] {
        world.until_status(stack, "succeeded").await;
    }
}

/// Each fault hits one settlement or the reads before it. Every settlement succeeds, once.
#[tokio::test]
async fn network_faults_cost_no_settlement() {
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
        let entries = world.journal_entries(*stack).await;
        assert_eq!(entries.len(), 1, "{fault:?}");
        assert_eq!(entries[0]["status"], "succeeded");
        assert_eq!(json!(digests(&answer)[0]), entries[0]["tx_digest"]);
        let ticket = world.ticket(*stack);
        assert_eq!(ticket["committed_stack_proof"], proof(*stack, 2, 1, 1));
        // If the event stream was cut, the mirror may be late.
        let shown = async { while world.stack(*stack).await["in_settle_period"] != true {} };
        in_time(shown).await;
    }
}

#[tokio::test]
async fn without_a_sui_node_the_outcome_is_unknown_and_the_settlement_waits() {
    let (world, stacks) = with_work(1).await;
    world
        .network
        .inject_fault(fault(FaultKind::Unavailable, 1_000_000, 0));
    let (status, refused) = world.post(SETTLE, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 504, "{refused}");
    assert_eq!(refused["code"], "outcome_unknown");
    let sentence = refused["error"].as_str().unwrap();
    assert!(sentence.contains("stays queued"), "{refused}");
    assert!(sentence.contains("The Sui node"), "{refused}");
    let result = &refused["results"][0];
    assert_eq!(result["status"], "pending");
    assert_eq!(result["error"]["code"], "sui_node_error");
    assert_eq!(
        refused["details"]["transaction_id"],
        result["transaction_id"]
    );
    let entry = &world.journal_entries(stacks[0]).await[0];
    assert_eq!(entry["status"], "queued");
    assert_eq!(entry["waiting_for"]["code"], "sui_node_error");
    let (status, body) = world.get("/ready").await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(world.ticket(stacks[0]), Value::Null);
    world.network.clear_faults();
    // While the settlement waits, a request says so; afterwards the same request returns the
    // outcome.
    let settled = async {
        loop {
            let request = world.api.request(Method::POST, SETTLE);
            let request = request.header("Idempotency-Key", "patient");
            let body = json!({"stack_small_ids": stacks});
            let (status, answer) = answer(request.json(&body)).await;
            if status == 200 {
                return;
            }
            assert_eq!(status, 504, "{answer}");
        }
    };
    in_time(settled).await;
    assert_eq!(world.journal_entries(stacks[0]).await.len(), 1);
}

/// A request for one transaction is answered like one for several.
#[tokio::test]
async fn without_a_sui_node_a_single_transaction_waits_too() {
    let world = TestWorld::start(&[NONE], 1).await;
    world
        .network
        .inject_fault(fault(FaultKind::Unavailable, 1_000_000, 0));
    let body = json!({"task_small_id": 1});
    let refused = world.post("/task_unsubscribe", body).await;
    assert_refused(&refused, 504, "outcome_unknown");
    let sentence = refused.1["error"].as_str().unwrap();
    assert!(sentence.contains("stays queued"), "{sentence}");
    let id = &refused.1["details"]["transaction_id"];
    let (_, entry) = world.get(&format!("/transactions/{id}")).await;
    assert_eq!(entry["status"], "queued", "{entry}");
    world.network.clear_faults();
    let done = "/transactions?kind=unsubscribe_from_task&status=succeeded";
    world.until_list(done, |list| list.len() == 1).await;
}

/// Two clients settle the same stacks at the same moment, in opposite order.
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
        let entries = world.journal_entries(stack).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["status"], "succeeded");
        assert_eq!(
            world.ticket(stack)["committed_stack_proof"],
            proof(stack, 2, 1, 1)
        );
    }
}
