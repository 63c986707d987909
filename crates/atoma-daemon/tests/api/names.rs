//! The later names of endpoints, the tags of lists, compression, and the document.

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, LINK};
use serde_json::json;

use crate::support::{NONE, TestWorld};

#[tokio::test]
async fn later_names_answer_the_same() {
    let world = TestWorld::start(&[NONE], 2).await;
    for (name, later) in [
        ("/subscriptions/1", "/subscriptions/nodes/1"),
        ("/stacks/1", "/stacks/nodes/1"),
        ("/claimed_stacks/1", "/claimed-stacks/nodes/1"),
        (
            "/against_attestation_disputes/1",
            "/attestation_disputes/against/nodes/1",
        ),
        (
            "/own_attestation_disputes/1",
            "/attestation_disputes/own/nodes/1",
        ),
        (
            "/almost_filled_stacks/1/0.5",
            "/stacks/nodes/1?min_fill_fraction=0.5",
        ),
    ] {
        let (status, body) = world.get(name).await;
        assert_eq!(status, 200);
        assert_eq!(world.get(later).await, (status, body), "{later}");
    }
    for (path, body) in [
        ("/nodes/register", json!({"additional": true})),
        (
            "/nodes/task-update-subscription",
            json!({"task_small_id": 1, "price_per_compute_unit": 2, "node_small_id": 1}),
        ),
    ] {
        let answer = world.post_ok(&format!("{path}?dry_run=true"), body).await;
        assert_eq!(answer["dry_run"], true, "{path}");
    }
    for path in [
        "/nodes/claim-funds",
        "/nodes/task-subscribe",
        "/nodes/model-subscribe",
    ] {
        let (status, body) = world.post(path, json!({})).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (400, Some("invalid_request")),
            "{path}"
        );
    }
    let request = world
        .api
        .request(Method::DELETE, "/nodes/task-unsubscribe?dry_run=true");
    let response = request
        .json(&json!({"task_small_id": 1, "node_small_id": 1}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn nodes_come_in_pages() {
    let world = TestWorld::start(&[NONE], 2).await;
    let response = world
        .api
        .request(Method::GET, "/nodes?limit=1")
        .send()
        .await
        .unwrap();
    let link = response.headers()[LINK].to_str().unwrap().to_owned();
    assert_eq!(link, "</nodes?limit=1&cursor=1>; rel=\"next\"");
    let (_, second) = world.get("/nodes?limit=1&cursor=1").await;
    assert_eq!(second[0]["node_small_id"], 2);
    assert_eq!(second.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_that_a_client_has_is_not_sent_again() {
    let world = TestWorld::start(&[NONE], 1).await;
    let tasks = || world.api.request(Method::GET, "/tasks");
    let tag = tasks().send().await.unwrap().headers()[ETAG].clone();
    for known in [
        tag.to_str().unwrap(),
        "*",
        &format!("\"x\", {}", tag.to_str().unwrap()),
    ] {
        let again = tasks().header(IF_NONE_MATCH, known).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(again.headers()[ETAG], tag);
        assert!(again.bytes().await.unwrap().is_empty());
    }
    let other = tasks()
        .header(IF_NONE_MATCH, "W/\"x\"")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn the_document_is_served_and_shown() {
    let world = TestWorld::start(&[NONE], 1).await;
    let (status, served) = world.get("/openapi.json").await;
    assert_eq!(status, 200);
    assert_eq!(served, serde_json::to_value(atoma_api::document()).unwrap());

    let request = world.api.request(Method::GET, "/openapi.json");
    let packed = request
        .header(ACCEPT_ENCODING, "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < served.to_string().len() / 4);

    let page = world
        .api
        .request(Method::GET, "/swagger-ui")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("swagger-ui"));
    let script = world
        .api
        .request(Method::GET, "/swagger-ui/swagger-initializer.js");
    let script = script.send().await.unwrap().text().await.unwrap();
    assert!(script.contains("/openapi.json"), "{script}");
}
