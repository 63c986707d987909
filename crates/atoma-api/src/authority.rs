//! The host and port of a `Host`, an `Origin` or a setting, read strictly: what is not exactly a host
//! with an optional port is no authority.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The port that a client leaves out of an `http` authority.
pub(crate) const HTTP_PORT: u16 = 80;
/// The same for `https`.
const HTTPS_PORT: u16 = 443;

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
        self.host == other.host && self.port.is_none_or(|port| port == other.port(HTTP_PORT))
    }

    /// Whether both name the same host and port. `default` is the port of one that names none.
    pub(crate) fn is_same(&self, other: &Self, default: u16) -> bool {
        self.host == other.host && self.port(default) == other.port(default)
    }

    /// The port that it names, if it names one.
    pub(crate) const fn named_port(&self) -> Option<u16> {
        self.port
    }

    fn port(&self, default: u16) -> u16 {
        self.port.unwrap_or(default)
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

/// The schemes that pages of this daemon may have come over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schemes {
    Http,
    Https,
    /// The daemon doesn't know what the proxy speaks.
    Both,
}

impl Schemes {
    /// Whether an origin names this host.
    pub(crate) fn names(self, origin: &str, host: &Authority) -> bool {
        let (rest, default) = if let Some(rest) = origin.strip_prefix("http://")
            && self != Self::Https
        {
            (rest, HTTP_PORT)
        } else if let Some(rest) = origin.strip_prefix("https://")
            && self != Self::Http
        {
            (rest, HTTPS_PORT)
        } else {
            return false;
        };
        Authority::parse(rest).is_some_and(|origin| origin.is_same(host, default))
    }
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
        assert!(parse("node.example").is_same(&parse("node.example:80"), HTTP_PORT));
        assert!(!parse("node.example").is_same(&parse("node.example:80"), HTTPS_PORT));
        assert!(!parse("127.0.0.1").is_same(&parse("localhost"), HTTP_PORT));
    }

    #[test]
    fn a_page_comes_over_the_daemons_own_scheme() {
        let host = Authority::parse("node.example").unwrap();
        for (schemes, http, https) in [
            (Schemes::Http, true, false),
            (Schemes::Https, false, true),
            (Schemes::Both, true, true),
        ] {
            assert_eq!(schemes.names("http://node.example", &host), http);
            assert_eq!(schemes.names("https://node.example", &host), https);
            assert_eq!(schemes.names("https://node.example:443", &host), https);
            assert!(!schemes.names("https://node.example:80", &host));
            assert!(!schemes.names("https://evil.example", &host));
            assert!(!schemes.names("node.example", &host));
        }
    }
}
