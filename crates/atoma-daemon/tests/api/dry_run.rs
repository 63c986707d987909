//! `?dry_run=true`: the shape of the answer, the estimated gas, and no effects.

use std::time::Duration;

use atoma_domain::StackSmallId;
use atoma_domain::journal::{Failure, GasOptions};
use atoma_operator::{Applied, Engine, EngineConfig, NodeChoice, Operator, Readiness};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::work::{dump, populated, statuses};
use crate::support::{TestWorld, assert_refused};

/// Everything that must stay the same: all that the daemon serves, and the chain's state.
async fn everything(world: &TestWorld) -> (Vec<Value>, Value) {
    (dump(world).await, world.network.state().unwrap())
}

#[tokio::test]
async fn a_dry_run_estimates_gas_and_does_nothing() {
    let world = populated().await;
    world.network.advance_epoch().unwrap();
    let ids = |stack: u64| json!({"stack_small_ids": [stack]});
    let price = json!({
        "node_small_id": 1,
        "task_small_id": 1,
        "price_per_one_million_compute_units": 77,
    });
    let before = everything(&world).await;
    // Stack 2 is settled and attested, 3 settled, 4 open.
    for (path, body) in [
        ("/register", json!({"additional": true})),
        ("/task_update_subscription", price),
        (
            "/task_unsubscribe",
            json!({"node_small_id": 2, "task_small_id": 2}),
        ),
        (
            "/rotate_node_key",
            json!({"node_small_id": 1, "public_key_commitment": "0xaa", "evidence": "", "device_type": 0}),
        ),
        ("/try_settle_stack_ids", ids(4)),
        ("/submit_stack_settlement_attestations", ids(3)),
        ("/claim_funds", ids(2)),
    ] {
        let answer = world.post_ok(&format!("{path}?dry_run=true"), body).await;
        assert_eq!(answer["dry_run"], true, "{path}: {answer}");
        assert!(answer["tx_digest"].is_null(), "{path}: {answer}");
        let gas = match answer["results"].as_array() {
            Some(results) => {
                assert_eq!(statuses(&answer), ["succeeded"], "{path}: {answer}");
                assert_eq!(answer["tx_digests"], json!([]), "{path}");
                assert!(results[0]["tx_digest"].is_null(), "{path}: {answer}");
                results[0]["estimated_gas"].as_u64()
            }
            None => answer["estimated_gas"].as_u64(),
        };
        assert!(gas.is_some_and(|gas| gas > 0), "{path}: {answer}");
    }
    assert_eq!(everything(&world).await, before);
    // Nothing is frozen, so the same requests succeed.
    world.record_one(4, 2, 10).await;
    world.settle(&[4]).await;
    world.claim(&[2]).await;
}

#[tokio::test]
async fn a_dry_run_is_refused_like_the_real_request() {
    let world = populated().await;
    let before = everything(&world).await;
    for (path, body, status, code) in [
        ("/register", json!({}), 409, "already_registered"),
        (
            "/try_settle_stack_ids",
            json!({"stack_small_ids": [2]}),
            409,
            "already_settling",
        ),
        (
            "/try_settle_stack_ids",
            json!({"stack_small_ids": [999]}),
            404,
            "unknown_stack",
        ),
        (
            "/try_settle_stack_ids",
            json!({"stack_small_ids": []}),
            400,
            "invalid_request",
        ),
        (
            "/claim_funds",
            json!({"stack_small_ids": [2]}),
            409,
            "not_yet_claimable",
        ),
        (
            "/submit_stack_settlement_attestations",
            json!({"stack_small_ids": [2]}),
            409,
            "already_attested",
        ),
    ] {
        let refused = world.post(&format!("{path}?dry_run=true"), body).await;
        assert_refused(&refused, status, code);
    }
    let body = json!({"stack_small_ids": [4]});
    for query in ["dry_run=maybe", "dry_run=", "dry_run=1"] {
        let refused = world
            .post(&format!("/try_settle_stack_ids?{query}"), body.clone())
            .await;
        assert_refused(&refused, 400, "invalid_request");
    }
    assert_eq!(everything(&world).await, before);
}

/// Work in flight, a reservation or a full lane refuses a dry run as it does the real request.
#[tokio::test]
async fn a_dry_run_checks_the_journal_and_the_lane() {
    let mut world = populated().await;
    let other = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(other, 1, 10).await;
    world
        .restart_with("request_timeout_s = 1\nqueue_limit = 1")
        .await;
    world.until_ready().await;
    let path = "/try_settle_stack_ids?dry_run=true";
    let wanted = json!({
        "owner_address": world.network.buyer(), "stack_small_id": other, "num_compute_units": 5,
    });
    let reserved = world.post_ok("/reservations", wanted).await;
    let refused = world.post(path, json!({"stack_small_ids": [other]})).await;
    assert_refused(&refused, 409, "requests_in_progress");
    let reserved = format!("/reservations/{}", reserved["reservation_id"]);
    assert_eq!(world.api.delete(&reserved).await.0, 200);

    world.hold_submissions();
    let filling = world.spawn_settle(&[4]);
    world.until_status(4, "submitted").await;
    let before = everything(&world).await;
    let otherwise = json!({"stack_small_ids": [4], "num_claimed_compute_units": 1});
    let refused = world.post(path, otherwise).await;
    assert_refused(&refused, 409, "in_flight_with_other_parameters");
    let refused = world.post(path, json!({"stack_small_ids": [other]})).await;
    assert_refused(&refused, 429, "queue_full");
    assert_eq!(everything(&world).await, before);
    world.network.clear_faults();
    filling.await.unwrap();
}

/// Each stack gets its own result, in order.
#[tokio::test]
async fn a_dry_run_of_many_stacks_answers_in_order() {
    let world = populated().await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 12).await;
    for stack in stacks.iter().step_by(3) {
        world.record_one(*stack, 0, 10).await;
    }
    let path = "/try_settle_stack_ids?dry_run=true";
    let (status, answer) = world.post(path, json!({"stack_small_ids": stacks})).await;
    assert_eq!(status, 207, "{answer}");
    for (place, result) in answer["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!(result["stack_small_id"], stacks[place]);
        let (status, code) = match place % 3 {
            0 => ("succeeded", Value::Null),
            _ => ("failed", json!("stack_has_no_messages")),
        };
        assert_eq!(result["status"], status, "{result}");
        assert_eq!(result["error"]["code"], code, "{result}");
    }
}

/// A part that can't be simulated in the request's time is reported as such.
#[tokio::test]
async fn a_dry_run_ends_at_the_request_timeout() {
    let world = populated().await;
    let ports = world.operator.ports().clone();
    let engine = Engine::new(
        ports.clone(),
        EngineConfig::default(),
        CancellationToken::new(),
    );
    let readiness = Readiness::new(ports.clone(), Applied::default());
    let hasty = Operator::new(ports, engine, Applied::default(), readiness, Duration::ZERO);
    let ids = [4, 999].map(StackSmallId::new);
    let answer = hasty
        .dry_run()
        .settle(&ids, None, NodeChoice::default(), GasOptions::default())
        .await
        .unwrap();
    let failures: Vec<_> = answer.into_iter().map(|result| result.failure).collect();
    assert!(
        matches!(
            failures.as_slice(),
            [
                Some(Failure::SuiNodeError { .. }),
                Some(Failure::UnknownStack { .. })
            ]
        ),
        "{failures:?}"
    );
}

#[tokio::test]
async fn abandoning_has_no_dry_run() {
    let world = populated().await;
    let refused = world
        .post("/transactions/1/abandon?dry_run=true", json!({}))
        .await;
    assert_refused(&refused, 400, "invalid_request");
}

/// The simulation finds what only the contract refuses.
#[tokio::test]
async fn a_dry_run_finds_what_the_contract_would_refuse() {
    let world = populated().await;
    let gone = json!({"node_small_id": 2, "task_small_id": 1});
    world.post_ok("/task_unsubscribe", gone).await;
    let before = everything(&world).await;
    let body = json!({"stack_small_ids": [4]});
    let refused = world.post("/try_settle_stack_ids?dry_run=true", body).await;
    assert_refused(&refused, 422, "contract_abort");
    assert_eq!(everything(&world).await, before);
}
