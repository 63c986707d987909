//! Why a webhook can't be set up.

use thiserror::Error;

/// Why a webhook can't be set up. Without the URL, which can be a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no URL.
    #[error("it needs a URL")]
    NoUrl,
    /// The URL can't be read, is of another scheme, or has a user name or password.
    #[error("its URL must be one of https:// without a user name")]
    InvalidUrl,
    /// Others could read the messages on their way.
    #[error(
        "its URL begins with http:// and leads to another machine: use https://, or allow http"
    )]
    PlainText,
    /// PagerDuty needs a routing key.
    #[error("it needs a secret: the routing key of PagerDuty")]
    NoRoutingKey,
    /// The secret is too short to be one.
    #[error("its secret has fewer than {least} characters")]
    ShortSecret {
        /// The fewest characters.
        least: usize,
    },
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
    Client(#[source] reqwest::Error),
}
