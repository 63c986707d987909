//! What an operator sees of all that was sent for a transaction.

use atoma_localnet::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::journal::summary;
use crate::support::{NONE, SAMPLING, TestWorld, assert_refused};

async fn transaction(world: &TestWorld, key: &Value) -> Value {
    let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    let (status, transaction) = world.get(&format!("/transactions/{key}")).await;
    assert_eq!(status, 200, "{transaction}");
    transaction
}

/// Takes what can't be foretold out of an attempt, having checked it.
#[track_caller]
fn foretold(mut attempt: Value) -> Value {
    let fields = attempt.as_object_mut().unwrap();
    let [created, concluded] = ["created_at", "concluded_at"].map(|name| {
        let time = fields.remove(name).unwrap();
        time.as_str().map(str::to_owned)
    });
    assert!(created.unwrap().ends_with('Z'));
    assert_eq!(concluded.is_none(), fields["status"] == "signed");
    assert!(concluded.is_none_or(|concluded| concluded.ends_with('Z')));
    let mut number = |name: &str| fields.remove(name).unwrap().as_u64();
    let budget = number("gas_budget").unwrap();
    let (used, checkpoint) = (number("gas_used"), number("checkpoint"));
    assert!(used.is_none_or(|used| (1..=budget).contains(&used)));
    // What was executed is in a checkpoint, though not every answer names it.
    assert!(used.is_some() || checkpoint.is_none());
    attempt
}

async fn served(world: &TestWorld, task: u64, count: u64) -> Vec<u64> {
    let stacks = world.buy(task, 1, 1_000, 1_000, count).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    stacks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_shows_every_attempt_and_why_it_came_to_nothing() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = served(&world, 1, 1).await[0];
    // The first is cancelled, the second never arrives before its epoch is over.
    world
        .network
        .inject_fault(Fault::once(FaultKind::Congestion));
    let epoch = world.network.epoch();
    let asked = world.ask_to_settle(&[stack]);
    let is_cancelled = |entry: &Value| entry["tx_digest"].is_string();
    let entry = world.until(stack, is_cancelled).await;
    let id = &entry["transaction_id"];
    let (status, answer) = asked.await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let digest = answer["tx_digests"][0].clone();

    let told = transaction(&world, id).await;
    assert_eq!(transaction(&world, &digest).await, told);
    assert_eq!(told["status"], "succeeded");
    assert_eq!(told["tx_digest"], digest);
    let attempts = told["attempts"].as_array().unwrap();
    let [cancelled, succeeded] = &attempts[..] else {
        panic!("{told}");
    };
    // Also by the digest of the one that was in vain.
    assert_eq!(transaction(&world, &cancelled["tx_digest"]).await, told);
    let spent = |attempt: &Value| attempt["gas_used"].as_u64().unwrap();
    assert_eq!(spent(&told), spent(cancelled) + spent(succeeded));
    assert_eq!(told["updated_at"], succeeded["concluded_at"]);
    assert_eq!(
        foretold(cancelled.clone()),
        json!({
            "tx_digest": cancelled["tx_digest"],
            "status": "cancelled",
            "expires_after_epoch": epoch,
            "reason": "EXECUTION_CANCELED_DUE_TO_CONSENSUS_OBJECT_CONGESTION",
            "error": null,
            "transaction_ids": [id],
        })
    );
    assert_eq!(
        foretold(succeeded.clone()),
        json!({
            "tx_digest": digest,
            "status": "succeeded",
            "expires_after_epoch": epoch,
            "reason": null,
            "error": null,
            "transaction_ids": [id],
        })
    );
}

/// A digest that was with the network is told for ever, though nothing came of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_died_is_still_shown() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = served(&world, 1, 1).await[0];
    world.hold();
    let asked = world.ask_to_settle(&[stack]);
    let entry = world.until_status(stack, "submitted").await;
    let id = &entry["transaction_id"];
    let open = transaction(&world, id).await;
    assert_eq!(open["gas_used"], 0);
    let [signed] = &open["attempts"].as_array().unwrap()[..] else {
        panic!("{open}");
    };
    let epoch = world.network.epoch();
    let expected = |status: &str, reason: &Value| {
        json!({
            "tx_digest": entry["tx_digest"],
            "status": status,
            "expires_after_epoch": epoch,
            "reason": reason,
            "error": null,
            "transaction_ids": [id],
        })
    };
    assert_eq!(foretold(signed.clone()), expected("signed", &Value::Null));

    world.network.advance_epoch().unwrap();
    world
        .until(stack, |now| now["tx_digest"] != entry["tx_digest"])
        .await;
    world.network.clear_faults();
    assert_eq!(asked.await.unwrap().0, 200);
    let told = transaction(&world, &entry["tx_digest"]).await;
    assert_eq!(told["status"], "succeeded");
    let attempts = told["attempts"].as_array().unwrap();
    let reason = &attempts[0]["reason"];
    assert!(reason.as_str().unwrap().len() > 10, "{reason}");
    assert_eq!(foretold(attempts[0].clone()), expected("dead", reason));
    assert_eq!(attempts.last().unwrap()["tx_digest"], told["tx_digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_names_all_that_it_carries_and_each_of_them_is_found_by_it() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = served(&world, 1, 3).await;
    world.settle(&stacks).await;
    world.network.advance_epoch().unwrap();
    let answer = world.claim(&stacks).await;
    let digest = &answer["tx_digest"];
    let results = answer["results"].as_array().unwrap();
    let ids: Vec<&Value> = results.iter().map(|one| &one["transaction_id"]).collect();
    assert_eq!(ids.len(), 3);

    let first = transaction(&world, digest).await;
    let carried = &first["attempts"][0]["transaction_ids"];
    assert_eq!(&first["transaction_id"], &carried[0]);
    assert_eq!(carried, &json!(ids));
    let path = format!("/transactions?tx_digest={}", digest.as_str().unwrap());
    let listed = world.list(&path).await;
    assert_eq!(listed.len(), 3);
    for (id, entry) in ids.iter().rev().zip(&listed) {
        let told = transaction(&world, id).await;
        assert_eq!(told["attempts"], first["attempts"]);
        assert_eq!(&summary(told), entry);
    }

    // The mirror has met it at the latest with what happened after it.
    world.buy_one(1, 1, 1_000, 1_000).await;
    let told = transaction(&world, ids[2]).await;
    assert!(told["attempts"][0]["checkpoint"].is_u64(), "{told}");

    // With others, and page by page.
    let count = async |query: &str| world.list(&format!("/transactions?{query}")).await.len();
    assert_eq!(count("kind=claim_stack").await, 3);
    assert_eq!(count("kind=settle_stack&status=succeeded").await, 3);
    assert_eq!(count("kind=settle_stack&status=failed").await, 0);
    assert_eq!(count(&format!("stack_small_id={}", stacks[0])).await, 2);
    let one = format!("stack_small_id={}&kind=claim_stack", stacks[0]);
    assert_eq!(count(&one).await, 1);
    assert_eq!(count("node_small_id=1&kind=register_node").await, 0);
    assert_eq!(count("kind=register_node").await, 1);
    let digest = digest.as_str().unwrap();
    assert_eq!(count(&format!("tx_digest={digest}&limit=2")).await, 2);
    let unknown = "1".repeat(32);
    assert_eq!(count(&format!("tx_digest={unknown}")).await, 0);
    for query in ["kind=claim", "tx_digest=not-a-digest", "status=lost"] {
        let refused = world.get(&format!("/transactions?{query}")).await;
        assert_refused(&refused, 400, "invalid_request");
    }
}

/// The contract's word stands by the attempt that it was spoken to, and by the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn an_abort_is_told_with_its_name_and_advice() {
    let world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    // One that succeeds, so that the next of its kind is sent unsimulated.
    let stacks = served(&world, 1, 2).await;
    for stack in &stacks {
        world.draw(*stack, &[2]);
    }
    world.settle(&stacks[..1]).await;
    // Its entry in the contract's list of subscribers lasts until the next purchase.
    let body = json!({"task_small_id": 1, "node_small_id": 2});
    world.done("/task_unsubscribe", body).await;
    let body = json!({"stack_small_ids": [stacks[1]]});
    let (_, answer) = world.post("/try_settle_stack_ids", body).await;
    let told = transaction(&world, &answer["results"][0]["transaction_id"]).await;
    assert_eq!(told["status"], "failed", "{told}");
    let aborted = &told["attempts"][0];
    assert_eq!(aborted["status"], "aborted");
    assert_eq!(aborted["error"], told["error"]);
    assert_eq!(aborted["error"]["code"], "contract_abort");
    let details = &aborted["error"]["details"];
    assert!(details["abort_code"].is_u64(), "{details}");
    assert!(details["function"].is_string(), "{details}");
    let sentence = aborted["error"]["error"].as_str().unwrap();
    let name = details["abort_name"].as_str().unwrap();
    assert!(sentence.contains(name), "{sentence}");
    assert_eq!(foretold(aborted.clone())["reason"], Value::Null);
}
