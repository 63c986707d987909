//! Requests on connections that stay open, and how long they take.

use std::time::Duration;

use atoma_domain::StackSmallId;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A connection to an address, which is opened when it is needed.
pub(crate) struct Connection {
    addr: &'static str,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub(crate) const fn to(addr: &'static str) -> Self {
        Self { addr, stream: None }
    }
}

/// Sends a request and reads its answer; gives the status, or 0 if the connection broke.
pub(crate) async fn exchange(connection: &mut Connection, request: &str) -> u16 {
    match try_exchange(connection, request).await {
        Ok(status) => status,
        Err(_) => {
            connection.stream = None;
            0
        }
    }
}

async fn try_exchange(connection: &mut Connection, request: &str) -> std::io::Result<u16> {
    let stream = match &mut connection.stream {
        Some(stream) => stream,
        none => none.insert(BufReader::new(TcpStream::connect(connection.addr).await?)),
    };
    stream.get_mut().write_all(request.as_bytes()).await?;
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.split(' ').next().unwrap().parse().unwrap();
        }
        if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    tokio::io::copy(&mut stream.take(length), &mut tokio::io::sink()).await?;
    Ok(status)
}

/// The body that records a message.
pub(crate) fn message(stack: StackSmallId, number: u64) -> serde_json::Value {
    let hash = format!("0x{stack:0>32}{number:0>32}", stack = stack.to_string());
    json!({"stack_small_id": stack, "message_hash": hash, "num_compute_units": 1})
}

/// Prints how long requests took.
pub(crate) fn report(when: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!(
        "{when}: {} messages, p50 {:.2?}, p99 {:.2?}, slowest {:.2?}",
        took.len(),
        at(50),
        at(99),
        at(100)
    );
}
