//! Errors of the database as the ports report them.

use atoma_domain::ports::StoreError;

/// A failure of the database itself: it is locked, full, closed or broken.
pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(source))
}

/// A value that the database can't hold.
pub(crate) fn out_of_range(what: impl Into<String>) -> StoreError {
    StoreError::OutOfRange { what: what.into() }
}
