//! The answers to control calls.

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::LocalNetError;

/// A failed call; the response is the error as JSON.
pub(super) enum ControlError {
    /// The network did not do it.
    Failed(LocalNetError),
    /// The request can't be understood.
    Malformed(StatusCode, String),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Failed(error @ (LocalNetError::Action(_) | LocalNetError::Key(_))) => {
                (StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            Self::Failed(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Self::Malformed(status, error) => (status, error),
        };
        (status, axum::Json(json!({ "error": error }))).into_response()
    }
}

impl From<LocalNetError> for ControlError {
    fn from(error: LocalNetError) -> Self {
        Self::Failed(error)
    }
}

/// The error of work that ended with the process.
pub(super) fn stopped(error: tokio::task::JoinError) -> ControlError {
    LocalNetError::Action(format!("the work ended early: {error}")).into()
}

/// There is no call with this path.
pub(super) async fn no_call(uri: Uri) -> ControlError {
    let error = format!("there is no control call {}", uri.path());
    ControlError::Malformed(StatusCode::NOT_FOUND, error)
}

/// The call has another method.
pub(super) async fn other_method(method: Method, uri: Uri) -> ControlError {
    let error = format!("{} does not take {method}", uri.path());
    ControlError::Malformed(StatusCode::METHOD_NOT_ALLOWED, error)
}

pub(super) type ControlResult = Result<axum::Json<Value>, ControlError>;

pub(super) fn respond(value: Value) -> ControlResult {
    Ok(axum::Json(value))
}
