//! What lies between the daemon and a provider's node: URLs, headers, TLS, and HTTP errors.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use atoma_domain::ports::{Chain as _, ChainError, EventSource as _};
use atoma_domain::{CheckpointNumber, Digest, with_causes};
use atoma_sui::SuiEventSource;
use atoma_sui::{Access, ConnectError, InvalidUrl, RequestHeader, SuiChain, SuiChainConfig};
use http::{Request, Response};
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::LedgerServiceServer;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::fake_node::FakeNode;
use crate::support::NOBODY;

/// The certificate of the authority, in PEM.
const AUTHORITY: &[u8] = include_bytes!("tls/authority.pem");

fn config(url: &str) -> SuiChainConfig {
    SuiChainConfig::new(url, NOBODY, NOBODY)
}

/// The sentence that an operator sees for a failed call of each kind. It is the same for all.
async fn failure(config: SuiChainConfig) -> String {
    let chain = SuiChain::connect(config).unwrap();
    let error = chain.height().await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)), "{error:?}");
    let text = with_causes(&error);
    for debug in [
        "status:",
        "Status",
        "details",
        "metadata",
        "Some(",
        "code:",
        "transport error",
    ] {
        assert!(!text.contains(debug), "{text}");
    }
    let source = SuiEventSource::new(chain.clone(), CheckpointNumber::new(0));
    assert_eq!(with_causes(&source.follow(None).await.unwrap_err()), text);
    assert_eq!(
        with_causes(&chain.lookup(Digest::ZERO).await.unwrap_err()),
        text
    );
    text
}

/// A request's path and headers.
type Call = Request<()>;

/// A server that answers every call with the same page, and the calls.
#[derive(Clone)]
struct WebServer {
    status: u16,
    content_type: &'static str,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl<S> tower::Layer<S> for WebServer {
    type Service = Self;

    fn layer(&self, _: S) -> Self {
        self.clone()
    }
}

impl<B> tower::Service<Request<B>> for WebServer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.calls.lock().unwrap().push(request.map(drop));
        let response = Response::builder()
            .status(self.status)
            .header("content-type", self.content_type)
            .body(Body::new("<html>Unfortunately no gRPC</html>".to_owned()));
        ready(Ok(response.unwrap()))
    }
}

/// The URL of such a server.
async fn web_server(status: u16, content_type: &'static str) -> (String, Arc<Mutex<Vec<Call>>>) {
    let server = WebServer {
        status,
        content_type,
        calls: Arc::default(),
    };
    let calls = server.calls.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        Server::builder()
            .layer(server)
            .add_service(LedgerServiceServer::new(FakeNode::default()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    (url, calls)
}

/// The port of a node that answers over TLS, as `localhost`.
async fn tls_node() -> u16 {
    let identity = Identity::from_pem(
        include_bytes!("tls/localhost.pem"),
        include_bytes!("tls/localhost.key"),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(
        Server::builder()
            .tls_config(ServerTlsConfig::new().identity(identity))
            .unwrap()
            .add_service(LedgerServiceServer::new(FakeNode::default()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    port
}

#[tokio::test]
async fn an_http_status_is_named() {
    for (status, hint) in [
        (401, "401 Unauthorized; check the credentials"),
        (403, "403 Forbidden; check the credentials"),
        (404, "404 Not Found; check the URL"),
        (429, "429 Too Many Requests"),
        (502, "502 Bad Gateway"),
        (503, "503 Service Unavailable"),
    ] {
        let (url, _) = web_server(status, "text/html").await;
        let text = failure(config(&url)).await;
        assert!(text.contains(hint) && text.contains(&url), "{text}");
    }
    let (url, _) = web_server(200, "text/html; charset=utf-8").await;
    let text = failure(config(&url)).await;
    assert!(
        text.contains("did not answer with gRPC (content type text/html)"),
        "{text}"
    );
}

#[tokio::test]
async fn headers_and_the_urls_path_go_with_every_call_and_are_never_shown() {
    let (url, calls) = web_server(403, "text/html").await;
    let mut config = config(&format!("{url}/path-secret/v1/"));
    config.access.headers = vec![
        RequestHeader::new("x-token", "header-secret").unwrap(),
        RequestHeader::new("Authorization", "Bearer header-secret").unwrap(),
    ];
    assert!(!format!("{config:?}").contains("secret"), "{config:?}");
    let chain = SuiChain::connect(config.clone()).unwrap();
    assert!(!format!("{chain:?}").contains("secret"), "{chain:?}");
    let text = failure(config).await;
    assert!(
        text.contains(&format!("{url}/…")) && !text.contains("secret"),
        "{text}"
    );
    let calls = std::mem::take(&mut *calls.lock().unwrap());
    assert!(calls.len() >= 3);
    for call in calls {
        assert!(
            call.uri().path().starts_with("/path-secret/v1/sui.rpc.v2."),
            "{call:?}"
        );
        assert_eq!(call.headers()["x-token"], "header-secret");
        assert_eq!(call.headers()["authorization"], "Bearer header-secret");
    }
}

#[tokio::test]
async fn parts_of_a_url_that_cannot_be_honoured_are_refused() {
    for (url, why) in [
        ("https://node/?token=secret", InvalidUrl::Query),
        ("https://user:secret@node", InvalidUrl::UserInfo),
    ] {
        let error = SuiChain::connect(config(url)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert!(
            matches!(error, ConnectError::Url(found) if found == why),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let port = tls_node().await;
    let url = format!("https://localhost:{port}");
    let text = failure(config(&url)).await;
    assert!(
        text.contains("unknown authority") && text.contains(&url),
        "{text}"
    );
    let trusting = |url: &str, in_place: bool| {
        let mut config = config(url);
        let access = &mut config.access;
        let file = if in_place {
            &mut access.roots
        } else {
            &mut access.further_roots
        };
        *file = Some(AUTHORITY.to_vec());
        config
    };
    Access::check_certificates(AUTHORITY).unwrap();
    for in_place in [false, true] {
        let chain = SuiChain::connect(trusting(&url, in_place)).unwrap();
        chain.height().await.unwrap();
    }
    let url = format!("https://127.0.0.1:{port}");
    let text = failure(trusting(&url, false)).await;
    assert!(text.contains("not valid for the name 127.0.0.1"), "{text}");
}

#[tokio::test]
async fn a_wrong_path_is_answered_with_the_url_and_what_to_check() {
    let url = FakeNode::default().listen().await;
    let chain = SuiChain::connect(config(&format!("{url}/wrong"))).unwrap();
    let error = chain.height().await.unwrap_err();
    assert!(matches!(error, ChainError::Answer(_)), "{error:?}");
    let text = with_causes(&error);
    assert!(
        text.starts_with(&format!(
            "the Sui node returned an error: {url}/…: it does not offer this call"
        )),
        "{text}"
    );
    assert!(text.contains("check the path of the URL"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
}

#[tokio::test]
async fn the_cause_of_a_failed_connection_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let text = failure(config(&url)).await;
    assert_eq!(
        text,
        format!("the Sui node can't be reached: {url}: the connection was refused")
    );

    let text = failure(config("http://node.invalid:9000")).await;
    assert!(
        text.contains("http://node.invalid:9000: the host name node.invalid can't be resolved"),
        "{text}"
    );

    // A server without TLS, and one that speaks HTTP/1 only.
    let node = FakeNode::default().listen().await;
    let text = failure(config(&node.replace("http:", "https:"))).await;
    assert!(text.contains("does not use TLS"), "{text}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                .await;
        }
    });
    let text = failure(config(&url)).await;
    assert!(
        text.contains("does not speak HTTP/2") || text.contains("closed the connection"),
        "{text}"
    );
}

/// Readiness waits for two seconds and does not know the address.
#[tokio::test]
async fn the_height_fails_in_time_to_name_the_node() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let chain = SuiChain::connect(config(&url)).unwrap();
    let height = tokio::time::timeout(Duration::from_secs(2), chain.height());
    let text = with_causes(&height.await.unwrap().unwrap_err());
    assert!(
        text.contains(&url) && text.ends_with("it did not answer in time"),
        "{text}"
    );
}

#[tokio::test]
async fn a_node_that_hangs_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.request_timeout = Duration::from_millis(50);
    let text = failure(config).await;
    assert!(text.ends_with("it did not answer in time"), "{text}");
}
