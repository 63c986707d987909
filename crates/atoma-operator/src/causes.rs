//! Errors with all that led to them, for a log line or an answer.

use std::error::Error;

use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, StoreError};
use tracing::error;

/// The error's message and those of all its causes, in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// A question to the chain that was not answered, as the caller sees it.
pub(crate) fn chain_failure(cause: &ChainError) -> Failure {
    Failure::SuiNodeError {
        reason: with_causes(cause),
    }
}

/// A database failure as the caller sees it, who is told no more than its kind; its causes are
/// logged here, where it is handled.
pub(crate) fn internal(cause: StoreError) -> Failure {
    error!(error = with_causes(&cause), "the database failed");
    Failure::Internal {
        reason: cause.to_string(),
    }
}
