//! A client of the HTTP API.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use super::described::assert_described;

/// Longer than a daemon lets any request wait. An answer that takes longer fails the test.
const LONGEST_ANSWER: Duration = Duration::from_secs(180);

/// An answer's status and body. The body is `null` if it isn't JSON.
pub(crate) type Answer = (u16, Value);

/// A client of a daemon's API.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            client: Client::builder().timeout(LONGEST_ANSWER).build().unwrap(),
            base: format!("http://{addr}"),
        }
    }

    /// Its address and port.
    pub(crate) fn addr(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.answer(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.answer(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.answer(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.answer(Method::DELETE, path, None).await
    }

    /// Sends a request, and checks the response against the OpenAPI document.
    async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, body) = answer(request).await;
        assert_described(&method, path, status, &body);
        (status, body)
    }
}

/// Sends a request.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status: StatusCode = response.status();
    let body = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (status.as_u16(), body)
}

/// Checks an error's status and code, and that it has a message.
#[track_caller]
pub(crate) fn assert_refused((status, body): &Answer, expected: u16, code: &str) {
    assert_eq!(
        (*status, body["code"].as_str()),
        (expected, Some(code)),
        "{body}"
    );
    assert!(body["error"].as_str().unwrap().len() > 10, "{body}");
}
