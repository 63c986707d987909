//! The HTTP side of the API: methods, parameters, hosts, what the parser itself refuses, readiness.

use reqwest::Method;
use reqwest::header::ALLOW;
use serde_json::{Value, json};

use crate::support::gated::Setup;
use crate::support::raw::{exchange, receive, receive_all, send};
use crate::support::work::{READS, dump, populated};
use crate::support::{NONE, TestWorld, answer, assert_refused};

const SETTLE: &str = "/try_settle_stack_ids";

/// A request that moves money doesn't do so if a parameter is misspelt.
#[tokio::test]
async fn a_misspelt_parameter_is_named_and_nothing_is_executed() {
    let world = populated().await;
    let before = dump(&world).await;
    let writes = [
        SETTLE,
        "/submit_stack_settlement_attestations",
        "/claim_funds",
        "/register",
        "/model_subscribe",
        "/task_subscribe",
        "/task_update_subscription",
        "/task_unsubscribe",
        "/rotate_node_key",
        "/start_attestation_dispute",
    ];
    for path in writes {
        for misspelt in ["dryrun", "dry-run", "Dry_Run"] {
            let body = json!({"stack_small_ids": [4], "additional": true});
            let refused = world.post(&format!("{path}?{misspelt}=true"), body).await;
            assert_refused(&refused, 400, "invalid_request");
            let sentence = refused.1["error"].as_str().unwrap();
            assert!(
                sentence.starts_with(&format!("`{misspelt}` ")),
                "{sentence}"
            );
            assert!(sentence.contains("`dry_run`"), "{sentence}");
        }
    }
    // What can't be simulated takes no `dry_run`, misspelt or not.
    for given in ["dryrun", "dry_run"] {
        let path = format!("/transactions/1/abandon?{given}=true");
        let refused = world.post(&path, json!({})).await;
        assert_refused(&refused, 400, "invalid_request");
        let sentence = refused.1["error"].as_str().unwrap();
        assert!(sentence.starts_with(&format!("`{given}` ")), "{sentence}");
    }
    let message = json!({"stack_small_id": 4, "message_hash": format!("0x{:064x}", 1), "num_compute_units": 1});
    let refused = world.post("/stack_messages?dryrun=true", message).await;
    assert_refused(&refused, 400, "invalid_request");
    for path in READS
        .iter()
        .chain(&["/health", "/ready", "/transactions/1"])
    {
        let refused = world.get(&format!("{path}?limits=1")).await;
        assert_refused(&refused, 400, "invalid_request");
        assert!(refused.1["error"].as_str().unwrap().starts_with("`limits`"));
    }
    let hidden = json!({"stack_small_ids": [4], "dry_run": true});
    assert_refused(&world.post(SETTLE, hidden).await, 400, "invalid_request");
    assert_eq!(world.ticket(4), Value::Null);
    assert_eq!(dump(&world).await, before);
}

#[tokio::test]
async fn a_false_dry_run_is_the_same_request() {
    let world = populated().await;
    let settle = async |query: &str| {
        let request = world
            .api
            .request(Method::POST, &format!("{SETTLE}{query}"))
            .header("Idempotency-Key", "once")
            .json(&json!({"stack_small_ids": [4]}));
        answer(request).await
    };
    let first = settle("").await;
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(settle("?dry_run=false").await, first);
    assert_eq!(world.journal_entries(4).await.len(), 1);
}

#[tokio::test]
async fn head_is_answered_like_get_and_405_names_the_methods() {
    let world = populated().await;
    for path in READS
        .iter()
        .chain(&["/health", "/ready", "/transactions/1"])
    {
        let get = world.api.request(Method::GET, path).send().await.unwrap();
        let head = world.api.request(Method::HEAD, path).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(
            head.headers().get("content-length"),
            get.headers().get("content-length"),
            "{path}"
        );
        assert!(head.headers().contains_key("x-request-id"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    for (method, path, allowed) in [
        (Method::POST, "/stacks", "GET, HEAD"),
        (Method::DELETE, "/health", "GET, HEAD"),
        (Method::GET, "/register", "POST"),
        (Method::HEAD, SETTLE, "POST"),
        (Method::PUT, "/transactions/1/abandon", "POST"),
    ] {
        let refused = world.api.request(method, path).send().await.unwrap();
        assert_eq!(refused.status(), 405, "{path}");
        assert_eq!(refused.headers()[ALLOW], allowed, "{path}");
    }
}

/// The parser refuses these before the API sees them.
#[tokio::test]
async fn what_the_parser_refuses_has_the_body_of_an_error() {
    let world = TestWorld::unregistered().await;
    let long = "x".repeat(200_000);
    for (request, status, code) in [
        (String::from("nonsense\r\n\r\n"), 400, "invalid_request"),
        (
            String::from("GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n"),
            400,
            "invalid_request",
        ),
        (
            format!("GET /health HTTP/1.1\r\nHost: localhost\r\nx: {long}\r\n\r\n"),
            431,
            "head_too_large",
        ),
        (
            String::from("GET /health HTTP/1.1\r\n"),
            408,
            "request_timeout",
        ),
    ] {
        let refused = exchange(&world.api, &request).await;
        assert_refused(&refused.answer, status, code);
        assert!(refused.head.contains("content-type: application/json"));
    }
    // The first of two is answered as always.
    let both = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n";
    let answers = receive_all(send(&world.api, both.as_bytes()).await).await;
    let [answered, refused] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!(answered.answer.0, 200, "{answered:?}");
    assert_refused(&refused.answer, 400, "invalid_request");
}

#[tokio::test]
async fn hosts_and_origins_are_read_strictly() {
    let world = TestWorld::unregistered().await;
    let request = async |target: &str, headers: &[&str]| {
        let headers: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let request = format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        exchange(&world.api, &request).await.answer
    };
    let own = "Host: 127.0.0.1:3000";
    for headers in [
        &[own][..],
        &["Host: localhost"],
        &["Host: [::1]:3000"],
        &[own, "Origin: http://127.0.0.1:3000"],
    ] {
        assert_eq!(request("/health", headers).await.0, 200, "{headers:?}");
    }
    let absolute = "http://127.0.0.1:3000/health";
    assert_eq!(request(absolute, &[own]).await.0, 200);
    for (target, headers) in [
        ("/health", &["Host: [::1].evil.example:1"][..]),
        ("/health", &["Host: localhost:evil.example"]),
        ("/health", &["Host: 127.0.0.1:3000@evil.example"]),
        ("/health", &[]),
        ("/health", &[own, own]),
        ("/health", &[own, "Host: evil.example"]),
        ("http://evil.example/health", &[own]),
        ("http://127.0.0.1:3000@evil.example/health", &[own]),
        ("/health", &[own, "Origin: https://127.0.0.1:3000"]),
        (
            "/health",
            &[
                own,
                "Origin: http://127.0.0.1:3000",
                "Origin: http://evil.example",
            ],
        ),
    ] {
        let refused = request(target, headers).await;
        // The parser itself refuses some of them.
        match refused.0 {
            400 => assert_refused(&refused, 400, "invalid_request"),
            _ => assert_refused(&refused, 403, "forbidden"),
        }
    }
}

#[tokio::test]
async fn an_allowed_host_may_name_its_port_and_another_form_stops_the_start() {
    let mut world = TestWorld::unregistered().await;
    world
        .restart_with("allowed_hosts = [\"node.example:8080\"]")
        .await;
    for (host, status) in [("node.example:8080", 200), ("node.example:8081", 403)] {
        let request = world.api.request(Method::GET, "/health");
        assert_eq!(
            answer(request.header("Host", host)).await.0,
            status,
            "{host}"
        );
    }
    world.stop().await;
    world.configure("allowed_hosts = [\"http://node.example\"]");
    let stopping = tokio_util::sync::CancellationToken::new();
    let refused = crate::support::build(world.dir.path(), stopping).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("\"http://node.example\""), "{refused}");
}

#[tokio::test]
async fn a_bad_value_names_its_parameter() {
    let world = populated().await;
    for (path, name) in [
        ("/transactions?tx_digest=foo", "tx_digest"),
        ("/transactions?tx_digest=", "tx_digest"),
        ("/transactions?stack_small_id=four", "stack_small_id"),
        ("/transactions?node_small_id=-1", "node_small_id"),
        ("/transactions?node_small_id=%2B1", "node_small_id"),
        ("/transactions?kind=nothing", "kind"),
        ("/transactions?status=done", "status"),
        ("/transactions?status=failed&status=queued", "status"),
        ("/transactions?limit=0", "limit"),
        ("/transactions?cursor=x", "cursor"),
        ("/transactions/foo", "id"),
        ("/stacks/one", "node_small_id"),
    ] {
        let refused = world.get(path).await;
        assert_refused(&refused, 400, "invalid_request");
        let sentence = refused.1["error"].as_str().unwrap();
        assert!(
            sentence.contains(&format!("`{name}`")),
            "{path}: {sentence}"
        );
        assert!(!sentence.contains("invalid digit"), "{path}: {sentence}");
    }
    let body = json!({"stack_small_ids": [4], "gas_budget": "9"});
    let refused = world.post(SETTLE, body).await;
    assert_eq!(
        refused.1["error"],
        "`gas_budget` must be an integer from 0 to 2^64 - 1, not \"9\"."
    );
}

/// Units that are not claimed are paid back to the buyer.
#[tokio::test]
async fn claiming_less_than_was_computed_warns() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 2, 450_000).await;
    }
    let claim = |units: u64| json!({"stack_small_ids": stacks, "num_claimed_compute_units": units});
    let dry = format!("{SETTLE}?dry_run=true");
    for (units, warned) in [
        (0, true),
        (899_999, true),
        (900_000, false),
        (900_001, true),
    ] {
        let answer = world.post_ok(&dry, claim(units)).await;
        let warnings = answer["results"][1]["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(warned), "{units}: {answer}");
    }
    let answer = world.post_ok(SETTLE, claim(0)).await;
    let warning = answer["results"][0]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("only 0 of the 900000"), "{warning}");
}

#[tokio::test]
async fn a_disk_that_takes_no_write_is_a_reason_not_to_be_ready() {
    let world = TestWorld::unregistered().await;
    // Where the daemon tries a write, there is something in the way.
    let probe = world.dir.path().join("data").join("atoma.sqlite.probe");
    std::fs::create_dir(&probe).unwrap();
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 503, "{ready}");
    let reasons = ready["details"]["reasons"].to_string();
    assert!(
        reasons.contains("the disk of the database takes no write"),
        "{reasons}"
    );
    std::fs::remove_dir(&probe).unwrap();
    world.until_ready().await;
    assert!(!probe.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_journal_is_a_reason_and_no_internal_error() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let gates = world.restart_gated(Setup::default()).await;
    world.until_ready().await;
    gates.close_database().await;
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 503, "{ready}");
    assert_eq!(ready["code"], "not_ready");
    assert!(ready.as_object().unwrap().contains_key("brakes"));
    let reasons = ready["details"]["reasons"].to_string();
    assert!(reasons.contains("the journal can't be read"), "{reasons}");
}

#[tokio::test]
async fn a_body_that_stops_is_answered() {
    let world = TestWorld::unregistered().await;
    let head = "POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{";
    let refused = receive(send(&world.api, head.as_bytes()).await).await;
    assert_refused(&refused.answer, 413, "body_too_large");
}

/// A misspelt `allow_dispute` must not go unnoticed, and neither may any other ignored field.
#[tokio::test(flavor = "multi_thread")]
async fn ignored_fields_are_named_in_the_warnings_of_the_answer() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record_one(stack, 0, 10).await;
    let warning = |name: &str, meant: &str| {
        json!([format!(
            "`{name}` is not a field of this request and was ignored; did you mean `{meant}`?"
        )])
    };
    let settled = json!({"stack_small_ids": [stack], "num_claimed_compute_unit": 5});
    let answer = world.post_ok("/try_settle_stack_ids", settled).await;
    assert_eq!(
        answer["results"][0]["warnings"],
        warning("num_claimed_compute_unit", "num_claimed_compute_units")
    );
    let attested = json!({"stack_small_ids": [stack], "allow_disput": true});
    let (_, answer) = world
        .post("/submit_stack_settlement_attestations", attested)
        .await;
    assert_eq!(
        answer["results"][0]["warnings"],
        warning("allow_disput", "allow_dispute")
    );
    let claimed = json!({"stack_small_ids": [stack], "gas_prise": 1});
    let (_, answer) = world.post("/claim_funds", claimed).await;
    assert_eq!(
        answer["results"][0]["warnings"],
        warning("gas_prise", "gas_price")
    );
    let changed = json!({"task_small_id": 1, "price_per_compute_unit": 1, "node_smal_id": 1});
    let answer = world.post_ok("/task_update_subscription", changed).await;
    assert_eq!(answer["warnings"], warning("node_smal_id", "node_small_id"));
}
