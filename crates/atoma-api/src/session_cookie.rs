//! The cookie of a session: its name, how it is read and written, and who may send it.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HOST, HeaderMap, HeaderName};

use crate::authority::Authority;
use crate::error::ApiError;

/// The header that only the daemon's own page can add to a request: a form can't, and a script of another origin would have
/// to be allowed to.
const PAGE_HEADER: HeaderName = HeaderName::from_static("x-atoma-page");
/// Where a browser says which page sent a request.
const SENT_FROM: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The name of the cookie for the request's host. Cookies of all ports of a host are in one place, so it names the port.
fn name(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let port = host
        .and_then(Authority::parse)
        .and_then(|host| host.named_port());
    port.map_or_else(
        || String::from("atoma_session"),
        |port| format!("atoma_session_{port}"),
    )
}

/// The value of the request's only session cookie.
pub(crate) fn read(headers: &HeaderMap) -> Option<&str> {
    let name = name(headers);
    let lines = headers
        .get_all(COOKIE)
        .filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let pairs = pairs.filter_map(|pair| pair.trim_matches(' ').split_once('='));
    let mut values = pairs.filter(|(given, _)| *given == name);
    let (_, value) = values.next()?;
    // Of two, one may be somebody else's.
    values.next().is_none().then_some(value)
}

/// The header that makes a browser keep a session for a while; none at all forgets it.
pub(crate) fn kept(
    headers: &HeaderMap,
    value: &str,
    lasts: Duration,
    is_encrypted: bool,
) -> String {
    let name = name(headers);
    let secure = if is_encrypted { "; Secure" } else { "" };
    format!(
        "{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}{secure}",
        lasts.as_secs()
    )
}

/// Refuses a cookie that a browser added to a request of another page. Its owner has not asked for that.
pub(crate) fn check_sender(headers: &HeaderMap, is_read: bool) -> Result<(), ApiError> {
    let is_own = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    if !headers
        .get_all(SENT_FROM)
        .all(|site| is_own(site.as_bytes()))
    {
        return Err(ApiError::ForeignOrigin);
    }
    let has_page_header = headers.get(PAGE_HEADER).is_some_and(|value| value == "1");
    if is_read || has_page_header {
        Ok(())
    } else {
        Err(ApiError::PageHeaderMissing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_cookie_of_this_port_is_read_if_there_is_just_one() {
        for (host, cookies, expected) in [
            (
                "127.0.0.1:3000",
                &["a=1; atoma_session_3000=v; b=2"][..],
                Some("v"),
            ),
            (
                "127.0.0.1:3000",
                &["a=1", "atoma_session_3000=v"],
                Some("v"),
            ),
            ("127.0.0.1:3000", &["atoma_session_3001=v"], None),
            ("127.0.0.1:3000", &["atoma_session=v"], None),
            ("node.example", &["atoma_session=v"], Some("v")),
            ("node.example", &["atoma_session=v;atoma_session=w"], None),
            (
                "node.example",
                &["atoma_session=v", "atoma_session=v"],
                None,
            ),
            ("node.example", &["atoma_session", ""], None),
            ("node.example", &[], None),
        ] {
            let cookies = cookies.iter().map(|cookie| (COOKIE, *cookie));
            let fields: Vec<_> = cookies.chain([(HOST, host)]).collect();
            assert_eq!(read(&headers(&fields)), expected, "{host} {fields:?}");
        }
    }

    #[test]
    fn scripts_and_other_sites_never_get_the_cookie() {
        let fields = headers(&[(HOST, "127.0.0.1:3000")]);
        let kept = |is_encrypted| kept(&fields, "v", Duration::from_secs(60), is_encrypted);
        assert_eq!(
            kept(true),
            "atoma_session_3000=v; HttpOnly; SameSite=Strict; Path=/; Max-Age=60; Secure"
        );
        assert!(!kept(false).contains("Secure"));
    }

    #[test]
    fn only_the_own_page_sends_it() {
        let own = (SENT_FROM, "same-origin");
        let page = (PAGE_HEADER, "1");
        for (fields, read, write) in [
            (&[][..], true, false),
            (std::slice::from_ref(&page), true, true),
            (&[own.clone(), page.clone()], true, true),
            (std::slice::from_ref(&own), true, false),
            (&[own.clone(), (PAGE_HEADER, "yes")], true, false),
            (&[(SENT_FROM, "none"), page.clone()], true, true),
            (&[(SENT_FROM, "same-site"), page.clone()], false, false),
            (&[(SENT_FROM, "cross-site"), page.clone()], false, false),
            (
                &[own.clone(), (SENT_FROM, "cross-site"), page.clone()],
                false,
                false,
            ),
        ] {
            let headers = headers(fields);
            assert_eq!(check_sender(&headers, true).is_ok(), read, "{fields:?}");
            assert_eq!(check_sender(&headers, false).is_ok(), write, "{fields:?}");
        }
    }
}
