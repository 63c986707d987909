//! Why a node does not start.

use atoma_domain::ports::{ChainError, StoreError};
use thiserror::Error;

use crate::badges::ReconcileError;

/// Why the start of a node is not complete.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The Sui node did not answer, but may later.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The configured ids are not the contract's.
    #[error(transparent)]
    Contract(ChainError),
    /// The database failed or belongs to another chain.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReconcileError> for StartError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Chain(source) => Self::Chain(source),
            ReconcileError::Store(source) => Self::Store(source),
        }
    }
}

impl StartError {
    /// Whether the start may succeed later without anyone's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Chain(_) => true,
            Self::Contract(_) => false,
            Self::Store(error) => error.is_temporary(),
        }
    }
}
