//! Giving transactions up: only what is dead, and then for good.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose tools fail should stop, helpers included"
)]

mod common;

use std::time::Instant;

use atoma_localnet::{Fault, FaultKind};
use common::process::PATIENCE;
use common::{NONE, TestWorld};
use serde_json::{Value, json};

/// The only entry of the journal with that status, once there is one.
async fn until(world: &TestWorld, status: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let entries = world.list(&format!("/transactions?status={status}")).await;
        if let [only] = entries.as_slice() {
            return only.clone();
        }
        assert!(Instant::now() < deadline, "{entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_transaction_is_given_up_and_its_stack_is_free_again() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 1, 100).await;
    // Nothing that is sent arrives, so nothing is executed, and nobody knows.
    world.network.inject_fault(Fault {
        kind: FaultKind::ExecuteLostBefore,
        count: u64::MAX,
        ms: 0,
    });
    let request = json!({"stack_small_ids": [stack]});
    let (api, body) = (world.api.clone(), request.clone());
    let settling = tokio::spawn(async move { api.post("/try_settle_stack_ids", body).await });
    let entry = until(&world, "submitted").await;
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    let (api, abandoned) = (world.api.clone(), path.clone());
    let abandoning = tokio::spawn(async move { api.post(&abandoned, json!({})).await });
    // With its epoch the transaction dies, and the ledger can prove it.
    world.network.advance_epoch().unwrap();
    let (status, given_up) = abandoning.await.unwrap();
    assert_eq!(status, 200, "{given_up}");
    assert_eq!(given_up["status"], "failed");
    assert_eq!(given_up["error"]["code"], "abandoned");
    let (status, settled) = settling.await.unwrap();
    assert_eq!(status, 409, "{settled}");
    assert_eq!(settled["results"][0]["error"]["code"], "abandoned");

    world.network.clear_faults();
    let (status, refused) = world.api.post(&path, json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_final")));
    // Thawed: work can be recorded again.
    world.record_one(stack, 1, 100).await;
    let (status, settled) = world.api.post("/try_settle_stack_ids", request).await;
    assert_eq!(status, 200, "{settled}");
    assert_eq!(world.list("/transactions?status=succeeded").await.len(), 3);
}

#[tokio::test]
async fn what_is_not_in_the_journal_or_done_cannot_be_given_up() {
    let world = TestWorld::start(&[NONE], 1).await;
    let (status, unknown) = world.api.post("/transactions/999/abandon", json!({})).await;
    assert_eq!(
        (status, &unknown["code"]),
        (404, &json!("unknown_transaction"))
    );
    let done = &world.list("/transactions?limit=1").await[0];
    let digest = done["tx_digest"].as_str().unwrap();
    let path = format!("/transactions/{digest}/abandon");
    let (status, refused) = world.api.post(&path, json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_final")));
    let (status, refused) = world.api.get("/transactions?status=lost").await;
    assert_eq!((status, &refused["code"]), (400, &json!("invalid_request")));
}
