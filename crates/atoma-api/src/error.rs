//! Errors as the API answers them: status and stable code beside each other.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{StoreError, WorkError};
use atoma_operator::Unsuccessful;
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;
use tracing::error;

/// What went wrong with a request.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// A use case failed.
    #[error("{0}")]
    Failure(Failure),
    /// One transaction did not succeed, or not yet.
    #[error("{}", .0.failure)]
    Unsuccessful(Box<Unsuccessful>),
    /// The request was refused by the rules for hosts and origins.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path takes other methods.
    #[error("the path does not take this method")]
    Method,
    /// The body is over the limit.
    #[error("the body is over 1 MiB")]
    TooLarge,
    /// The body is not JSON.
    #[error("the body must be JSON, with `Content-Type: application/json`")]
    NotJson,
}

/// The body of every error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    error: String,
    code: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    details: Map<String, Value>,
}

impl From<&Failure> for ErrorBody {
    fn from(failure: &Failure) -> Self {
        let (code, details) = failure.code_and_details();
        Self {
            error: failure.to_string(),
            code,
            details,
        }
    }
}

impl From<&Unsuccessful> for ErrorBody {
    fn from(unsuccessful: &Unsuccessful) -> Self {
        let mut body = Self::from(&unsuccessful.failure);
        if let Some(id) = unsuccessful.transaction_id {
            body.details
                .insert(String::from("transaction_id"), json!(id));
        }
        if let Some(digest) = unsuccessful.tx_digest {
            body.details
                .insert(String::from("tx_digest"), json!(digest));
        }
        body
    }
}

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
        error!(error = %cause, "the database failed");
        Self::Failure(Failure::Internal {
            reason: cause.to_string(),
        })
    }
}

impl From<WorkError> for ApiError {
    fn from(cause: WorkError) -> Self {
        match cause {
            WorkError::Refused(failure) => Self::Failure(failure),
            WorkError::UnknownReservation(_) => Self::invalid(cause.to_string()),
            WorkError::Store(cause) => cause.into(),
        }
    }
}

impl ApiError {
    /// A request that can't be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Failure(Failure::InvalidRequest {
            message: message.into(),
        })
    }

    fn body(&self) -> ErrorBody {
        let code = match self {
            Self::Failure(failure) => return failure.into(),
            Self::Unsuccessful(unsuccessful) => return unsuccessful.as_ref().into(),
            Self::Forbidden(_) => "forbidden",
            Self::NoRoute => "not_found",
            Self::Method => "method_not_allowed",
            Self::TooLarge => "body_too_large",
            Self::NotJson => "not_json",
        };
        ErrorBody {
            error: self.to_string(),
            code: code.to_owned(),
            details: Map::new(),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Failure(failure) => status(failure),
            Self::Unsuccessful(unsuccessful) => status(&unsuccessful.failure),
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        let failure = match self {
            Self::Failure(failure) => Some(failure),
            Self::Unsuccessful(unsuccessful) => Some(&unsuccessful.failure),
            _ => None,
        };
        if let Some(seconds) = failure.and_then(retry_after) {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(self.body())
    }
}

/// After how many seconds it is worth to ask again, where that is known.
pub(crate) fn retry_after(failure: &Failure) -> Option<u64> {
    match failure {
        Failure::QueueFull { .. } => Some(1),
        Failure::BreakerOpen { retry_after_s, .. } => Some(*retry_after_s),
        // What was spent leaves the 24 hours little by little.
        Failure::SpendCapReached { .. } => Some(600),
        _ => None,
    }
}

/// The status of every failure; its code is the variant's name in `snake_case`.
pub(crate) fn status(failure: &Failure) -> StatusCode {
    use Failure as F;
    match failure {
        F::InvalidRequest { .. } | F::AmbiguousNode { .. } | F::NodeMismatch { .. } => {
            StatusCode::BAD_REQUEST
        }
        F::UnknownStack { .. }
        | F::UnknownTask { .. }
        | F::UnknownNode { .. }
        | F::UnknownBadge { .. }
        | F::NoNodeRegistered {}
        | F::UnknownTransaction { .. } => StatusCode::NOT_FOUND,
        F::NotSettled { .. }
        | F::AlreadyRegistered { .. }
        | F::AlreadySubscribed { .. }
        | F::NotSubscribed { .. }
        | F::AlreadySettling { .. }
        | F::AlreadyAttested { .. }
        | F::AlreadyClaimed { .. }
        | F::AlreadyInDispute { .. }
        | F::InFlightWithOtherParameters { .. }
        | F::IdempotencyKeyReused {}
        | F::MayStillExecute { .. }
        | F::AlreadyFinal { .. }
        | F::Abandoned {}
        | F::NeedsNoSettlement { .. }
        | F::StackHasNoMessages { .. }
        | F::RequestsInProgress { .. }
        | F::NothingToAttestWith { .. }
        | F::NothingToDispute { .. }
        | F::NotYetClaimable { .. } => StatusCode::CONFLICT,
        F::NodeNotSelected { .. }
        | F::AttestationNotRequested { .. }
        | F::NoAttestationRequested { .. }
        | F::AttestationWindowOver { .. }
        | F::CommitmentMismatch { .. }
        | F::StackInDispute { .. }
        | F::TooManyComputeUnits { .. }
        | F::StackOverflow { .. }
        | F::TaskRemoved { .. }
        | F::ContractAbort { .. }
        | F::TreasuryShort {}
        | F::ExecutionFailed { .. }
        | F::GasBudgetTooLow { .. }
        | F::GasBalanceInsufficient { .. }
        | F::ObjectNotUsable { .. }
        | F::TransactionRefused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        F::QueueFull { .. } | F::SpendCapReached { .. } => StatusCode::TOO_MANY_REQUESTS,
        F::SuiNodeError { .. } => StatusCode::BAD_GATEWAY,
        F::NotReady { .. }
        | F::ShuttingDown {}
        | F::BadgeUsedElsewhere { .. }
        | F::BreakerOpen { .. } => StatusCode::SERVICE_UNAVAILABLE,
        F::OutcomeUnknown { .. } => StatusCode::GATEWAY_TIMEOUT,
        F::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
