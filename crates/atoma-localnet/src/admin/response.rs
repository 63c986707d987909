//! The answers to control calls.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::LocalNetError;

/// A failed call; the response is the error as JSON.
pub(super) struct ControlError(LocalNetError);

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self.0 {
            LocalNetError::Action(_) | LocalNetError::Key(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = axum::Json(json!({ "error": self.0.to_string() }));
        (status, body).into_response()
    }
}

impl From<LocalNetError> for ControlError {
    fn from(error: LocalNetError) -> Self {
        Self(error)
    }
}

/// The error of work that ended with the process.
pub(super) fn stopped(error: tokio::task::JoinError) -> ControlError {
    ControlError(LocalNetError::Action(format!(
        "the work ended early: {error}"
    )))
}

pub(super) type ControlResult = Result<axum::Json<Value>, ControlError>;

pub(super) fn respond(value: Value) -> ControlResult {
    Ok(axum::Json(value))
}
