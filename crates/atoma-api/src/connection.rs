//! The connection under the HTTP parser, which gives the parser's own refusals the body of every error.
//!
//! actix-http answers a malformed request with 400, a slow one with 408 and too large a head with 431 by
//! itself, without a body and before any service sees the request. Nothing of it can be configured, but
//! such an answer is easy to tell on its way out: it is the only one of this API with a failing status
//! and an empty body, and it is the last thing that is written before the connection is closed.
//!
//! It also closes a connection whose client reads nothing for a while: actix-http has no limit for that,
//! and an answer that nobody reads keeps its memory and its place among the lists.
//!
//! And it decides what the end of a client's bytes means, and how much is read before the parser looks at it.
//! actix-http can end the requests of a client that leaves, but then malformed bytes behind a request end that
//! request as well, and its answer is lost. So the parser is told to go on after both, and a client that leaves
//! ends its connection here.

mod refusal;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::debug;

pub(crate) use refusal::REFUSALS;
use refusal::{refusal, refusal_at_end};

/// The most that is read before the parser looks at it, in bytes. Without a limit it buffers 128 KiB of each
/// connection, whether or not it takes the request.
const READ_AT_ONCE: usize = 16 << 10;

/// The most that is read so while requests begin in it, in bytes.
const HEADS_AT_ONCE: usize = 512;

/// After so many requests no more is read until something is answered. The parser takes up all requests that
/// it has the bytes of: a client that sends many at once would have it hold hundreds. Behind a single request
/// it goes on, to see whether the client leaves.
const REQUESTS_AHEAD: usize = 2;

/// Ends the first line of a request, but no line of a JSON body.
const REQUEST_LINE_END: &[u8] = b" HTTP/1.1\r\n";

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
    /// What was read since the parser last looked at it, in bytes.
    unparsed: usize,
    /// The most that this may be. It grows while a body is read.
    at_once: usize,
    /// Whether a request begins in it.
    begins_request: bool,
    /// The requests that began since something was answered.
    requests_ahead: usize,
    /// The client will send nothing more.
    is_left: bool,
    /// Waits for an answer to be written.
    reader: Option<Waker>,
}

impl<S> Connection<S> {
    pub(crate) const fn new(stream: S, peer: Option<SocketAddr>, patience: Duration) -> Self {
        Self {
            stream,
            peer,
            replacing: Bytes::new(),
            patience,
            stalled: None,
            unparsed: 0,
            at_once: HEADS_AT_ONCE,
            begins_request: false,
            requests_ahead: 0,
            is_left: false,
            reader: None,
        }
    }

    /// Wakes the reader once something was answered.
    fn wake_reader(&mut self) {
        if !self.is_writing()
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
    }

    /// Whether an answer is being written.
    fn is_writing(&self) -> bool {
        self.stalled.is_some() || !self.replacing.is_empty()
    }

    /// Lets the parser look at what was read, and reads on afterwards.
    fn pause_reading(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.unparsed = 0;
        self.begins_request = false;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Writes what the client can take, or fails once it has taken nothing for too long.
    fn poll_stream(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.stalled = None;
            self.requests_ahead = 0;
            self.wake_reader();
            return written;
        }
        ready!(self.poll_patience(context))?;
        Poll::Pending
    }

    /// Fails once the client has taken nothing for too long.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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

    /// Writes the rest of what replaces an answer of the parser.
    fn poll_replaced(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replacing.is_empty() {
            let rest = self.replacing.clone();
            let count = ready!(self.poll_stream(context, &rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.replacing = rest.slice(count..);
        }
        self.wake_reader();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_left && self.is_writing() {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        if self.is_left {
            // The parser drops the requests under way. Those that write go on in tasks of their own.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.requests_ahead >= REQUESTS_AHEAD {
            self.unparsed = 0;
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        if self.unparsed >= self.at_once {
            self.at_once = match self.begins_request {
                true => HEADS_AT_ONCE,
                false => READ_AT_ONCE.min(self.at_once * 2),
            };
            return self.pause_reading(context);
        }
        let wanted = buffer.remaining().min(self.at_once - self.unparsed);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(wanted));
        let read = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let lines = part.filled().windows(REQUEST_LINE_END.len());
        let requests = lines.filter(|end| *end == REQUEST_LINE_END).count();
        let count = part.filled().len();
        buffer.advance(count);
        self.begins_request |= requests > 0;
        self.requests_ahead = self.requests_ahead.saturating_add(requests);
        if read.is_pending() {
            self.unparsed = 0;
        }
        ready!(read)?;
        if count == 0 && buffer.remaining() > 0 {
            // First the parser takes what came before, as of any client.
            self.is_left = true;
            return self.pause_reading(context);
        }
        self.unparsed = self.unparsed.saturating_add(count);
        Poll::Ready(Ok(()))
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
        // An encrypted stream keeps some of what it was given.
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.stalled = None;
            self.wake_reader();
            return flushed;
        }
        self.poll_patience(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replaced(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::refusal::tests::{OTHERS, REFUSED};
    use super::*;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const LONG: Duration = Duration::from_secs(3_600);
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

    /// Reads as the parser does: until nothing more can be read.
    fn read_once(
        connection: &mut Connection<DuplexStream>,
        context: &mut Context<'_>,
    ) -> (usize, Poll<io::Result<()>>) {
        let mut read = 0;
        loop {
            let mut bytes = [0; 4_096];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *connection).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) => read += buffer.filled().len(),
                end => return (read, end),
            }
        }
    }

    #[tokio::test]
    async fn a_connection_is_read_in_parts_and_ends_once_its_client_has_left() {
        let (near, mut far) = duplex(1 << 20);
        far.write_all(&[b' '; 3 * READ_AT_ONCE]).await.unwrap();
        drop(far);
        let mut connection = Connection::new(near, None, LONG);
        let mut context = Context::from_waker(Waker::noop());
        let mut parts = Vec::new();
        let mut left = 3 * READ_AT_ONCE;
        while left > 0 {
            let (read, end) = read_once(&mut connection, &mut context);
            assert!(end.is_pending());
            parts.push(read);
            left -= read;
        }
        assert!(parts.contains(&READ_AT_ONCE), "{parts:?}");
        assert!(parts.iter().all(|part| *part <= READ_AT_ONCE), "{parts:?}");
        let (read, end) = read_once(&mut connection, &mut context);
        assert_eq!(read, 0);
        let Poll::Ready(Err(end)) = end else {
            panic!("{end:?}");
        };
        assert_eq!(end.kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn behind_several_requests_nothing_is_read_until_one_is_answered() {
        const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
        let (near, mut far) = duplex(1 << 20);
        far.write_all(&REQUEST.repeat(1_000)).await.unwrap();
        let mut connection = Connection::new(near, None, LONG);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            let (read, end) = read_once(&mut connection, &mut context);
            assert!(end.is_pending());
            assert!(
                (2 * REQUEST.len()..=HEADS_AT_ONCE).contains(&read),
                "{read}"
            );
            assert_eq!(read_once(&mut connection, &mut context).0, 0);
            connection.write_all(OTHERS[2]).await.unwrap();
        }
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
