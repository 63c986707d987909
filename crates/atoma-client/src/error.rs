//! Why a call failed.

use atoma_api_types::ErrorBody;
use atoma_domain::journal::Failure;
use serde_json::Value;
use thiserror::Error;

/// The codes with a status from 500 on that can come without the fields of a [`Failure`].
const CODES_WITHOUT_FIELDS: [&str; 2] = ["busy", "outcome_unknown"];

/// Why a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The daemon's URL can't be used.
    #[error(
        "the URL of the daemon is invalid; give one such as http://127.0.0.1:3000, without user, password or query"
    )]
    InvalidUrl,
    /// The idempotency key can't be used.
    #[error("the idempotency key is invalid; it must have 1 to 255 visible ASCII characters")]
    InvalidKey,
    /// A segment of a path can't be used: it is empty or would lead elsewhere.
    #[error("{segment:?} names nothing; give an id")]
    InvalidSegment {
        /// The segment.
        segment: String,
    },
    /// The token can't be used.
    #[error("the token is invalid; it must be one line of visible ASCII characters")]
    InvalidToken,
    /// A certificate of an authority can't be used.
    #[error("the certificates of authorities are invalid; give them in PEM")]
    InvalidCertificate,
    /// The token would be sent where others can read it.
    #[error(
        "a token over plain HTTP to another machine can be read by others; use https://, or allow it on a network of \
         your own"
    )]
    TokenInPlainText,
    /// The system has no random numbers for an idempotency key.
    #[error("the system has no random numbers for an idempotency key; give one")]
    NoRandomNumbers,
    /// There is no connection to the daemon, so nothing was sent.
    #[error("the daemon can't be reached; check that it runs and that the URL is right")]
    NotReached(#[source] reqwest::Error),
    /// The connection broke. A write may have reached the daemon: repeat it with the same idempotency key.
    #[error("the daemon did not answer; check that it runs and that the URL is right")]
    Transport(#[source] reqwest::Error),
    /// The daemon took longer than the client waits. A write may have reached it: repeat it with the same
    /// idempotency key.
    #[error("the daemon did not answer in time; check that it runs, or allow it more")]
    TimedOut(#[source] reqwest::Error),
    /// The request could not be made, so nothing was sent.
    #[error("the request can't be sent")]
    NotSent(#[source] reqwest::Error),
    /// The daemon refused the request, or it failed.
    #[error("{body}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// What happened.
        body: Box<ErrorBody>,
    },
    /// The response is not what the API describes. Another program may listen at the URL.
    #[error(
        "the response, with status {status}, is not one of the daemon's API; check the URL and both versions"
    )]
    Undecodable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the body.
        #[source]
        source: serde_json::Error,
    },
    /// The response is larger than the client takes.
    #[error("the response has more than {most} bytes; ask for smaller pages")]
    TooLarge {
        /// The most bytes.
        most: usize,
    },
    /// A list has more entries than the caller takes.
    #[error("the list has more than {most} entries; narrow it down, or read it page by page")]
    TooMany {
        /// The most entries.
        most: usize,
    },
}

impl ClientError {
    /// Whether a write that ended like this may have been done all the same: the answer did not come, or is
    /// not one of the daemon itself, such as that of a proxy which gave up. Repeat it with the same
    /// idempotency key.
    pub fn leaves_outcome_unknown(&self) -> bool {
        match self {
            Self::Transport(_)
            | Self::TimedOut(_)
            | Self::Undecodable { .. }
            | Self::TooLarge { .. } => true,
            Self::Api { status, body } => {
                *status >= 500
                    && !CODES_WITHOUT_FIELDS.contains(&body.code.as_str())
                    && failure(body).is_none()
            }
            _ => false,
        }
    }

    /// Whether the same call may succeed later without anybody changing it: the daemon restarts, waits for the
    /// network or takes no more requests at present.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Transport(_) | Self::TimedOut(_) => true,
            Self::Api { status, .. } | Self::Undecodable { status, .. } => {
                *status == 429 || *status >= 500
            }
            _ => false,
        }
    }

    /// Whether the daemon itself answered.
    pub const fn is_of_the_api(&self) -> bool {
        matches!(self, Self::Api { .. })
    }
}

/// The failure that an error of the API tells about; `None` if it is one of HTTP alone, or of another version.
pub fn failure(body: &ErrorBody) -> Option<Failure> {
    let mut fields = body.details.clone();
    fields.insert(String::from("code"), Value::from(body.code.as_str()));
    let failure = serde_json::from_value(Value::Object(fields)).ok()?;
    match failure {
        Failure::Unrecognized { .. } => None,
        known => Some(known),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, body: Value) -> ClientError {
        let body = serde_json::from_value(body).unwrap();
        ClientError::Api { status, body }
    }

    #[test]
    fn only_the_daemon_itself_can_say_that_a_write_was_not_done() {
        let known = [
            (409, json!({"error": "why", "code": "of_the_future"})),
            (503, json!({"error": "why", "code": "busy"})),
            (503, json!({"error": "why", "code": "shutting_down"})),
            (
                502,
                json!({"error": "why", "code": "sui_node_error", "details": {"reason": "why"}}),
            ),
        ];
        for (status, body) in known {
            let error = refused(status, body);
            assert!(!error.leaves_outcome_unknown(), "{error:?}");
        }
        let foreign = json!({"error": "upstream", "code": "504"});
        assert!(refused(504, foreign).leaves_outcome_unknown());
        assert!(ClientError::TooLarge { most: 1 }.leaves_outcome_unknown());
        assert!(!ClientError::InvalidUrl.leaves_outcome_unknown());
    }

    #[test]
    fn an_error_tells_its_failure() {
        let details = json!({"transaction_id": 17, "stack_small_id": 42});
        let body = json!({"error": "why", "code": "already_settling", "details": details});
        let body = serde_json::from_value(body).unwrap();
        assert!(matches!(
            failure(&body),
            Some(Failure::AlreadySettling { .. })
        ));
        let body = json!({"error": "why", "code": "unauthorized"});
        assert_eq!(failure(&serde_json::from_value(body).unwrap()), None);
    }
}
