//! The address of a Sui node.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;
use thiserror::Error;

/// The URL of a Sui node's gRPC endpoint. Displays without its path, which can be an access token.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeUrl {
    /// Scheme, host and port.
    origin: String,
    host: String,
    is_https: bool,
    /// What goes before the path of every call: empty, or `/` and more, without a `/` at the end.
    prefix: String,
}

/// Why a URL can't be that of a Sui node. Never contains any of it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum InvalidUrl {
    /// It does not have the form of a URL.
    #[error("is not a valid URL")]
    Form,
    /// It has no scheme, or one that gRPC is not spoken over.
    #[error("must start with http:// or https://")]
    Scheme,
    /// It contains a user name or a password.
    #[error("must not contain a user name or password; send them in a header, see `sui.headers`")]
    UserInfo,
    /// It contains a query or a fragment.
    #[error(
        "must not contain `?` or `#`; if your provider's URL has a token there, send it in a \
         header, see `sui.headers`"
    )]
    Query,
}

impl NodeUrl {
    /// Whether the connection is encrypted.
    pub(crate) const fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether others on the way can read what is sent: it is not encrypted, and leaves this machine.
    pub fn is_exposed(&self) -> bool {
        let is_loopback = match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        };
        !self.is_https && !is_loopback
    }

    /// Whether it has a path, which can be an access token.
    pub const fn has_path(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// The host, without brackets around an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port: the address to connect to.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Puts the URL's path before the path of a call.
    pub(crate) fn with_prefix(&self, call: &Uri) -> Result<Uri, http::Error> {
        if self.prefix.is_empty() {
            return Ok(call.clone());
        }
        let mut parts = call.clone().into_parts();
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        parts.path_and_query = Some(format!("{}{path}", self.prefix).parse()?);
        Ok(Uri::from_parts(parts)?)
    }
}

impl FromStr for NodeUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let lower = text.to_ascii_lowercase();
        if !(lower.starts_with("http://") || lower.starts_with("https://")) {
            return Err(InvalidUrl::Scheme);
        }
        // The parser drops a fragment silently.
        if text.contains(['?', '#']) {
            return Err(InvalidUrl::Query);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Form)?;
        let parts = uri.into_parts();
        let authority = parts.authority.ok_or(InvalidUrl::Form)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::UserInfo);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        // `http://host:port:more` and an empty or too large port parse as an authority without port.
        let port = authority.as_str().get(authority.host().len()..);
        if host.is_empty()
            || port.is_some_and(|port| !port.is_empty() && authority.port().is_none())
        {
            return Err(InvalidUrl::Form);
        }
        let is_https = parts.scheme == Some(Scheme::HTTPS);
        let scheme = if is_https { "https" } else { "http" };
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            host,
            is_https,
            prefix: path.trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            f.write_str("/…")
        }
    }
}

impl fmt::Debug for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixed(url: &str) -> String {
        let url: NodeUrl = url.parse().unwrap();
        let call = Uri::from_static("/sui.rpc.v2.LedgerService/GetEpoch");
        url.with_prefix(&call).unwrap().to_string()
    }

    #[test]
    fn a_path_goes_before_the_calls_and_is_never_shown() {
        assert_eq!(
            prefixed("http://node:9000"),
            "/sui.rpc.v2.LedgerService/GetEpoch"
        );
        assert_eq!(
            prefixed("http://node:9000/"),
            "/sui.rpc.v2.LedgerService/GetEpoch"
        );
        let token = "https://node.example/secret/v2/";
        assert_eq!(
            prefixed(token),
            "/secret/v2/sui.rpc.v2.LedgerService/GetEpoch"
        );
        let url: NodeUrl = token.parse().unwrap();
        assert_eq!(url.to_string(), "https://node.example/…");
        assert_eq!(format!("{url:?}"), "NodeUrl(https://node.example/…)");
        assert_eq!(
            (url.host(), url.origin()),
            ("node.example", "https://node.example")
        );
    }

    #[test]
    fn only_unencrypted_connections_to_other_machines_are_exposed() {
        let is_exposed = |url: &str| url.parse::<NodeUrl>().unwrap().is_exposed();
        for url in [
            "http://node.example",
            "HTTP://192.0.2.1:9000",
            "http://[2001:db8::1]:9000",
            "http://localhost.example",
        ] {
            assert!(is_exposed(url), "{url}");
        }
        for url in [
            "https://node.example",
            "http://localhost:9000",
            "http://LocalHost",
            "http://127.0.0.2:9000",
            "http://[::1]:9000",
        ] {
            assert!(!is_exposed(url), "{url}");
        }
    }

    #[test]
    fn what_would_be_dropped_is_refused() {
        for (url, why) in [
            ("node:9000", InvalidUrl::Scheme),
            ("ftp://node", InvalidUrl::Scheme),
            ("", InvalidUrl::Scheme),
            ("http://", InvalidUrl::Form),
            ("http://no de", InvalidUrl::Form),
            ("http://node:", InvalidUrl::Form),
            ("http://node:99999", InvalidUrl::Form),
            ("https://user:secret@node", InvalidUrl::UserInfo),
            ("https://secret@node", InvalidUrl::UserInfo),
            ("https://node/?key=secret", InvalidUrl::Query),
            ("https://node?key=secret", InvalidUrl::Query),
            ("https://node/#secret", InvalidUrl::Query),
        ] {
            assert_eq!(url.parse::<NodeUrl>(), Err(why), "{url}");
            assert!(!why.to_string().contains("secret"));
        }
        assert_eq!(
            "http://[::1]:9000".parse::<NodeUrl>().unwrap().host(),
            "::1"
        );
    }
}
