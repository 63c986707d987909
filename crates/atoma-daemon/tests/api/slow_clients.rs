//! Clients that are slow, many or gone: they bound themselves, and neither served work nor money waits for
//! them.

use std::time::Duration;

use atoma_api::ApiLimits;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::gated::Setup;
use crate::support::process::in_time;
use crate::support::raw::{receive, receive_all, send};
use crate::support::work::READS;
use crate::support::{NONE, TestWorld, assert_refused};

/// The beginning of a settlement with a body of this length.
fn head(length: usize) -> String {
    format!(
        "POST /try_settle_stack_ids HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n"
    )
}

async fn world_with(limits: ApiLimits) -> TestWorld {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    world.restart_gated(setup).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_makes_no_progress_is_refused() {
    let world = world_with(ApiLimits {
        body_idle: Duration::from_millis(50),
        ..ApiLimits::default()
    })
    .await;
    let part = format!("{}{{\"stack_small_ids\": [", head(100));
    let refused = receive(send(&world.api, part.as_bytes()).await).await;
    assert_refused(&refused.answer, 408, "body_timeout");
}

/// Its parts come often enough, but it never ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_refused() {
    let world = world_with(ApiLimits {
        body_whole: Duration::from_millis(200),
        ..ApiLimits::default()
    })
    .await;
    let stream = send(&world.api, head(1 << 20).as_bytes()).await;
    let (reading, mut writing) = stream.into_split();
    let trickling = tokio::spawn(async move {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        while writing.write_all(b" ").await.is_ok() {
            pause.tick().await;
        }
    });
    let mut bytes = [0; 64];
    in_time(reading.readable()).await.unwrap();
    let count = reading.try_read(&mut bytes).unwrap();
    let answer = String::from_utf8_lossy(&bytes[..count]);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    trickling.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_share_a_bounded_memory_and_small_ones_are_always_taken() {
    let world = world_with(ApiLimits {
        body_bytes: 256 << 10,
        ..ApiLimits::default()
    })
    .await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    // Half-sent, and never finished.
    let part = format!("{}{}", head(240 << 10), " ".repeat(200 << 10));
    let mut half = send(&world.api, part.as_bytes()).await;
    let whole = json!({"stack_small_ids": [999], "comment": "x".repeat(150 << 10)});
    let refused = async {
        loop {
            let request = world.api.request(Method::POST, "/try_settle_stack_ids");
            let response = request.json(&whole).send().await.unwrap();
            if response.status() == 503 {
                assert_eq!(response.headers()["retry-after"], "1");
                return response.json::<serde_json::Value>().await.unwrap();
            }
            // The half-sent body has not arrived yet, or it was the one that there was no room for.
            assert_eq!(response.status(), 404);
            if half.try_read(&mut [0; 64]).is_ok() {
                half = send(&world.api, part.as_bytes()).await;
            }
        }
    };
    let body = in_time(refused).await;
    assert_eq!(body["code"], "busy");
    world.record_one(stack, 0, 10).await;
    // Its memory is free once the client leaves.
    drop(half);
    let taken =
        async { while world.post("/try_settle_stack_ids", whole.clone()).await.0 != 404 {} };
    in_time(taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_beyond_their_turns_are_refused_and_nothing_else_is() {
    let world = world_with(ApiLimits {
        lists: 0,
        list_wait: Duration::ZERO,
        ..ApiLimits::default()
    })
    .await;
    let ports = world.operator.ports().clone();
    let filter = atoma_domain::ports::StackFilter {
        nodes: &[],
        filled_beyond: None,
    };
    ports
        .state
        .stacks(filter, atoma_domain::ports::Page::first(1))
        .await
        .unwrap();
    for path in READS.iter().filter(|path| **path != "/nodes") {
        let response = world.api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["code"], "busy", "{path}");
    }
    for path in ["/health", "/ready", "/nodes", "/transactions/1"] {
        assert_eq!(world.get(path).await.0, 200, "{path}");
    }
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record_one(stack, 0, 10).await;
    world.settle(&[stack]).await;
}

/// Two lists wait for their turn and take up all connections. They end with their clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_when_its_client_leaves() {
    let world = world_with(ApiLimits {
        connections: 2,
        lists: 0,
        list_wait: Duration::from_secs(3_600),
        ..ApiLimits::default()
    })
    .await;
    let request = b"GET /stacks HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let waiting = [
        send(&world.api, request).await,
        send(&world.api, request).await,
    ];
    let api = world.api.clone();
    let health = tokio::spawn(async move { api.get("/health").await });
    drop(waiting);
    assert_eq!(in_time(health).await.unwrap().0, 200);
}

/// It asks for more than fits in the system's buffers and reads nothing, so that an answer keeps its
/// place among the lists, until the connection is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_frees_its_list_after_a_while() {
    let world = world_with(ApiLimits {
        list_answers: 1,
        list_wait: Duration::ZERO,
        write_idle: Duration::from_secs(1),
        ..ApiLimits::default()
    })
    .await;
    world.buy(world.tasks[0], 1, 1_000, 1_000, 300).await;
    let request = b"GET /stacks HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    let unread = send(&world.api, &request).await;
    for wanted in [503, 200] {
        in_time(async { while world.api.get("/stacks?limit=1").await.0 != wanted {} }).await;
    }
    drop(unread);
}

/// A client that disconnects cancels nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_goes_on_without_its_client() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let gates = world.restart_gated(Setup::default()).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.record_one(stack, 0, 10).await;
    gates.close("view");
    let body = format!("{{\"stack_small_ids\": [{stack}]}}");
    let request = format!("{}{body}", head(body.len()));
    let stream = send(&world.api, request.as_bytes()).await;
    gates.hangs().await;
    drop(stream);
    gates.open();
    let entries = world.operator.ports().journal.clone();
    let digest = in_time(async {
        loop {
            let filter = atoma_domain::ports::JournalFilter::default();
            let page = atoma_domain::ports::Page::first(1);
            let latest = entries.list(&filter, page).await.unwrap().remove(0);
            if latest.status.is_final() {
                return latest.tx_digest;
            }
        }
    })
    .await;
    assert!(digest.is_some());
}

/// The same before anything is in the journal: the request asks the chain for the epoch.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_on_without_its_client_before_it_is_journalled() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let gates = world.restart_gated(Setup::default()).await;
    gates.close("badges");
    let body = r#"{"additional": false}"#;
    let head = head(body.len()).replace("try_settle_stack_ids", "register");
    let stream = send(&world.api, format!("{head}{body}").as_bytes()).await;
    gates.hangs().await;
    drop(stream);
    gates.open();
    // The address has a badge, so it ends with a refusal; the daemon goes on.
    assert_refused(
        &in_time(world.post("/register", json!({}))).await,
        409,
        "already_registered",
    );
}

/// What follows a request on its connection may be malformed; the request is answered first. One that
/// writes is executed, and its client must learn how it went.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_bytes_behind_a_request_do_not_take_its_answer() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let gates = world.restart_gated(Setup::default()).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    let too_large = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(200_000));
    for (stack, behind, status, code) in [
        (stacks[0], "nonsense\r\n\r\n", 400, "invalid_request"),
        (stacks[1], &too_large, 431, "head_too_large"),
    ] {
        world.record_one(stack, 0, 10).await;
        let body = format!("{{\"stack_small_ids\": [{stack}]}}");
        let head = head(body.len()).replace("Connection: close\r\n", "");
        // The parser meets the rest while the settlement is under way.
        gates.close("view");
        let stream = send(&world.api, format!("{head}{body}{behind}").as_bytes()).await;
        gates.hangs().await;
        gates.open();
        let answers = receive_all(stream).await;
        let [settled, refused] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert_eq!(settled.answer.0, 200, "{}", settled.answer.1);
        assert_eq!(settled.answer.1["results"][0]["status"], "succeeded");
        assert_refused(&refused.answer, status, code);
    }
}
