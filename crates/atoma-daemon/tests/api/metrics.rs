//! `GET /metrics`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{NONE, SAMPLING, TestWorld};

/// The values, by name and labels.
async fn metrics(world: &TestWorld) -> BTreeMap<String, f64> {
    let request = world.api.request(reqwest::Method::GET, "/metrics");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = response.text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_scrape_tells_what_is_served_and_settled() {
    let world = TestWorld::start(&[NONE, SAMPLING], 2).await;
    world.record(1, 3, 5).await;
    let settled = world
        .post_ok("/try_settle_stack_ids", json!({"stack_small_ids": [1]}))
        .await;
    assert_eq!(settled["results"][0]["status"], "succeeded");
    let values = metrics(&world).await;
    // Two registrations and four subscriptions went before.
    let value = |name: &str| values.get(name).copied();
    assert_eq!(value("atoma_sui_node_up"), Some(1.0));
    assert_eq!(value("atoma_database_readable"), Some(1.0));
    assert_eq!(value("atoma_transactions{status=\"succeeded\"}"), Some(7.0));
    assert_eq!(value("atoma_transactions{status=\"failed\"}"), Some(0.0));
    assert_eq!(
        value("atoma_stacks{node_small_id=\"1\",phase=\"settled\"}"),
        Some(1.0)
    );
    assert!(value("atoma_gas_spent_mist_total").unwrap() > 0.0);
    assert_eq!(value("atoma_brake_held{brake=\"breaker\"}"), Some(0.0));
    assert_eq!(
        value(
            "atoma_http_requests_total{method=\"POST\",route=\"/try_settle_stack_ids\",status=\"200\"}"
        ),
        Some(1.0)
    );
    assert_eq!(
        value("atoma_sui_calls_total{call=\"execute\",outcome=\"ok\"}"),
        Some(7.0)
    );
    assert!(value("atoma_epoch_time_left_seconds").is_some());
    assert!(value("atoma_mirror_lag_seconds").is_some());
}

/// A client can't make series up: neither paths nor methods become labels.
#[tokio::test]
async fn unknown_paths_and_methods_share_a_series() {
    let world = TestWorld::start(&[NONE], 1).await;
    for path in ["/a", "/b", "/stacks/1/2/3"] {
        assert_eq!(world.get(path).await.0, 404);
    }
    for method in ["BREW", "PURGE"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = world.api.request(method, "/nope").send().await.unwrap();
        assert_eq!(response.status(), 404);
    }
    let values = metrics(&world).await;
    let unknown: Vec<_> = values
        .iter()
        .filter(|(name, _)| name.starts_with("atoma_http_requests_total") && name.contains("404"))
        .collect();
    let name = |method| {
        format!("atoma_http_requests_total{{method=\"{method}\",route=\"none\",status=\"404\"}}")
    };
    assert_eq!(unknown, [(&name("GET"), &3.0), (&name("other"), &2.0)]);
}
