//! Headers of responses: what browsers may do with them, lists that are unchanged, encodings.

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, IF_NONE_MATCH,
    LINK,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::described::assert_described;
use crate::support::raw::exchange;
use crate::support::work::populated;
use crate::support::{TestWorld, answer, assert_refused};

fn assert_protected(path: &str, headers: &HeaderMap) {
    assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    assert_eq!(headers["x-frame-options"], "DENY", "{path}");
    assert_eq!(
        headers["cross-origin-resource-policy"], "same-origin",
        "{path}"
    );
    let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{path}: {policy}"
    );
}

#[tokio::test]
async fn no_page_may_frame_a_response_or_take_it_for_something_else() {
    let world = TestWorld::unregistered().await;
    for (path, scripts) in [
        ("/swagger-ui/", true),
        ("/swagger-ui/swagger-ui-bundle.js", true),
        ("/tasks", false),
        ("/openapi.json", false),
        ("/nowhere", false),
        ("/register", false),
        ("/tasks?limit=0", false),
    ] {
        let response = world.api.request(Method::GET, path).send().await.unwrap();
        assert_protected(path, response.headers());
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert_eq!(policy.contains("script-src 'self'"), scripts, "{path}");
        assert!(!policy.contains("unsafe-eval"), "{path}");
    }
    let foreign = world.api.request(Method::GET, "/tasks");
    let foreign = foreign.header("Origin", "http://evil.example").send().await;
    assert_protected("foreign", foreign.unwrap().headers());
    // The parser refuses this before any middleware.
    let refused = exchange(&world.api, "nonsense\r\n\r\n").await;
    assert!(refused.head.contains("x-content-type-options: nosniff"));
    assert!(
        refused
            .head
            .to_uppercase()
            .contains("X-FRAME-OPTIONS: DENY")
    );
}

#[tokio::test]
async fn a_page_is_unchanged_only_with_the_same_link_to_the_next() {
    let world = populated().await;
    let get = async |path: &str, tag: Option<&str>| {
        let mut request = world.api.request(Method::GET, path);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        request.send().await.unwrap()
    };
    let text = |headers: &HeaderMap, name| headers[name].to_str().unwrap().to_owned();
    // Both have the same entries, and only one of them has a next page.
    let count = world.list("/tasks").await.len();
    let all = format!("/tasks?limit={count}");
    let last = get(&all, None).await;
    assert!(!last.headers().contains_key(LINK));
    let known = text(last.headers(), "etag");
    assert_eq!(
        get(&all, Some(&known)).await.status(),
        StatusCode::NOT_MODIFIED
    );
    world.new_task(0);
    let stack = world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1)
        .await;
    assert!(stack > 0, "the daemon has read all that came before it");
    let first = get(&all, Some(&known)).await;
    assert_eq!(first.status(), StatusCode::OK);
    let (tag, link) = (text(first.headers(), "etag"), text(first.headers(), "link"));
    assert_ne!(tag, known);
    let unchanged = get(&all, Some(&tag)).await;
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(unchanged.headers(), "link"), link);
    assert_eq!(text(unchanged.headers(), "etag"), tag);
    assert_described(&Method::GET, &all, 304, &Value::Null);
    assert!(unchanged.headers().contains_key(ETAG));
    assert!(unchanged.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_encoding_that_nobody_has_is_refused_as_an_error_before_any_work() {
    let world = TestWorld::unregistered().await;
    for (accepted, status, encoding) in [
        ("identity;q=0", 406, None),
        ("*;q=0", 406, None),
        ("br, *;q=0", 406, None),
        ("identity;q=0, gzip", 200, Some("gzip")),
        ("br", 200, None),
        ("gzip;q=0", 200, None),
    ] {
        let request = world.api.request(Method::GET, "/swagger-ui/");
        let response = request.header(ACCEPT_ENCODING, accepted).send().await;
        let response = response.unwrap();
        assert_eq!(response.status().as_u16(), status, "{accepted}");
        let used = response.headers().get(CONTENT_ENCODING);
        let used = used.map(|used| used.to_str().unwrap());
        assert_eq!(used, encoding, "{accepted}");
    }
    let register = world.api.request(Method::POST, "/register");
    let register = register.header(ACCEPT_ENCODING, "identity;q=0");
    let refused = answer(register.json(&json!({}))).await;
    assert_refused(&refused, 406, "not_acceptable");
    assert_described(&Method::POST, "/register", refused.0, &refused.1);
    assert_eq!(world.list("/transactions").await, [Value::Null; 0]);
}
