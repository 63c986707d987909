//! Abandoning transactions: only dead ones, and permanently.

use serde_json::{Value, json};

use crate::support::work::{proof, statuses};
use crate::support::{Answer, NONE, TestWorld, assert_refused};

/// Abandons a transaction.
async fn abandon(world: &TestWorld, entry: &Value) -> Answer {
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    world.post(&path, json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_transaction_is_abandoned_and_its_stack_is_free_again() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 1, 100).await;
    // Nothing that is sent arrives, so the transaction is not executed, but the daemon can't know.
    world.hold_submissions();
    let settling = world.spawn_settle(&[stack]);
    let mut entry = world.until_status(stack, "submitted").await;
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    let api = world.api.clone();
    let abandoning = tokio::spawn(async move { api.post(&path, json!({})).await });
    // After its epoch the transaction is dead, and the ledger proves it. If the daemon finds that
    // out before it gets the request to abandon, it signs again, and the next epoch has to end,
    // too.
    while entry["status"] != "failed" {
        let digest = entry["tx_digest"].clone();
        world.network.advance_epoch().unwrap();
        entry = world
            .until_entry(stack, |entry| {
                entry["status"] == "failed"
                    || (entry["status"] == "submitted" && entry["tx_digest"] != digest)
            })
            .await;
    }
    let (status, abandoned) = abandoning.await.unwrap();
    assert_eq!(status, 200, "{abandoned}");
    assert_eq!(abandoned["status"], "failed");
    assert_eq!(abandoned["error"]["code"], "abandoned");
    let (status, settled) = settling.await.unwrap();
    assert_eq!(status, 409, "{settled}");
    assert_eq!(settled["results"][0]["error"]["code"], "abandoned");

    world.network.clear_faults();
    assert_refused(&abandon(&world, &entry).await, 409, "already_final");
    // The record is no longer frozen.
    world.record_one(stack, 1, 100).await;
    world.settle(&[stack]).await;
    assert_eq!(world.list("/transactions?status=succeeded").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_behind_a_stuck_transaction_is_abandoned_at_once() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 4).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    let back = stacks[2];
    world.hold_submissions();
    let front = world.spawn_settle(&stacks[..2]);
    world.until_status(stacks[0], "submitted").await;
    let unwanted = world.spawn_settle(&[back]);
    let entry = world.until_status(back, "queued").await;
    let last = world.spawn_settle(&stacks[3..]);
    world.until_status(stacks[3], "queued").await;

    let (status, abandoned) = abandon(&world, &entry).await;
    assert_eq!(status, 200, "{abandoned}");
    assert_eq!(abandoned["transaction_id"], entry["transaction_id"]);
    assert_eq!(abandoned["status"], "failed");
    assert_eq!(abandoned["error"]["code"], "abandoned");
    assert_eq!(abandoned["tx_digest"], Value::Null);
    let unwanted = unwanted.await.unwrap();
    assert_refused(&unwanted, 409, "abandoned");
    assert_eq!(statuses(&unwanted.1), ["failed"]);
    assert_refused(&abandon(&world, &entry).await, 409, "already_final");
    // The transaction in front is still open.
    world.until_status(stacks[0], "submitted").await;
    for other in [stacks[1], stacks[3]] {
        world.until_status(other, "queued").await;
    }

    // Its stack is no longer frozen, and can be settled by a new request.
    world.record_one(back, 2, 100).await;
    let again = world.spawn_settle(&[back]);
    let entries = world
        .until_entries(back, |entries| entries.len() == 2)
        .await;
    assert_eq!(entries[0]["status"], "queued");
    assert_eq!(entries[1], abandoned);
    world.network.clear_faults();
    for (settling, count) in [(front, 2), (last, 1), (again, 1)] {
        let (status, answer) = settling.await.unwrap();
        assert_eq!(status, 200, "{answer}");
        assert_eq!(statuses(&answer), vec!["succeeded"; count]);
    }
    for stack in stacks {
        let messages = if stack == back { 3 } else { 2 };
        let found = world.ticket(stack)["committed_stack_proof"].clone();
        assert_eq!(found, proof(stack, messages, 1, 1));
    }
    assert_eq!(world.journal_entries(back).await[1], abandoned);
}

#[tokio::test]
async fn unknown_and_final_transactions_cannot_be_abandoned() {
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
