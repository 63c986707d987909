//! What a caller is told when the chain or the database fails.

use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, StoreError};
use atoma_domain::with_causes;
use tracing::error;

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
