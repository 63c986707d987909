//! `?dry_run=true`: the answer's shape, what it would cost, and nothing done.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod common;

use common::work::{dump, lived_in, statuses};
use common::{TestWorld, assert_refused};
use serde_json::{Value, json};

/// All that must stay as it is: what the daemon tells, and all that is on chain.
async fn everything(world: &TestWorld) -> (Vec<Value>, Value) {
    (dump(world).await, world.network.state().unwrap())
}

#[tokio::test]
async fn rehearsals_tell_their_gas_and_do_nothing() {
    let world = lived_in().await;
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
        ("/try_settle_stack_ids", ids(4)),
        ("/submit_stack_settlement_attestations", ids(3)),
        ("/claim_funds", ids(2)),
    ] {
        let answer = world.done(&format!("{path}?dry_run=true"), body).await;
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
    // Nothing is frozen by it: the very same can be done.
    world.record_one(4, 2, 10).await;
    world.settle(&[4]).await;
    world.claim(&[2]).await;
}

#[tokio::test]
async fn a_rehearsal_is_refused_like_the_real_thing() {
    let world = lived_in().await;
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

/// What only the contract refuses is found by the simulation.
#[tokio::test]
async fn a_rehearsal_finds_what_the_contract_would_refuse() {
    let world = lived_in().await;
    let gone = json!({"node_small_id": 2, "task_small_id": 1});
    world.done("/task_unsubscribe", gone).await;
    let before = everything(&world).await;
    let body = json!({"stack_small_ids": [4]});
    let refused = world.post("/try_settle_stack_ids?dry_run=true", body).await;
    assert_refused(&refused, 422, "contract_abort");
    assert_eq!(everything(&world).await, before);
}
