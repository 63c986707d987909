//! What the API shows about all attempts of a transaction.

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

/// Removes the fields of an attempt whose values vary, after checking them.
#[track_caller]
fn without_times_and_gas(mut attempt: Value) -> Value {
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
    let returned = number("gas_returned");
    assert_eq!(
        returned,
        used.map(|_| 0),
        "nothing comes back by a settlement"
    );
    assert!(used.is_none_or(|used| (1..=budget).contains(&used)));
    // Every executed attempt is in a checkpoint, but not every answer names it.
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
async fn a_transaction_shows_every_attempt_and_why_it_failed() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = served(&world, 1, 1).await[0];
    // The first attempt is cancelled because of congestion.
    world
        .network
        .inject_fault(Fault::once(FaultKind::Congestion));
    let epoch = world.network.epoch();
    let settling = world.spawn_settle(&[stack]);
    let is_cancelled = |entry: &Value| entry["tx_digest"].is_string();
    let entry = world.until_entry(stack, is_cancelled).await;
    let id = &entry["transaction_id"];
    let (status, answer) = settling.await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let digest = answer["tx_digests"][0].clone();

    let shown = transaction(&world, id).await;
    assert_eq!(transaction(&world, &digest).await, shown);
    assert_eq!(shown["status"], "succeeded");
    assert_eq!(shown["tx_digest"], digest);
    let attempts = shown["attempts"].as_array().unwrap();
    let [cancelled, succeeded] = &attempts[..] else {
        panic!("{shown}");
    };
    // The digest of the cancelled attempt finds it, too.
    assert_eq!(transaction(&world, &cancelled["tx_digest"]).await, shown);
    let spent = |attempt: &Value| attempt["gas_used"].as_u64().unwrap();
    assert_eq!(spent(&shown), spent(cancelled) + spent(succeeded));
    assert_eq!(shown["updated_at"], succeeded["concluded_at"]);
    assert_eq!(
        without_times_and_gas(cancelled.clone()),
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
        without_times_and_gas(succeeded.clone()),
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

/// A digest that was sent stays visible permanently, even if it was never executed.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_died_is_still_shown() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = served(&world, 1, 1).await[0];
    world.hold_submissions();
    let settling = world.spawn_settle(&[stack]);
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
    assert_eq!(
        without_times_and_gas(signed.clone()),
        expected("signed", &Value::Null)
    );

    world.network.advance_epoch().unwrap();
    world
        .until_entry(stack, |now| now["tx_digest"] != entry["tx_digest"])
        .await;
    world.network.clear_faults();
    assert_eq!(settling.await.unwrap().0, 200);
    let shown = transaction(&world, &entry["tx_digest"]).await;
    assert_eq!(shown["status"], "succeeded");
    let attempts = shown["attempts"].as_array().unwrap();
    let reason = &attempts[0]["reason"];
    assert!(reason.as_str().unwrap().len() > 10, "{reason}");
    assert_eq!(
        without_times_and_gas(attempts[0].clone()),
        expected("dead", reason)
    );
    assert_eq!(attempts.last().unwrap()["tx_digest"], shown["tx_digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_names_all_its_intents_and_its_digest_finds_each_of_them() {
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
        let shown = transaction(&world, id).await;
        assert_eq!(shown["attempts"], first["attempts"]);
        assert_eq!(&summary(shown), entry);
    }

    // Once the mirror has a later event, it has the claim's checkpoint.
    world.buy_one(1, 1, 1_000, 1_000).await;
    let shown = transaction(&world, ids[2]).await;
    assert!(shown["attempts"][0]["checkpoint"].is_u64(), "{shown}");

    // The filters of the list, combined and with paging.
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

/// The abort is shown with the attempt and with the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn an_abort_is_shown_with_its_name_and_advice() {
    let world = TestWorld::start(&[SAMPLING, NONE], 2).await;
    // After one success, the next settlement is sent without a simulation.
    let stacks = served(&world, 1, 2).await;
    for stack in &stacks {
        world.draw(*stack, &[2]);
    }
    world.settle(&stacks[..1]).await;
    // The contract keeps the node in its list of subscribers until the next purchase.
    let body = json!({"task_small_id": 1, "node_small_id": 2});
    world.post_ok("/task_unsubscribe", body).await;
    let body = json!({"stack_small_ids": [stacks[1]]});
    let (_, answer) = world.post("/try_settle_stack_ids", body).await;
    let shown = transaction(&world, &answer["results"][0]["transaction_id"]).await;
    assert_eq!(shown["status"], "failed", "{shown}");
    let aborted = &shown["attempts"][0];
    assert_eq!(aborted["status"], "aborted");
    assert_eq!(aborted["error"], shown["error"]);
    assert_eq!(aborted["error"]["code"], "contract_abort");
    let details = &aborted["error"]["details"];
    assert!(details["abort_code"].is_u64(), "{details}");
    assert!(details["function"].is_string(), "{details}");
    let sentence = aborted["error"]["error"].as_str().unwrap();
    let name = details["abort_name"].as_str().unwrap();
    assert!(sentence.contains(name), "{sentence}");
    assert_eq!(
        without_times_and_gas(aborted.clone())["reason"],
        Value::Null
    );
}
