//! What the daemon shows of its state: fields, types, order and paging.

use reqwest::Method;
use reqwest::header::LINK;
use serde_json::{Value, json};

use crate::support::described::assert_query_described;
use crate::support::journal::summary;
use crate::support::work::{message, root};
use crate::support::{CONFIDENTIAL, NONE, SAMPLING, TestWorld};

/// Whether a value is a hash or an id: `0x` and 64 lower-case hexadecimal digits.
fn is_hex32(value: &Value) -> bool {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    digits.is_some_and(|digits| {
        digits.len() == 64
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// Removes hashes and ids, whose values vary, from an object after checking their form.
#[track_caller]
fn without_ids(mut object: Value, fields: &[&str]) -> Value {
    for field in fields {
        let taken = object.as_object_mut().unwrap().remove(*field);
        let taken = taken.unwrap_or(Value::Null);
        assert!(is_hex32(&taken), "`{field}` is {taken}");
    }
    object
}

#[tokio::test]
async fn tasks_and_subscriptions_have_their_fields() {
    let world = TestWorld::start(&[NONE, CONFIDENTIAL, SAMPLING], 2).await;
    let tasks = world.list("/tasks").await;
    assert_eq!(tasks.len(), 3);
    for (task, level) in tasks.into_iter().zip(0..) {
        let expected = json!({
            "task_small_id": level + 1,
            "role": 1,
            "model_name": format!("model-of-level-{level}"),
            "is_deprecated": false,
            "valid_until_epoch": null,
            "deprecated_at_epoch": null,
            "removed_at_epoch": null,
            "security_level": level,
            "minimum_reputation_score": null,
        });
        let mut task = without_ids(task, &["task_id"]);
        // The contract stores 0 if no score was given.
        if task["minimum_reputation_score"] == 0 {
            task["minimum_reputation_score"] = Value::Null;
        }
        assert_eq!(task, expected);
    }
    let offers = world.list("/subscriptions").await;
    assert_eq!(offers.len(), 6);
    let expected = json!({
        "node_small_id": 1,
        "task_small_id": 1,
        "price_per_compute_unit": 0.000_001,
        "price_per_one_million_compute_units": 1,
        "max_num_compute_units": 1_000_000,
        "valid": true,
    });
    assert_eq!(offers[0], expected);
    let of_two = world.list("/subscriptions/2").await;
    assert_eq!(of_two, offers[3..]);
    assert!(of_two.iter().all(|offer| offer["node_small_id"] == 2));
}

#[tokio::test]
async fn stacks_have_their_fields_and_only_the_operators_are_listed() {
    let world = TestWorld::start(&[NONE], 2).await;
    let stack = world.buy_one(1, 2, 1_000, 2_000).await;
    let view = world.stack(stack).await;
    assert_eq!(view["merkle_root"], Value::Null);
    world.record(stack, 3, 100).await;
    let view = without_ids(world.stack(stack).await, &["stack_id"]);
    let expected = json!({
        "stack_small_id": stack,
        "owner_address": world.network.buyer().to_string(),
        "task_small_id": 1,
        "selected_node_id": 2,
        "num_compute_units": 1_000,
        "price_per_one_million_compute_units": 2_000,
        "already_computed_units": 300,
        "reserved_units": 0,
        "free_units": 700,
        "in_settle_period": false,
        "num_total_messages": 3,
        "merkle_root": root(stack, 3),
        "is_claimed": false,
    });
    assert_eq!(view, expected);
    assert_eq!(world.list("/stacks/2").await.len(), 1);
    // The stack that `TestWorld::start` bought.
    assert_eq!(world.list("/stacks/1").await.len(), 1);
    world.settle(&[stack]).await;
    assert_eq!(world.stack(stack).await["in_settle_period"], true);

    let (demo, seeded) = TestWorld::demo().await;
    let own = demo.list("/stacks").await;
    let foreign = |stack: &Value| {
        !demo
            .nodes
            .contains(&stack["selected_node_id"].as_u64().unwrap())
    };
    assert!(!own.iter().any(foreign));
    assert_eq!(own.len(), seeded.stacks.len() - 1);
    let ids: Vec<u64> = own
        .iter()
        .map(|s| s["stack_small_id"].as_u64().unwrap())
        .collect();
    assert!(ids.is_sorted());
}

#[tokio::test]
async fn almost_filled_means_more_than_the_fraction() {
    let world = TestWorld::start(&[NONE], 2).await;
    let first = world.buy(1, 1, 1_000, 1_000, 2).await;
    let second = world.buy_one(1, 2, 1_000, 1_000).await;
    world.record(first[0], 1, 500).await;
    world.record(first[1], 1, 501).await;
    world.record(second, 1, 1_000).await;
    let ids = async |path: &str| {
        let stacks = world.list(path).await;
        let ids = stacks.iter().map(|s| s["stack_small_id"].as_u64().unwrap());
        ids.collect::<Vec<u64>>()
    };
    assert_eq!(ids("/almost_filled_stacks/0.5").await, [first[1], second]);
    assert_eq!(
        ids("/almost_filled_stacks/0").await,
        [first[0], first[1], second]
    );
    assert_eq!(ids("/almost_filled_stacks/0.501").await, [second]);
    assert!(ids("/almost_filled_stacks/1").await.is_empty());
    assert_eq!(ids("/almost_filled_stacks/1/0.5").await, [first[1]]);
    assert_eq!(ids("/almost_filled_stacks/2/0.5").await, [second]);
}

#[tokio::test]
async fn claimed_stacks_and_disputes_have_their_fields() {
    let world = TestWorld::start(&[SAMPLING], 3).await;
    world.parameters(json!({"cross_validation_extra_nodes_count": 2}));
    let stacks = world.buy(1, 1, 1_000, 1_000_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
        world.draw(*stack, &[3, 2]);
    }
    let other = json!({
        "stack_small_id": stacks[1],
        "message_hash": message(stacks[1], 9),
        "num_compute_units": 100,
        "node_small_id": 2,
    });
    world.post_ok("/stack_messages", other).await;
    let epoch = world.network.epoch();
    world.settle(&stacks).await;
    let body = json!({"stack_small_ids": [stacks[0]], "node_small_id": 2});
    let path = "/submit_stack_settlement_attestations";
    world.post_ok(path, body).await;
    let mut view = without_ids(
        world.settled(stacks[0]).await,
        &["stack_id", "committed_stack_proof"],
    );
    let time = view.as_object_mut().unwrap().remove("settlement_time");
    let time = time.unwrap().as_str().unwrap().to_owned();
    assert!(
        time.starts_with("20") && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    let expected = json!({
        "stack_small_id": stacks[0],
        "selected_node_id": 1,
        "num_claimed_compute_units": 200,
        "attestation_status": "Pending",
        "requested_attestation_nodes": "[3, 2]",
        "received_attestations": 1,
        "required_attestations": 2,
        "settlement_complete": false,
        "dispute_settled_at_epoch": epoch + 1,
        "is_in_dispute": false,
        "is_claimed": false,
        "user_refund_amount": 0,
    });
    assert_eq!(view, expected);

    let disputed = json!({"stack_small_id": stacks[1], "node_small_id": 2});
    world.post_ok("/start_attestation_dispute", disputed).await;
    let disputes = world.list("/against_attestation_disputes").await;
    assert_eq!(
        disputes,
        world.list("/against_attestation_disputes/1").await
    );
    assert_eq!(disputes, world.list("/own_attestation_disputes").await);
    assert_eq!(disputes, world.list("/own_attestation_disputes/2").await);
    assert!(
        world
            .list("/against_attestation_disputes/2")
            .await
            .is_empty()
    );
    assert_ne!(disputes[0]["disputed_hash"], disputes[0]["original_hash"]);
    let dispute = without_ids(disputes[0].clone(), &["disputed_hash", "original_hash"]);
    let expected = json!({
        "dispute_id": stacks[1],
        "stack_small_id": stacks[1],
        "plaintiff_node_id": 2,
        "defendant_node_id": 1,
        "disputed_attestation_index": 1,
        "resolution_status": "Pending",
        "created_at_epoch": epoch,
        "resolved_at_epoch": null,
    });
    assert_eq!(dispute, expected);
    let listed = world.list("/claimed_stacks/1").await;
    assert_eq!(listed, world.list("/claimed_stacks").await);
    assert!(world.list("/claimed_stacks/2").await.is_empty());

    // Claimed although an attestation is missing.
    world.network.advance_epoch().unwrap();
    world.claim(&[stacks[0]]).await;
    let view = world.settled(stacks[0]).await;
    assert_eq!(view["attestation_status"], "Failed");
    assert_eq!(view["is_claimed"], true);
    assert_eq!(view["user_refund_amount"], 960);
}

#[tokio::test]
async fn transactions_are_found_by_number_and_by_digest() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record(stack, 1, 100).await;
    let answer = world.settle(&[stack]).await;
    let result = &answer["results"][0];
    let (_, by_number) = world
        .get(&format!("/transactions/{}", result["transaction_id"]))
        .await;
    let digest = result["tx_digest"].as_str().unwrap();
    let (_, by_digest) = world.get(&format!("/transactions/{digest}")).await;
    assert_eq!(by_number, by_digest);
    let listed = world.list("/transactions").await;
    let mut view = summary(by_number);
    assert!(listed.contains(&view));
    for time in ["created_at", "updated_at"] {
        let shown = view.as_object_mut().unwrap().remove(time).unwrap();
        assert!(shown.as_str().unwrap().ends_with('Z'), "{time}: {shown}");
    }
    let expected = json!({
        "transaction_id": result["transaction_id"],
        "kind": "settle_stack",
        "status": "succeeded",
        "tx_digest": digest,
        "node_small_id": 1,
        "stack_small_ids": [stack],
        "error": null,
    });
    assert_eq!(view, expected);
    // Newest first.
    let kinds: Vec<_> = listed.iter().map(|t| t["kind"].clone()).collect();
    let expected = ["settle_stack", "subscribe_to_task", "register_node"];
    assert_eq!(json!(kinds), json!(expected));
    assert_eq!(listed[2]["node_small_id"], Value::Null);
}

/// Reads a list by its `Link` headers, two entries per page.
async fn in_pages(world: &TestWorld, path: &str) -> (Vec<Value>, usize) {
    let mut entries = Vec::new();
    let mut next = Some(format!("{path}?limit=2"));
    let mut pages = 0;
    while let Some(path) = next {
        assert_query_described(&Method::GET, &path);
        let request = world.api.request(Method::GET, &path);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let link = response.headers().get(LINK).cloned();
        next = link.map(|link| {
            let link = link.to_str().unwrap();
            let (target, relation) = link.split_once('>').unwrap();
            assert!(relation.contains("rel=\"next\""), "{link}");
            target.trim_start_matches('<').to_owned()
        });
        let page: Vec<Value> = response.json().await.unwrap();
        assert!(page.len() == 2 || next.is_none(), "a page is too small");
        entries.extend(page);
        pages += 1;
    }
    (entries, pages)
}

#[tokio::test]
async fn the_pages_of_a_list_make_up_the_whole() {
    let world = TestWorld::start(&[NONE, SAMPLING], 3).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 4).await;
    for stack in &stacks {
        world.record(*stack, 1, 900).await;
    }
    world.settle(&stacks).await;
    for (path, pages) in [
        // A full last page has no next.
        ("/tasks", 1),
        ("/subscriptions", 3),
        ("/subscriptions/1", 1),
        ("/stacks", 3),
        ("/almost_filled_stacks/0.5", 2),
        ("/claimed_stacks", 2),
        ("/transactions", 7),
    ] {
        let whole = world.list(path).await;
        assert_eq!(in_pages(&world, path).await, (whole, pages), "{path}");
    }
    // Two keys to a page.
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record(*stack, 1, 900).await;
        world.draw(*stack, &[2]);
    }
    world.settle(&stacks).await;
    let due = world.list("/attestations_due").await;
    assert_eq!(due.len(), 3);
    assert_eq!(in_pages(&world, "/attestations_due").await, (due, 2));
    let request = world.api.request(Method::GET, "/stacks?limit=5");
    let response = request.send().await.unwrap();
    assert!(!response.headers().contains_key(LINK));
}

/// Small ids have up to 20 digits.
#[tokio::test]
async fn the_document_allows_every_cursor_that_the_api_takes() {
    let world = TestWorld::start(&[NONE], 1).await;
    let largest = u64::MAX;
    for (path, cursor) in [
        ("/tasks", format!("{largest}")),
        ("/stacks", format!("{largest}")),
        ("/claimed_stacks", format!("{largest}")),
        ("/own_attestation_disputes", format!("{largest}")),
        ("/subscriptions", format!("{largest}-{largest}")),
        ("/attestations_due", format!("{largest}-{largest}")),
    ] {
        let path = format!("{path}?cursor={cursor}");
        let (status, answer) = world.get(&path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        assert_query_described(&Method::GET, &path);
    }
}
