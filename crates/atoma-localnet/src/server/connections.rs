//! The accept loop for gRPC, grpc-web and plain HTTP, with or without TLS, on one port.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceBuilder;

/// The time that open calls have to end when the network stops. Some streams have no end.
const GRACE: Duration = Duration::from_secs(2);
/// The pause after a connection could not be accepted, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The time that a client has for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Ends the connection that a request came over: the server says `GOAWAY` and hangs up, without
/// an answer to the calls that are open. Each request has it as an extension.
#[derive(Debug, Clone, Default)]
pub(crate) struct GoAway(Arc<Notify>);

impl GoAway {
    /// Ends the connection.
    pub(crate) fn send(&self) {
        self.0.notify_one();
    }
}

/// A listening port and what it serves.
pub(crate) struct Connections {
    pub(crate) listener: TcpListener,
    /// Secures each connection, if set.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) stop: CancellationToken,
}

impl Connections {
    /// Serves until `stop` is cancelled and the open calls have ended, or their grace is over.
    pub(crate) async fn serve(self) {
        let open = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (tls, router) = (self.tls.clone(), self.router.clone());
                    let stop = self.stop.clone();
                    open.spawn(async move {
                        if let Err(error) = serve_stream(stream, tls, router, stop).await {
                            tracing::debug!(%error, "a connection failed");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(self.listener);
        open.close();
        open.wait().await;
    }
}

async fn serve_stream(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    // Without this, a small response waits for the client's delayed acknowledgement, about 40 ms.
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return serve_calls(stream, router, stop).await;
    };
    let handshake = tokio::time::timeout(HANDSHAKE, tls.accept(stream));
    let stream = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        accepted = handshake => accepted??,
    };
    serve_calls(stream, router, stop).await
}

async fn serve_calls(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    let go_away = GoAway::default();
    let extension = go_away.clone();
    let service = ServiceBuilder::new()
        .map_request(move |mut request: http::Request<_>| {
            request.extensions_mut().insert(extension.clone());
            request
        })
        .service(router);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    // As in tonic: a client may have any number of calls open.
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(None);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = go_away.0.notified() => {
            connection.as_mut().graceful_shutdown();
            // Writes the GOAWAY frame. Then the connection is dropped with its open calls.
            connection.as_mut().now_or_never().unwrap_or(Ok(()))
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    ended.map_err(io::Error::other)
}
