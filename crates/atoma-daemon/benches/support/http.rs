//! A client with one connection, which adds little to what it measures.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection to a daemon.
pub(crate) struct Client {
    addr: &'static str,
    stream: BufReader<TcpStream>,
}

/// A page of a list.
pub(crate) struct Page {
    pub(crate) body: Vec<u8>,
    /// The path of the next page.
    pub(crate) next: Option<String>,
}

impl Client {
    pub(crate) fn connect(addr: &'static str) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            addr,
            stream: BufReader::new(stream),
        }
    }

    /// Reads a page. Panics unless the status is 200.
    pub(crate) fn get(&mut self, path: &str) -> Page {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.addr);
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut length, mut next) = (0, None);
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{path}: {line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "link" => next = next_page(value),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Page { body, next }
    }
}

fn next_page(link: &str) -> Option<String> {
    let path = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(path.to_owned())
}
