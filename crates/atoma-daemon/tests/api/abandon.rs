//! Giving transactions up: only what is dead, and then for good.

use serde_json::{Value, json};

use crate::support::work::{proof, statuses};
use crate::support::{Answer, NONE, TestWorld, assert_refused};

/// Asks for a transaction to be given up.
async fn give_up(world: &TestWorld, entry: &Value) -> Answer {
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    world.post(&path, json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_transaction_is_given_up_and_its_stack_is_free_again() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 1, 100).await;
    // Nothing that is sent arrives, so nothing is executed, and nobody knows.
    world.hold();
    let settling = world.ask_to_settle(&[stack]);
    let mut entry = world.until_status(stack, "submitted").await;
    let path = format!("/transactions/{}/abandon", entry["transaction_id"]);
    let api = world.api.clone();
    let abandoning = tokio::spawn(async move { api.post(&path, json!({})).await });
    // With its epoch the transaction dies, and the ledger can prove it; once more where that was
    // found out before the wish was heard.
    while entry["status"] != "failed" {
        let digest = entry["tx_digest"].clone();
        world.network.advance_epoch().unwrap();
        entry = world
            .until(stack, |entry| {
                entry["status"] == "failed"
                    || (entry["status"] == "submitted" && entry["tx_digest"] != digest)
            })
            .await;
    }
    let (status, given_up) = abandoning.await.unwrap();
    assert_eq!(status, 200, "{given_up}");
    assert_eq!(given_up["status"], "failed");
    assert_eq!(given_up["error"]["code"], "abandoned");
    let (status, settled) = settling.await.unwrap();
    assert_eq!(status, 409, "{settled}");
    assert_eq!(settled["results"][0]["error"]["code"], "abandoned");

    world.network.clear_faults();
    assert_refused(&give_up(&world, &entry).await, 409, "already_final");
    // Thawed: work can be recorded again.
    world.record_one(stack, 1, 100).await;
    world.settle(&[stack]).await;
    assert_eq!(world.list("/transactions?status=succeeded").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_transaction_that_is_stuck_is_given_up_at_once() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 4).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    let back = stacks[2];
    world.hold();
    let front = world.ask_to_settle(&stacks[..2]);
    world.until_status(stacks[0], "submitted").await;
    let unwanted = world.ask_to_settle(&[back]);
    let entry = world.until_status(back, "queued").await;
    let last = world.ask_to_settle(&stacks[3..]);
    world.until_status(stacks[3], "queued").await;

    let (status, given_up) = give_up(&world, &entry).await;
    assert_eq!(status, 200, "{given_up}");
    assert_eq!(given_up["transaction_id"], entry["transaction_id"]);
    assert_eq!(given_up["status"], "failed");
    assert_eq!(given_up["error"]["code"], "abandoned");
    assert_eq!(given_up["tx_digest"], Value::Null);
    let unwanted = unwanted.await.unwrap();
    assert_refused(&unwanted, 409, "abandoned");
    assert_eq!(statuses(&unwanted.1), ["failed"]);
    assert_refused(&give_up(&world, &entry).await, 409, "already_final");
    // Nobody had to wait for the front.
    world.until_status(stacks[0], "submitted").await;
    for other in [stacks[1], stacks[3]] {
        world.until_status(other, "queued").await;
    }

    // Its stack is thawed, and can be asked for anew.
    world.record_one(back, 2, 100).await;
    let anew = world.ask_to_settle(&[back]);
    let entries = world
        .until_entries(back, |entries| entries.len() == 2)
        .await;
    assert_eq!(entries[0]["status"], "queued");
    assert_eq!(entries[1], given_up);
    world.network.clear_faults();
    for (asked, count) in [(front, 2), (last, 1), (anew, 1)] {
        let (status, answer) = asked.await.unwrap();
        assert_eq!(status, 200, "{answer}");
        assert_eq!(statuses(&answer), vec!["succeeded"; count]);
    }
    for stack in stacks {
        let messages = if stack == back { 3 } else { 2 };
        let found = world.ticket(stack)["committed_stack_proof"].clone();
        assert_eq!(found, proof(stack, messages, 1, 1));
    }
    assert_eq!(world.journalled(back).await[1], given_up);
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
