//! Errors of the database as the ports report them.

use atoma_domain::ports::StoreError;

/// A failure of the database itself: it is locked, full, closed or broken.
pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(source))
}

/// A failure of a statement: a rule of the schema forbids it, or the database itself fails.
pub(crate) fn statement_failed(source: sqlx::Error) -> StoreError {
    match primary_code(&source) {
        Some(SQLITE_CONSTRAINT) => StoreError::Rejected(Box::new(source)),
        _ => unavailable(source),
    }
}

/// SQLite's primary result code: the low byte of the extended code.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error().and_then(|error| error.code())?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// The result code of a statement that violates a constraint, or that a trigger refuses.
const SQLITE_CONSTRAINT: u32 = 19;

/// A value that the database can't hold.
pub(crate) fn out_of_range(what: impl Into<String>) -> StoreError {
    StoreError::OutOfRange { what: what.into() }
}
