//! The connection under the HTTP parser, which gives the parser's own refusals the body of every error.
//!
//! actix-http answers a malformed request with 400, a slow one with 408 and too large a head with 431 by
//! itself, without a body and before any service sees the request. Nothing of it can be configured, but
//! such an answer is easy to tell on its way out: it is the only one of this API with a failing status
//! and an empty body, and it is the last thing that is written before the connection is closed.
//!
//! It also closes a connection whose client reads nothing for a while: actix-http has no limit for that,
//! and an answer that nobody reads keeps its memory and its place among the lists.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::debug;

use crate::error::ErrorBody;

/// No head of such an answer is longer.
const LONGEST_HEAD: usize = 256;
const HEAD: &[u8] = b"HTTP/1.1 ";

/// A connection of a client.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    stream: S,
    peer: Option<SocketAddr>,
    /// What is still to be written of the bytes that replace an answer of the parser.
    replacing: Bytes,
    /// The longest time without any progress of a write.
    patience: Duration,
    /// Runs while the client reads nothing of what is to be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    pub(crate) const fn new(stream: S, peer: Option<SocketAddr>, patience: Duration) -> Self {
        Self {
            stream,
            peer,
            replacing: Bytes::new(),
            patience,
            stalled: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Writes what the client can take, or fails once it has taken nothing for too long.
    fn poll_stream(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        debug!(
            peer = self.peer.map(tracing::field::display),
            "closing a connection whose client does not read its answer"
        );
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    fn poll_replaced(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replacing.is_empty() {
            let rest = self.replacing.clone();
            let count = ready!(self.poll_stream(context, &rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.replacing = rest.slice(count..);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replaced(context))?;
        let Some((before, status)) = refusal_at_end(bytes) else {
            return self.poll_stream(context, bytes);
        };
        // The answers to earlier requests of the connection go first.
        if !before.is_empty() {
            return self.poll_stream(context, before);
        }
        debug!(
            peer = self.peer.map(tracing::field::display),
            status = status.as_u16(),
            "the HTTP parser refused a request"
        );
        self.replacing = refusal(status).into();
        if let Poll::Ready(Err(error)) = self.poll_replaced(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replaced(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replaced(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What is before an answer of the parser at the end of these bytes, and the answer's status; `None` if
/// there is none. The JSON of other answers has no line ends, so it can't be mistaken for a head.
fn refusal_at_end(bytes: &[u8]) -> Option<(&[u8], StatusCode)> {
    let tail_at = bytes.len().saturating_sub(LONGEST_HEAD);
    let tail = bytes.get(tail_at..)?;
    let at = tail
        .windows(HEAD.len())
        .rposition(|window| window == HEAD)?;
    let head = std::str::from_utf8(tail.get(at..)?).ok()?;
    let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
    let code = lines.next()?.split(' ').nth(1)?;
    let status = StatusCode::from_bytes(code.as_bytes()).ok()?;
    let is_refusal = status.is_client_error() || status.is_server_error();
    let is_empty = lines.any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    (is_refusal && is_empty).then_some((bytes.get(..tail_at.checked_add(at)?)?, status))
}

/// The answer of this status with a body.
fn refusal(status: StatusCode) -> Vec<u8> {
    let (code, sentence) = match status {
        StatusCode::BAD_REQUEST => (
            "invalid_request",
            "The request is not well-formed HTTP/1.1. Send it with an HTTP client.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "request_timeout",
            "The head of the request did not arrive in time. Send it in one go.",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            "head_too_large",
            "The request's head is too large. Send fewer or shorter headers and a shorter path.",
        ),
        _ => (
            "internal",
            "The HTTP server failed to read the request. Send it again.",
        ),
    };
    let body = ErrorBody::new(code, sentence.to_owned());
    let json = serde_json::to_string(&body).unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{json}",
        json.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LONG: Duration = Duration::from_secs(3_600);
    const REFUSED: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Thu\r\n\r\n";
    const OTHERS: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
        b"{\"error\": \"HTTP/1.1 400 Bad Request\\r\\ncontent-length: 0\"}",
        b"",
    ];

    #[test]
    fn only_a_failure_without_a_body_is_the_parsers() {
        let (before, status) = refusal_at_end(REFUSED).unwrap();
        assert_eq!((before, status.as_u16()), (&b""[..], 400));
        for other in OTHERS {
            assert!(refusal_at_end(other).is_none());
            let both = [*other, REFUSED].concat();
            assert_eq!(refusal_at_end(&both).unwrap().0, *other);
        }
    }

    #[tokio::test]
    async fn it_is_replaced_whole_and_nothing_else_is() {
        // So small that nothing is written at once.
        let (near, mut far) = duplex(7);
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            far.read_to_end(&mut all).await.unwrap();
            String::from_utf8(all).unwrap()
        });
        let mut connection = Connection::new(near, None, LONG);
        connection.write_all(OTHERS[2]).await.unwrap();
        connection.write_all(REFUSED).await.unwrap();
        connection.shutdown().await.unwrap();
        drop(connection);
        let all = reading.await.unwrap();
        let rest = all
            .strip_prefix(std::str::from_utf8(OTHERS[2]).unwrap())
            .unwrap();
        let (head, body) = rest.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "invalid_request");
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_left_after_a_while() {
        for answer in [OTHERS[2], REFUSED] {
            let (near, mut far) = duplex(7);
            let mut connection = Connection::new(near, None, Duration::from_millis(1));
            let left = async {
                connection.write_all(answer).await?;
                connection.shutdown().await
            };
            assert_eq!(left.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            drop(connection);
            let mut read = Vec::new();
            far.read_to_end(&mut read).await.unwrap();
            assert_eq!(read.len(), 7);
        }
    }
}
