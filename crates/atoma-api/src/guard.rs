//! Who may ask: on loopback, only requests meant for loopback, and no foreign web page.
//!
//! A browser sends whatever a page tells it to, even to `127.0.0.1`. A page whose own name was
//! pointed at loopback (DNS rebinding) shows by its `Host`, a page of another site (CSRF) by its
//! `Origin`; both are refused before any route.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::error::ApiError;

/// The host names under which the API may be asked, besides loopback's own.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(pub Vec<String>);

impl AllowedHosts {
    /// Whether a `Host` or an origin's authority names this daemon.
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
        let forbidden = |what: &str| {
            Err(ApiError::Forbidden(format!(
                "requests with this `{what}` are refused; see the setting `allowed_hosts`"
            )))
        };
        let Some(authority) = text(headers, &header::HOST) else {
            return forbidden("Host");
        };
        if !self.allows(authority) {
            return forbidden("Host");
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // A page is our own only if it came from the very host and port that it now asks.
        let own = text(headers, &header::ORIGIN)
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(authority));
        if own { Ok(()) } else { forbidden("Origin") }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// An authority's host, without port and without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host)
}

/// The middleware.
pub(crate) async fn refuse_foreign(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(hosts) = request.app_data::<web::Data<AllowedHosts>>() {
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
