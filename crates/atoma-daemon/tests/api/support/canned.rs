//! A server that answers like a proxy before the daemon, or like a daemon that is in trouble.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Method and path with query, such as `POST /register?dry_run=true`.
    pub(crate) line: String,
    /// The `Idempotency-Key`.
    pub(crate) key: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn is_dry_run(&self) -> bool {
        self.line.contains("dry_run=true")
    }
}

/// An answer of this status with this body.
pub(crate) fn reply(status: u16, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status} \r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

/// The server. It listens until the test's process ends.
pub(crate) struct Canned {
    addr: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Canned {
    /// Answers each request with what the function makes of it and the number of those before; without an
    /// answer the connection breaks.
    pub(crate) fn start(
        answer: impl Fn(&Received, usize) -> Option<String> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(request) = read(&stream) else {
                    continue;
                };
                let before = all.lock().unwrap().len();
                all.lock().unwrap().push(request.clone());
                if let Some(text) = answer(&request, before) {
                    // The client may have gone.
                    let _ = (&stream).write_all(text.as_bytes());
                }
            }
        });
        Self { addr, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// The request, unless the connection ends before it.
fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (line, _) = line.rsplit_once(' ')?;
    let mut request = Received {
        line: line.to_owned(),
        ..Received::default()
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "idempotency-key" => request.key = Some(value.to_owned()),
            _ => {}
        }
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
