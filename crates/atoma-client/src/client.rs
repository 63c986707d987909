//! Sending requests and reading responses.

use std::time::Duration;

use atoma_api_types::ErrorBody;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::{ClientError, Token};

/// The most bytes of a response: a page of 10,000 entries is smaller.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A client of one daemon. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    token: Option<Token>,
    pub(crate) transaction_timeout: Duration,
}

/// A response that was read as a whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The query of the next page.
    pub(crate) next: Option<String>,
    body: Vec<u8>,
}

impl Client {
    pub(crate) const fn new(
        http: reqwest::Client,
        url: Url,
        token: Option<Token>,
        transaction_timeout: Duration,
    ) -> Self {
        Self {
            http,
            url,
            token,
            transaction_timeout,
        }
    }

    /// A request for the path of these segments, below the path of the daemon's URL.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ClientError> {
        // A URL skips such segments, or goes up by them: the path would be that of another endpoint.
        if let Some(&segment) = path
            .iter()
            .find(|segment| matches!(**segment, "" | "." | ".."))
        {
            return Err(ClientError::InvalidSegment {
                segment: segment.to_owned(),
            });
        }
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| ClientError::InvalidUrl)?
            .pop_if_empty()
            .extend(path);
        let request = self.http.request(method, url);
        Ok(match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.header()?),
            None => request,
        })
    }

    /// Sends the request and reads the response.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let transport = |error: reqwest::Error| {
            let error = error.without_url();
            if error.is_builder() {
                ClientError::NotSent(error)
            // Before the time is looked at: connecting has a limit of its own, and comes before sending.
            } else if error.is_connect() {
                ClientError::NotReached(error)
            } else if error.is_timeout() {
                ClientError::TimedOut(error)
            } else {
                ClientError::Transport(error)
            }
        };
        let mut response = request.send().await.map_err(transport)?;
        let status = response.status();
        let next = response
            .headers()
            .get(reqwest::header::LINK)
            .and_then(|link| next_query(link.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len().saturating_add(chunk.len()) > MOST_BYTES {
                return Err(ClientError::TooLarge { most: MOST_BYTES });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, next, body })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ClientError> {
        let request = self.request(Method::GET, path)?;
        self.send(request).await?.decode()
    }
}

impl Answer {
    /// The body of a success.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        if self.status.is_success() {
            return self.parse();
        }
        Err(self.refused())
    }

    /// The error of a response that is no success.
    pub(crate) fn refused(&self) -> ClientError {
        match self.parse() {
            Ok(body) => ClientError::Api {
                status: self.status.as_u16(),
                body: Box::new(body),
            },
            Err(undecodable) => undecodable,
        }
    }

    /// The body of a success, or of an error that has the same shape: a request over several stacks answers
    /// with its results even if none succeeded.
    pub(crate) fn decode_any<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        self.parse()
            .or_else(|undecodable| match self.parse::<ErrorBody>() {
                Ok(_) if !self.status.is_success() => self.decode(),
                _ => Err(undecodable),
            })
    }

    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|source| ClientError::Undecodable {
            status: self.status.as_u16(),
            source,
        })
    }
}

/// The query of the link with `rel="next"`. The path stays that of the request, so that a response can't
/// send the token elsewhere.
fn next_query(link: &str) -> Option<String> {
    let (target, relation) = link.split_once('>')?;
    if !relation.contains("rel=\"next\"") {
        return None;
    }
    let (_, query) = target.strip_prefix('<')?.split_once('?')?;
    Some(query.to_owned())
}

#[cfg(test)]
mod tests {
    use atoma_api_types::BatchView;
    use atoma_domain::IntentId;
    use tokio::net::TcpListener;

    use super::*;
    use crate::Readiness;

    fn answer(status: StatusCode, body: &str) -> Answer {
        Answer {
            status,
            next: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_batch_is_read_from_any_status() {
        let body = r#"{"error":"pending","code":"outcome_unknown","tx_digests":[],"results":[]}"#;
        for status in [
            StatusCode::MULTI_STATUS,
            StatusCode::CONFLICT,
            StatusCode::GATEWAY_TIMEOUT,
        ] {
            let batch: BatchView = answer(status, body).decode_any().unwrap();
            assert!(batch.results.is_empty());
        }
    }

    /// The error of a write to a daemon at this URL.
    async fn failed(url: &str) -> ClientError {
        let client = Client::builder(url).build().unwrap();
        client.abandon(IntentId::new(1)).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_write_over_no_connection_was_not_done() {
        // Nobody listens at port 1.
        let error = failed("http://127.0.0.1:1").await;
        assert!(matches!(error, ClientError::NotReached(_)), "{error:?}");
        assert!(error.is_transient());
        assert!(!error.leaves_outcome_unknown());
    }

    #[tokio::test]
    async fn a_write_over_a_connection_that_breaks_may_have_been_done() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (error, ()) = tokio::join!(failed(&url), async {
            drop(listener.accept().await.unwrap());
        });
        assert!(matches!(error, ClientError::Transport(_)), "{error:?}");
        assert!(error.is_transient());
        assert!(error.leaves_outcome_unknown());
    }

    /// The clock jumps whenever everything waits.
    #[tokio::test(start_paused = true)]
    async fn the_limit_on_connecting_is_not_that_on_answers() {
        // A handshake that is never answered, and a request.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let error = failed(&format!("https://{addr}")).await;
        assert!(matches!(error, ClientError::NotReached(_)), "{error:?}");
        let error = failed(&format!("http://{addr}")).await;
        assert!(matches!(error, ClientError::TimedOut(_)), "{error:?}");
    }

    #[test]
    fn a_refused_token_is_no_state_of_the_daemon() {
        let error = r#"{"error":"no token","code":"unauthorized"}"#;
        let refused = Readiness::of(&answer(StatusCode::UNAUTHORIZED, error));
        assert!(matches!(refused, Err(ClientError::Api { status: 401, .. })));
        let error = r#"{"error":"why","code":"not_ready","brakes":null}"#;
        let waiting = Readiness::of(&answer(StatusCode::SERVICE_UNAVAILABLE, error));
        assert!(matches!(waiting, Ok(Readiness::NotReady(_))));
    }

    #[test]
    fn an_error_and_a_foreign_answer_are_told_apart() {
        let error = r#"{"error":"no such stack","code":"unknown_stack"}"#;
        let refused = answer(StatusCode::NOT_FOUND, error).decode_any::<BatchView>();
        assert!(
            matches!(refused, Err(ClientError::Api { status: 404, body }) if body.code == "unknown_stack")
        );
        let foreign = answer(StatusCode::OK, "<html>").decode_any::<BatchView>();
        assert!(matches!(
            foreign,
            Err(ClientError::Undecodable { status: 200, .. })
        ));
    }

    #[test]
    fn a_path_leads_to_its_endpoint() {
        let client = Client::builder("http://127.0.0.1:3000/api")
            .build()
            .unwrap();
        let path = |segment| -> Option<String> {
            let request = client.request(Method::GET, &["transactions", segment]);
            Some(request.ok()?.build().unwrap().url().path().to_owned())
        };
        assert_eq!(path("17").as_deref(), Some("/api/transactions/17"));
        for odd in ["a/b", "%2e%2e", "a?b", "..%2f"] {
            let path = path(odd).unwrap();
            assert_eq!(path.matches('/').count(), 3, "{path}");
        }
        for elsewhere in ["", ".", ".."] {
            assert_eq!(path(elsewhere), None, "{elsewhere:?}");
        }
    }

    #[test]
    fn the_next_page_is_on_the_same_path() {
        let link = r#"<http://elsewhere.example/stacks?limit=2&cursor=5>; rel="next""#;
        assert_eq!(next_query(link).as_deref(), Some("limit=2&cursor=5"));
        assert_eq!(next_query(r#"</stacks?cursor=5>; rel="prev""#), None);
    }
}
