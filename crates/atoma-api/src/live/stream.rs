//! The stream of one page.

use std::time::Duration;

use actix_server::GracefulShutdownSignal;
use actix_web::web::Bytes;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;

use super::hub::Listener;
use crate::access::AccessControl;
use crate::caller::Caller;

/// After how long without an event a comment is sent, so that both ends notice a connection that is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What the page's browser waits before it comes back.
const BEGINNING: &str = "retry: 2000\n\n";

/// What ends a stream, besides the client and the server.
#[derive(Debug)]
pub(crate) struct StreamEnd {
    /// Whose request it is.
    pub(crate) caller: Caller,
    /// Whether the caller may still read.
    pub(crate) access: AccessControl,
    /// When the server stops.
    pub(crate) stopping: GracefulShutdownSignal,
}

/// The bytes of a stream. It ends when the server stops, and when what allowed the request no longer does.
pub(crate) fn stream(
    listener: Listener,
    end: StreamEnd,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let (sender, receiver) = mpsc::channel(1);
    actix_web::rt::spawn(send(listener, end, sender));
    ReceiverStream::new(receiver)
}

type Sender = mpsc::Sender<Result<Bytes, std::convert::Infallible>>;

async fn send(mut listener: Listener, end: StreamEnd, sender: Sender) {
    let stopping = &end.stopping;
    let mut access = end.access.watch();
    let mut text = String::from(BEGINNING);
    loop {
        // The client takes nothing, or has left.
        let sent = tokio::select! {
            sent = sender.send(Ok(Bytes::from(text))) => sent,
            () = stopping.notified() => return,
        };
        if sent.is_err() || !end.access.still_allows(&end.caller) {
            return;
        }
        text = tokio::select! {
            text = listener.next() => text,
            () = tokio::time::sleep(HEARTBEAT) => String::from(":\n\n"),
            // The tokens are others; the session may be over.
            _ = access.changed() => String::from(":\n\n"),
            () = sender.closed() => return,
            () = stopping.notified() => return,
        };
        if !end.access.still_allows(&end.caller) {
            return;
        }
    }
}
