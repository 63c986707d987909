//! Requests to a daemon whose memory is measured.

use serde_json::Value;

/// Posts a request and returns its answer.
pub(crate) async fn post(client: &reqwest::Client, addr: &str, path: &str, body: &Value) -> Value {
    let answer = client
        .post(format!("http://{addr}{path}"))
        .json(body)
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}
