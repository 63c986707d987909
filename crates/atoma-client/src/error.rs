//! Why a call failed.

use atoma_api_types::ErrorBody;
use thiserror::Error;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The daemon's URL can't be used.
    #[error(
        "the URL of the daemon is invalid; give one such as http://127.0.0.1:3000, without user, password or query"
    )]
    InvalidUrl,
    /// The token can't be used.
    #[error("the token is invalid; it must be one line of visible ASCII characters")]
    InvalidToken,
    /// The token would be sent where others can read it.
    #[error(
        "a token over plain HTTP to another machine can be read by others; use https://, or allow it on a network of \
         your own"
    )]
    TokenInPlainText,
    /// The system has no random numbers for an idempotency key.
    #[error("the system has no random numbers for an idempotency key; give one")]
    NoRandomNumbers,
    /// The daemon was not reached, or the connection broke. A write may have reached it: repeat it with the
    /// same idempotency key.
    #[error("the daemon did not answer; check that it runs and that the URL is right")]
    Transport(#[source] reqwest::Error),
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
