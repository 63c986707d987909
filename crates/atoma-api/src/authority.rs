//! The host and port of a `Host`, an `Origin` or a setting, read strictly: what is not exactly a host
//! with an optional port is no authority.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The port that a client leaves out of an `http` authority.
const DEFAULT_PORT: u16 = 80;

/// A host and, if it was named, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// In lower case.
    Name(String),
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`. User info, an empty port, a sign, white space
    /// and anything after the port are refused, because another program may read them differently.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            (Host::V6(address.parse().ok()?), port)
        } else {
            let end = text.find(':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(end)?;
            (Host::parse(name)?, port)
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(number(digits)?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self { host, port })
    }

    /// Whether it is an address or the name of this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::V4(address) => address.is_loopback(),
            Host::V6(address) => address.is_loopback(),
            Host::Name(name) => name == "localhost",
        }
    }

    /// Whether `other` is this host and, if this names a port, this port.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.host == other.host && self.port.is_none_or(|port| port == other.port())
    }

    /// Whether both name the same host and port of `http`.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.host == other.host && self.port() == other.port()
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::V4(address));
        }
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        text.split('.')
            .all(is_label)
            .then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

/// A port in digits; `parse` alone would accept a sign.
fn number(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_with_an_optional_port_is_an_authority() {
        for text in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1:3000",
            "[::1]",
            "[::1]:3000",
            "node_1.example:80",
        ] {
            assert!(Authority::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            ":3000",
            "localhost:",
            "localhost:evil.example",
            "localhost:3000:1",
            "localhost:+80",
            "localhost:65536",
            "127.0.0.1:3000@evil.example",
            "user@localhost",
            "[::1].evil.example:1",
            "[::1]evil",
            "[::1",
            "::1",
            "[127.0.0.1]",
            "local host",
            "localhost.",
            "localhost/",
            "*",
            "http://localhost",
            "m\u{f6}nch.example",
        ] {
            assert!(Authority::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_port_that_is_left_out_covers_all_and_means_80() {
        let parse = |text| Authority::parse(text).unwrap();
        assert!(parse("node.example").covers(&parse("NODE.example:8080")));
        assert!(parse("node.example:8080").covers(&parse("node.example:8080")));
        assert!(!parse("node.example:8080").covers(&parse("node.example:80")));
        assert!(parse("node.example:80").covers(&parse("node.example")));
        assert!(parse("node.example").is_same(&parse("node.example:80")));
        assert!(!parse("node.example").is_same(&parse("node.example:8080")));
        assert!(!parse("127.0.0.1").is_same(&parse("localhost")));
    }
}
