//! Protection against foreign web pages and hosts.
//!
//! A browser sends what any web page tells it to, also to `127.0.0.1`. `Host` gives away a page whose
//! own name was pointed at loopback (DNS rebinding), `Origin` gives away a page of another site
//! (CSRF). Both are refused before any route sees the request.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::middleware::Next;
use actix_web::web::Data;
use thiserror::Error;

use crate::access::AccessControl;
use crate::authority::{Authority, HTTP_PORT, Schemes};
use crate::error::{ApiError, refuse};

/// The hosts that clients may use for this API, besides those of loopback.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<Authority>);

/// An entry of `allowed_hosts` that no request could match.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`allowed_hosts` has the entry `{0}`, which is not a host name or an IP address with an optional port; \
     write it as in `node.example` or `node.example:8080`"
)]
pub struct InvalidHost(pub String);

impl AllowedHosts {
    /// Hosts as in the setting `allowed_hosts`. An entry without a port allows every port.
    ///
    /// # Errors
    /// When an entry is not a host with an optional port.
    pub fn new(entries: impl IntoIterator<Item = String>) -> Result<Self, InvalidHost> {
        let parse = |entry: String| Authority::parse(&entry).ok_or(InvalidHost(entry));
        entries
            .into_iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The authority that a request names, if it names this daemon.
    fn allowed(&self, text: &str) -> Option<Authority> {
        let authority = Authority::parse(text)?;
        let is_allowed =
            authority.is_loopback() || self.0.iter().any(|allowed| allowed.covers(&authority));
        is_allowed.then_some(authority)
    }

    fn check(&self, schemes: Schemes, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = single(headers, &header::HOST)
            .and_then(|host| self.allowed(host))
            .ok_or(ApiError::ForeignHost)?;
        // A request line may name the host too, and some programs believe that one.
        if let Some(named) = uri.authority() {
            let named = self.allowed(named.as_str());
            if !named.is_some_and(|named| named.is_same(&host, HTTP_PORT)) {
                return Err(ApiError::ForeignHost);
            }
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        // The page is the daemon's own only if it came from the very host and port that it calls.
        let is_own =
            single(headers, &header::ORIGIN).is_some_and(|origin| schemes.names(origin, &host));
        if is_own {
            Ok(())
        } else {
            Err(ApiError::ForeignOrigin)
        }
    }
}

/// The value of a header that is there exactly once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok())?
}

/// The middleware that refuses them.
pub(crate) async fn refuse_foreign<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let hosts = request.app_data::<Data<AllowedHosts>>();
    let access = request.app_data::<Data<AccessControl>>();
    let checked = match hosts.zip(access) {
        Some((hosts, access)) => {
            let schemes = access.current().access.schemes();
            hosts.check(schemes, request.uri(), request.headers())
        }
        None => Err(ApiError::ForeignHost),
    };
    match checked {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(refuse(request, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn check(uri: &str, fields: &[(HeaderName, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        let hosts = ["node.example", "proxy.example:8443"].map(String::from);
        AllowedHosts::new(hosts)
            .unwrap()
            .check(Schemes::Http, &uri.parse().unwrap(), &headers)
            .is_ok()
    }

    fn allowed(host: Option<&str>, origin: Option<&str>) -> bool {
        let fields = [(header::HOST, host), (header::ORIGIN, origin)];
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        check("/stacks", &fields.collect::<Vec<_>>())
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
            "proxy.example:8443",
        ] {
            assert!(allowed(Some(host), None), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3000",
            "10.0.0.1",
            "[::2]",
            "[::1].evil.example:1",
            "localhost:evil.example",
            "127.0.0.1:3000@evil.example",
            "proxy.example",
            "proxy.example:80",
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
            "https://127.0.0.1:3000",
            "ftp://127.0.0.1:3000",
            "http://127.0.0.1:3000/",
            "http://127.0.0.1:3000@evil.example",
            "127.0.0.1:3000",
            "null",
            "",
        ] {
            assert!(!allowed(host, Some(origin)), "{origin}");
        }
        assert!(allowed(Some("localhost"), Some("http://localhost:80")));
    }

    #[test]
    fn a_header_given_twice_is_refused() {
        let host = (header::HOST, "localhost");
        let own = (header::ORIGIN, "http://localhost");
        let foreign = (header::ORIGIN, "http://evil.example");
        assert!(check("/", &[host.clone(), own.clone()]));
        assert!(!check("/", &[host.clone(), own.clone(), foreign.clone()]));
        assert!(!check("/", &[host.clone(), foreign, own]));
        assert!(!check("/", &[host.clone(), host.clone()]));
        assert!(!check("/", &[host, (header::HOST, "evil.example")]));
    }

    #[test]
    fn a_host_in_the_request_line_must_be_the_same() {
        let host = [(header::HOST, "localhost:3000")];
        assert!(check("http://localhost:3000/stacks", &host));
        for uri in [
            "http://evil.example/stacks",
            "http://localhost:3001/stacks",
            "http://127.0.0.1:3000/stacks",
            "http://user@localhost:3000/stacks",
        ] {
            assert!(!check(uri, &host), "{uri}");
        }
    }

    #[test]
    fn entries_that_match_nothing_are_refused() {
        for entry in ["http://node.example", "*", "*.example", "node.example/", ""] {
            let refused = AllowedHosts::new([entry.to_owned()]).unwrap_err();
            assert!(refused.to_string().contains(entry), "{refused}");
        }
        assert!(AllowedHosts::new([String::from("[::2]:3000")]).is_ok());
    }
}
