//! Bad input: each kind has a status and a stable code, and changes nothing.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN};
use serde_json::{Value, json};

use crate::support::work::{READS, dump, populated};
use crate::support::{Answer, TestWorld, answer, assert_refused};

/// Checks an error's status, code and shape.
#[track_caller]
fn assert_error((status, body): &Answer, expected: u16, code: &str, what: &str) {
    assert_eq!(*status, expected, "{what}: {body}");
    assert_eq!(body["code"], code, "{what}: {body}");
    let sentence = body["error"].as_str().unwrap();
    assert!(sentence.len() > 10, "{what}: {body}");
}

/// The endpoints that take several stacks.
const BATCHES: &[&str] = &[
    "/try_settle_stack_ids",
    "/submit_stack_settlement_attestations",
    "/claim_funds",
];

#[tokio::test]
async fn bad_lists_of_stacks_are_refused() {
    let world = populated().await;
    let before = dump(&world).await;
    let too_many: Vec<u64> = (1..=1_001).collect();
    for path in BATCHES {
        for ids in [
            json!([]),
            json!(too_many),
            json!([2, 3, 2]),
            json!(2),
            json!("2"),
            json!(["2"]),
            json!([-2]),
            json!([2.5]),
            json!([18_446_744_073_709_551_616_f64]),
            json!(null),
        ] {
            let body = json!({"stack_small_ids": ids});
            let what = format!("{path} {body:.60}");
            let refused = world.post(path, body).await;
            assert_error(&refused, 400, "invalid_request", &what);
        }
        let refused = world.post(path, json!({})).await;
        assert_error(&refused, 400, "invalid_request", path);
        let refused = world
            .post(path, json!({"stack_small_ids": [u64::MAX]}))
            .await;
        assert_error(&refused, 404, "unknown_stack", path);
        let thousand: Vec<u64> = (1_000..2_000).collect();
        let (status, body) = world.post(path, json!({"stack_small_ids": thousand})).await;
        assert_eq!(status, 404);
        assert_eq!(body["results"].as_array().unwrap().len(), 1_000);
    }
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn bad_common_fields_are_refused() {
    let world = populated().await;
    let before = dump(&world).await;
    let badges = world.list("/nodes").await;
    let other = badges[1]["node_badge_id"].clone();
    for path in BATCHES {
        for (fields, status, code) in [
            (json!({"gas": "coin"}), 400, "invalid_request"),
            (json!({"gas": 789}), 400, "invalid_request"),
            (
                json!({"gas": format!("0x{}", "1".repeat(65))}),
                400,
                "invalid_request",
            ),
            (json!({"gas_budget": -1}), 400, "invalid_request"),
            (json!({"gas_budget": "9"}), 400, "invalid_request"),
            (json!({"gas_price": 1.5}), 400, "invalid_request"),
            (json!({"node_small_id": "1"}), 400, "invalid_request"),
            (json!({"node_badge_id": 1}), 400, "invalid_request"),
            (
                json!({"node_small_id": 1, "node_badge_id": other}),
                400,
                "node_mismatch",
            ),
            (json!({"node_small_id": 77}), 404, "unknown_node"),
            (json!({"node_badge_id": "0x789"}), 404, "unknown_badge"),
        ] {
            let mut body = json!({"stack_small_ids": [4]});
            body.as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
            let what = format!("{path} {body}");
            assert_error(&world.post(path, body).await, status, code, &what);
        }
    }
    assert_eq!(dump(&world).await, before);
}

/// A missing coin or an unusable budget fails the stack only, which can be settled afterwards.
#[tokio::test]
async fn unusable_gas_is_refused_and_the_stack_stays_open() {
    let world = populated().await;
    let path = "/try_settle_stack_ids";
    for (fields, code) in [
        (json!({"gas": "0x789"}), "object_not_usable"),
        (
            json!({"gas_budget": 1_000_000_000_000_000_000_u64}),
            "gas_balance_insufficient",
        ),
        (json!({"gas_price": 0}), "gas_price_too_low"),
        (json!({"gas_price": 999}), "gas_price_too_low"),
        (json!({"gas_price": 1_000_000}), "transaction_refused"),
    ] {
        let mut body = json!({"stack_small_ids": [4]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let what = body.to_string();
        assert_error(&world.post(path, body.clone()).await, 422, code, &what);
        let rehearsed = world.post(&format!("{path}?dry_run=true"), body).await;
        assert_error(&rehearsed, 422, code, &what);
    }
    for fields in [json!({"gas_budget": 1}), json!({"gas_price": 1})] {
        let mut body = json!({"stack_small_ids": [4]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let (status, answer) = world.post(path, body).await;
        assert_eq!(status, 422, "{answer}");
    }
    assert_eq!(world.ticket(4), Value::Null);
    world.record_one(4, 2, 10).await;
    world.settle(&[4]).await;
}

#[tokio::test]
async fn bodies_that_are_not_the_right_json_are_refused() {
    let world = populated().await;
    let before = dump(&world).await;
    let send = |path: &str, kind: &'static str, body: Vec<u8>| {
        answer(
            world
                .api
                .request(Method::POST, path)
                .header(CONTENT_TYPE, kind)
                .body(body),
        )
    };
    let good = br#"{"stack_small_ids": [4]}"#.to_vec();
    for path in BATCHES
        .iter()
        .chain(&["/register", "/stack_messages", "/task_subscribe"])
    {
        for body in [
            &b"{"[..],
            b"nonsense",
            b"[1]",
            b"[4, \"0x7777777777777777777777777777777777777777777777777777777777777777\", 1]",
            b"7",
            b"null",
            b"\"text\"",
            b"{\"stack_small_ids\": [4]} and more",
            b"{\"stack_small_ids\": [4], \"stack_small_ids\": [4]}",
            b"\xff\xfe",
        ] {
            let what = format!("{path} {}", String::from_utf8_lossy(body));
            // A known field given twice is an error.
            if body.ends_with(b"[4]}") && !BATCHES.contains(path) {
                continue;
            }
            let refused = send(path, "application/json", body.to_vec()).await;
            assert_error(&refused, 400, "invalid_request", &what);
        }
        let refused = send(path, "text/plain", good.clone()).await;
        assert_error(&refused, 415, "not_json", path);
        let refused = send(path, "application/x-www-form-urlencoded", b"a=b".to_vec()).await;
        assert_error(&refused, 415, "not_json", path);
        let large = format!("{{\"more\": \"{}\"}}", "x".repeat(1 << 20));
        let refused = send(path, "application/json", large.into_bytes()).await;
        assert_error(&refused, 413, "body_too_large", path);
    }
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn bad_messages_are_refused() {
    let world = populated().await;
    let before = dump(&world).await;
    let hash = "0x".to_owned() + &"7".repeat(64);
    let mixed = json!({"stack_small_id": 4, "message_hash": hash, "num_compute_units": 1});
    for (field, value) in [
        ("message_hash", json!("0x12")),
        ("message_hash", json!("0x".to_owned() + &"g".repeat(64))),
        ("message_hash", json!(7)),
        ("num_compute_units", json!(-1)),
        ("num_compute_units", json!("1")),
        ("stack_small_id", json!("4")),
        ("stack_small_id", Value::Null),
    ] {
        let mut body = mixed.clone();
        body[field] = value;
        let what = body.to_string();
        let refused = world.post("/stack_messages", body).await;
        assert_error(&refused, 400, "invalid_request", &what);
    }
    let mut body = mixed.clone();
    body["node_small_id"] = json!(9);
    let refused = world.post("/stack_messages", body).await;
    assert_error(&refused, 404, "unknown_node", "a node of another operator");
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn paths_methods_and_queries_that_do_not_exist_are_answered_in_json() {
    let world = populated().await;
    let before = dump(&world).await;
    for path in ["/nothing", "/stacks/1/2/3", "/try_settle_stack_ids/1"] {
        assert_error(&world.get(path).await, 404, "not_found", path);
    }
    for path in BATCHES.iter().chain(&["/register"]) {
        assert_error(&world.get(path).await, 405, "method_not_allowed", path);
        let refused = answer(world.api.request(Method::DELETE, path)).await;
        assert_error(&refused, 405, "method_not_allowed", path);
    }
    for path in READS {
        let refused = world.post(path, json!({})).await;
        assert_error(&refused, 405, "method_not_allowed", path);
    }
    for path in [
        "/almost_filled_stacks/1.01",
        "/almost_filled_stacks/-0.1",
        "/almost_filled_stacks/NaN",
        "/almost_filled_stacks/inf",
        "/almost_filled_stacks/half",
        "/almost_filled_stacks/1/2",
        "/almost_filled_stacks/one/0.5",
        "/stacks/one",
        "/stacks/-1",
        "/stacks/+1",
        "/stacks?cursor=%2B1",
        "/subscriptions?cursor=1-%2B1",
        "/transactions/+1",
        "/almost_filled_stacks/+0.5",
        "/stacks/18446744073709551616",
        "/subscriptions/1.5",
        "/stacks?limit=0",
        "/stacks?limit=10001",
        "/stacks?limit=-1",
        "/stacks?limit=many",
        "/stacks?cursor=there",
        "/subscriptions?cursor=1",
        "/attestations_due?cursor=1",
        "/attestations_due?cursor=+1-1",
        "/transactions/not-a-digest",
    ] {
        assert_error(&world.get(path).await, 400, "invalid_request", path);
    }
    for path in [
        "/stacks/77",
        "/subscriptions/77",
        "/almost_filled_stacks/77/0.5",
        "/claimed_stacks/77",
        "/attestations_due/77",
        "/own_attestation_disputes/77",
        "/against_attestation_disputes/77",
    ] {
        assert_error(&world.get(path).await, 404, "unknown_node", path);
    }
    let unknown = world.get("/transactions/7777").await;
    assert_error(&unknown, 404, "unknown_transaction", "a number");
    let digest = "11111111111111111111111111111111";
    let unknown = world.get(&format!("/transactions/{digest}")).await;
    assert_error(&unknown, 404, "unknown_transaction", "a digest");
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused_before_any_route() {
    let world = populated().await;
    let before = dump(&world).await;
    for path in ["/health", "/stacks", "/nothing"] {
        for (name, value) in [
            (HOST, "evil.example"),
            (HOST, "127.0.0.1.evil.example:3000"),
            (HOST, "192.168.1.5:3000"),
            (ORIGIN, "http://evil.example"),
            (ORIGIN, "http://127.0.0.1:1"),
            (ORIGIN, "null"),
        ] {
            let what = format!("{path} {name}: {value}");
            let request = world.api.request(Method::GET, path).header(&name, value);
            assert_error(&answer(request).await, 403, "forbidden", &what);
        }
    }
    let body = json!({"stack_small_ids": [4]});
    let request = world.api.request(Method::POST, "/try_settle_stack_ids");
    let request = request.header(ORIGIN, "http://evil.example").json(&body);
    assert_error(&answer(request).await, 403, "forbidden", "a foreign page");
    assert_eq!(world.ticket(4), Value::Null);
    assert_eq!(dump(&world).await, before);
}

/// Unknown fields and short object ids are accepted.
#[tokio::test]
async fn requests_may_have_unknown_fields() {
    let world = populated().await;
    let badge = world.list("/nodes").await[0]["node_badge_id"].clone();
    let body = json!({
        "stack_small_ids": [4],
        "node_badge_id": badge,
        "gas": null,
        "gas_budget": null,
        "comment": "by the nightly script",
        "nested": {"more": [1]},
    });
    let answer = world.post_ok("/try_settle_stack_ids", body).await;
    assert_eq!(answer["results"][0]["status"], "succeeded");
}

/// The files of the viewer have no errors of their own.
#[tokio::test]
async fn an_error_of_the_viewer_has_a_body() {
    let world = TestWorld::unregistered().await;
    assert_refused(&world.get("/swagger-ui/nope").await, 404, "not_found");
    let viewer = world.api.request(Method::GET, "/swagger-ui/");
    assert_eq!(answer(viewer).await.0, 200);
}
