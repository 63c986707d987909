//! The HTTP parser's own refusals, and what replaces them.

use actix_web::http::StatusCode;

use crate::error::without_details;
use crate::headers::FOR_BROWSERS;

/// No head of such an answer is longer.
const LONGEST_HEAD: usize = 256;
const HEAD: &[u8] = b"HTTP/1.1 ";

/// What is before an answer of the parser at the end of these bytes, and the answer's status; `None` if
/// there is none. The JSON of other answers has no line ends, so it can't be mistaken for a head.
pub(super) fn refusal_at_end(bytes: &[u8]) -> Option<(&[u8], StatusCode)> {
    let tail_at = bytes.len().saturating_sub(LONGEST_HEAD);
    let tail = bytes.get(tail_at..)?;
    let at = tail
        .windows(HEAD.len())
        .rposition(|window| window == HEAD)?;
    let head = std::str::from_utf8(tail.get(at..)?).ok()?;
    let mut lines = head.strip_suffix("\r\n\r\n")?.split("\r\n");
    let code = lines.next()?.split(' ').nth(1)?;
    let status = StatusCode::from_bytes(code.as_bytes()).ok()?;
    let is_refusal = status.is_client_error() || status.is_server_error();
    let is_empty = lines.any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    (is_refusal && is_empty).then_some((bytes.get(..tail_at.checked_add(at)?)?, status))
}

/// The parser's refusals: status, code and sentence.
pub(crate) const REFUSALS: [(StatusCode, &str, &str); 3] = [
    (
        StatusCode::BAD_REQUEST,
        "invalid_request",
        "The request is not well-formed HTTP/1.1. Send it with an HTTP client.",
    ),
    (
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        "The head of the request did not arrive in time. Send it in one go.",
    ),
    (
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "head_too_large",
        "The request's head is too large. Send fewer or shorter headers and a shorter path.",
    ),
];

/// The answer of this status with a body.
pub(super) fn refusal(status: StatusCode) -> Vec<u8> {
    let known = REFUSALS.into_iter().find(|(of, ..)| *of == status);
    let (code, sentence) = known.map_or(
        (
            "internal",
            "The HTTP server failed to read the request. Send it again.",
        ),
        |(_, code, sentence)| (code, sentence),
    );
    let body = without_details(code, sentence.to_owned());
    let json = serde_json::to_string(&body).unwrap_or_default();
    let for_browsers: String = FOR_BROWSERS
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncontent-type: application/json\r\n{for_browsers}\
         connection: close\r\n\r\n{json}",
        json.len()
    )
    .into_bytes()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::connection) const REFUSED: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: Thu\r\n\r\n";
    pub(in crate::connection) const OTHERS: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
        b"{\"error\": \"HTTP/1.1 400 Bad Request\\r\\ncontent-length: 0\"}",
        b"",
    ];

    #[test]
    fn only_a_failure_without_a_body_is_the_parsers() {
        let (before, status) = refusal_at_end(REFUSED).unwrap();
        assert_eq!((before, status.as_u16()), (&b""[..], 400));
        for other in OTHERS {
            assert!(refusal_at_end(other).is_none());
            let both = [*other, REFUSED].concat();
            assert_eq!(refusal_at_end(&both).unwrap().0, *other);
        }
    }
}
