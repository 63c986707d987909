//! Requests byte by byte, as no HTTP client sends them.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::in_time;
use super::{Answer, Api};

/// An answer's head, and its status and body.
pub(crate) struct RawAnswer {
    pub(crate) head: String,
    pub(crate) answer: Answer,
}

/// Opens a connection and sends these bytes, which may be a part of a request.
pub(crate) async fn send(api: &Api, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(api.addr()).await.unwrap();
    // The server may have answered and closed before it has all of them.
    let _ = stream.write_all(bytes).await;
    stream
}

/// Reads the answer to the only request of a connection, until the server closes it.
pub(crate) async fn receive(mut stream: TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    // A reset after the answer ends it too.
    while let Ok(count @ 1..) = in_time(stream.read(&mut part)).await {
        bytes.extend_from_slice(&part[..count]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    RawAnswer {
        head: head.to_ascii_lowercase(),
        answer: (status, serde_json::from_str(body).unwrap_or(Value::Null)),
    }
}

/// Sends a whole request and reads its answer.
pub(crate) async fn exchange(api: &Api, request: &str) -> RawAnswer {
    receive(send(api, request.as_bytes()).await).await
}
