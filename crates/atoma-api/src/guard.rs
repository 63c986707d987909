//! Protection against foreign web pages and hosts.
//!
//! A browser sends what any web page tells it to, also to `127.0.0.1`. `Host` gives away a page whose
//! own name was pointed at loopback (DNS rebinding), `Origin` gives away a page of another site
//! (CSRF). Both are refused before any route sees the request.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::error::ApiError;

/// The host names that clients may use for this API, besides those of loopback.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(pub Vec<String>);

impl AllowedHosts {
    /// Whether a `Host`, with or without port, names this daemon.
    fn allows(&self, authority: &str) -> bool {
        let host = host_of(authority);
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        loopback
            || self
                .0
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let authority = text(headers, &header::HOST)
            .filter(|authority| self.allows(authority))
            .ok_or(ApiError::ForeignHost)?;
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // The page is the daemon's own only if it came from the very host and port that it calls.
        let is_own = text(headers, &header::ORIGIN)
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(authority));
        if is_own {
            Ok(())
        } else {
            Err(ApiError::ForeignOrigin)
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The host of a `Host` header: without the port, and without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host)
}

/// The middleware that refuses them.
pub(crate) async fn refuse_foreign(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if let Some(hosts) = request.app_data::<Data<AllowedHosts>>() {
        hosts.check(request.headers())?;
    }
    next.call(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn allowed(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        AllowedHosts(vec![String::from("node.example")])
            .check(&headers)
            .is_ok()
    }

    #[test]
    fn only_loopback_and_configured_hosts_are_asked_for() {
        for host in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1:3000",
            "127.8.8.8",
            "[::1]:3000",
            "node.example:80",
        ] {
            assert!(allowed(Some(host), None), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3000",
            "10.0.0.1",
            "[::2]",
            "",
        ] {
            assert!(!allowed(Some(host), None), "{host}");
        }
        assert!(!allowed(None, None));
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let host = Some("127.0.0.1:3000");
        assert!(allowed(host, Some("http://127.0.0.1:3000")));
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:8080",
            "http://localhost:3000",
            "null",
            "",
        ] {
            assert!(!allowed(host, Some(origin)), "{origin}");
        }
    }
}
