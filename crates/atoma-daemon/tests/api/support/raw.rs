//! Requests byte by byte, as no HTTP client sends them.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::in_time;
use super::{Answer, Api};

/// An answer's head, and its status and body.
#[derive(Debug)]
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
pub(crate) async fn receive(stream: TcpStream) -> RawAnswer {
    let mut answers = receive_all(stream).await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// Reads the answers to all requests of a connection, until the server closes it.
pub(crate) async fn receive_all(mut stream: TcpStream) -> Vec<RawAnswer> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    // A reset after the answers ends them too.
    while let Ok(count @ 1..) = in_time(stream.read(&mut part)).await {
        bytes.extend_from_slice(&part[..count]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut rest = text.as_str();
    let mut answers = Vec::new();
    while let Some((head, behind)) = rest.split_once("\r\n\r\n") {
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        let (body, next) = behind.split_at(length.map_or(0, |length| length.parse().unwrap()));
        rest = next;
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        answers.push(RawAnswer {
            head,
            answer: (status, body),
        });
    }
    assert_eq!(rest, "");
    answers
}

/// Sends a whole request and reads its answer.
pub(crate) async fn exchange(api: &Api, request: &str) -> RawAnswer {
    receive(send(api, request.as_bytes()).await).await
}
