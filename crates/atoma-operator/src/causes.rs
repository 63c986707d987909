//! Errors with their causes, for a log line or an answer.

use std::error::Error;

use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, StoreError};
use tracing::error;

/// The messages of an error and of all its causes, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// The failure that a caller sees when a read from the chain fails.
pub(crate) fn chain_failure(cause: &ChainError) -> Failure {
    Failure::SuiNodeError {
        reason: with_causes(cause),
    }
}

/// The failure that a caller sees when the database fails. It names only the kind of error; its causes
/// are logged here.
pub fn internal(cause: StoreError) -> Failure {
    error!(error = with_causes(&cause), "the database failed");
    Failure::Internal {
        reason: cause.to_string(),
    }
}
