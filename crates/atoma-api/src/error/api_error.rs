//! The error of every handler and extractor.

use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use atoma_api_types::ErrorBody;
use atoma_domain::journal::Failure;
use atoma_domain::ports::StoreError;
use atoma_operator::{Unsuccessful, internal};
use thiserror::Error;

use crate::caller::{ErrorCode, Transactions};

use super::body::{error_body, unsuccessful_body, without_details};
use super::failures::{overall_status, retry_after, status};

/// What a handler returns.
pub(crate) type ApiResult = Result<HttpResponse, ApiError>;

/// Why a request got no other response.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// A use case failed.
    #[error("{0}")]
    Failure(Failure),
    /// One transaction did not succeed, or not yet.
    #[error("{}", .0.failure)]
    Unsuccessful(Box<Unsuccessful>),
    /// `Host` names another machine.
    #[error(
        "The request's host is not a name of this daemon. Send one `Host` with a loopback address, or add the \
         host to the setting `allowed_hosts`."
    )]
    ForeignHost,
    /// A web page of another origin sent it.
    #[error(
        "A web page of another origin sent this request. Only a page whose `Origin` is `http://` (`https://` with \
         encryption) and the \
         request's own `Host` may call the API: serve both under one address with a proxy that keeps `Host`, \
         or send the request from a program instead of a page."
    )]
    ForeignOrigin,
    /// Its cookie comes from a page that may not be the daemon's own.
    #[error(
        "The request has the cookie of a session and lacks the header `X-Atoma-Page: 1`, which writes of the operator's \
         page have. A program sends a token in `Authorization` instead of the cookie."
    )]
    PageHeaderMissing,
    /// Its session is over.
    #[error("The session of the operator's page is over. Sign in again.")]
    SessionOver,
    /// It has no token.
    #[error(
        "The request has no token. Send `Authorization: Bearer` with a token of the setting `tokens`."
    )]
    TokenMissing,
    /// Its token is none of the daemon's.
    #[error(
        "The token in `Authorization` is not one of this daemon. Send `Authorization: Bearer` with the current value \
         of a token of the setting `tokens`."
    )]
    TokenUnknown,
    /// Its token allows reads only.
    #[error(
        "The token `{token}` has the scope `read`, which allows reads only. Use a token with the scope `operate`."
    )]
    InsufficientScope {
        /// The token's name.
        token: String,
    },
    /// Its caller has sent too many requests.
    #[error(
        "There were more requests by the caller `{caller}` than the setting `rate_limits.{setting}` allows. Try again \
         in {retry_after_s} s."
    )]
    RateLimited {
        /// The token's name, or what stands for none.
        caller: String,
        /// The setting that limits them.
        setting: &'static str,
        /// When the next one is allowed, in seconds.
        retry_after_s: u64,
    },
    /// No route has this path.
    #[error("There is no endpoint at {path}. Check the path.")]
    NoRoute {
        /// The path.
        path: String,
    },
    /// The route has another method.
    #[error("{path} does not take {method}. Use {allowed}.")]
    MethodNotAllowed {
        /// The path.
        path: String,
        /// The method that was used.
        method: Method,
        /// The methods that the route takes, separated by commas.
        allowed: String,
    },
    /// The response has no form that the client takes.
    #[error(
        "`Accept-Encoding` allows neither gzip nor an uncompressed response. Allow one of them, or leave the header \
         out."
    )]
    NotAcceptable,
    /// The body is over the limit.
    #[error("The request body is larger than 1 MiB. Split it into several requests.")]
    BodyTooLarge,
    /// The body is not declared as JSON.
    #[error("The request body is not JSON. Send JSON with `Content-Type: application/json`.")]
    NotJson,
    /// The body stopped arriving.
    #[error(
        "The request body did not arrive: nothing came for {idle_s} s, or not all of it in {whole_s} s. Send it \
         in one go."
    )]
    BodyTimeout {
        /// The longest pause, in seconds.
        idle_s: u64,
        /// The longest time for all of it, in seconds.
        whole_s: u64,
    },
    /// As much of this kind is under way as the daemon allows, so that other work goes on.
    #[error("The daemon has too many {what} under way. Try again in {BUSY_RETRY_S} s.")]
    Busy {
        /// What there is too much of.
        what: &'static str,
    },
}

/// When to try again after [`ApiError::Busy`], in seconds.
const BUSY_RETRY_S: u64 = 1;

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Unsuccessful> for ApiError {
    fn from(unsuccessful: Unsuccessful) -> Self {
        Self::Unsuccessful(Box::new(unsuccessful))
    }
}

impl From<StoreError> for ApiError {
    fn from(cause: StoreError) -> Self {
        internal(cause).into()
    }
}

impl ApiError {
    /// A malformed request; the message is a whole sentence that names what to change.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Failure(Failure::InvalidRequest {
            message: message.into(),
        })
    }

    /// A request for a path that no route has.
    pub(crate) fn no_route(request: &HttpRequest) -> Self {
        Self::NoRoute {
            path: request.path().to_owned(),
        }
    }

    /// A request for a route that takes only another method.
    pub(crate) fn method_not_allowed(request: &HttpRequest, allowed: &[Method]) -> Self {
        let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
        Self::MethodNotAllowed {
            path: request.path().to_owned(),
            method: request.method().clone(),
            allowed: allowed.join(", "),
        }
    }

    /// One of each error of the HTTP layer itself.
    pub(crate) fn examples() -> [Self; 15] {
        let path = || String::from("/stack");
        [
            Self::ForeignHost,
            Self::ForeignOrigin,
            Self::PageHeaderMissing,
            Self::TokenMissing,
            Self::TokenUnknown,
            Self::SessionOver,
            Self::InsufficientScope {
                token: String::from("monitoring"),
            },
            Self::RateLimited {
                caller: String::from("monitoring"),
                setting: "reads_per_minute",
                retry_after_s: 2,
            },
            Self::NoRoute { path: path() },
            Self::MethodNotAllowed {
                path: path(),
                method: Method::GET,
                allowed: String::from("POST"),
            },
            Self::NotAcceptable,
            Self::BodyTooLarge,
            Self::NotJson,
            Self::BodyTimeout {
                idle_s: 10,
                whole_s: 60,
            },
            Self::Busy { what: "lists" },
        ]
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Failure(failure) => retry_after(failure),
            Self::Unsuccessful(unsuccessful) => retry_after(&unsuccessful.failure),
            Self::RateLimited { retry_after_s, .. } => Some(*retry_after_s),
            Self::Busy { .. } => Some(BUSY_RETRY_S),
            _ => None,
        }
    }

    /// What to authenticate with, as RFC 6750 words it.
    const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::TokenMissing | Self::SessionOver => Some("Bearer"),
            Self::TokenUnknown => Some(r#"Bearer error="invalid_token""#),
            Self::InsufficientScope { .. } => {
                Some(r#"Bearer error="insufficient_scope", scope="operate""#)
            }
            _ => None,
        }
    }

    pub(crate) fn status_and_body(&self) -> (StatusCode, ErrorBody) {
        let (status, code) = match self {
            Self::Failure(failure) => return (status(failure), error_body(failure)),
            Self::Unsuccessful(unsuccessful) => {
                let body = unsuccessful_body(unsuccessful);
                return (overall_status(unsuccessful), body);
            }
            Self::ForeignHost | Self::ForeignOrigin | Self::PageHeaderMissing => {
                (StatusCode::FORBIDDEN, "forbidden")
            }
            Self::TokenMissing | Self::TokenUnknown | Self::SessionOver => {
                (StatusCode::UNAUTHORIZED, "unauthorized")
            }
            Self::InsufficientScope { .. } => (StatusCode::FORBIDDEN, "insufficient_scope"),
            Self::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::NoRoute { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not_acceptable"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
            Self::BodyTimeout { .. } => (StatusCode::REQUEST_TIMEOUT, "body_timeout"),
            Self::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        };
        (status, without_details(code, self.to_string()))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status_and_body().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, body) = self.status_and_body();
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(challenge) = self.challenge() {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Self::MethodNotAllowed { allowed, .. } = self {
            response.insert_header((ALLOW, allowed.as_str()));
        }
        let transaction = body.details.get("transaction_id").map(ToString::to_string);
        {
            let mut extensions = response.extensions_mut();
            extensions.insert(ErrorCode(body.code.clone()));
            if let Self::Unsuccessful(_) = self
                && let Some(transaction) = transaction
            {
                extensions.insert(Transactions(vec![transaction]));
            }
        }
        response.json(body)
    }
}
