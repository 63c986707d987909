//! Errors of the database as the ports report them.

use std::fmt;
use std::io;
use std::sync::Arc;

use atoma_domain::ports::{BoxedError, StoreError};

/// A failure without a result code of SQLite: the pool is closed, or a task ended.
pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(source))
}

/// A failure of SQLite: a rule of the schema forbids the statement, or the database itself fails.
pub(crate) fn statement_failed(source: sqlx::Error) -> StoreError {
    let timed_out = matches!(source, sqlx::Error::PoolTimedOut);
    match primary_code(&source) {
        Some(code::CONSTRAINT) => StoreError::Rejected(Box::new(source)),
        Some(code::FULL) => StoreError::DiskFull(Box::new(source)),
        Some(code::CORRUPT | code::NOTADB) => StoreError::Damaged(Box::new(source)),
        Some(code::BUSY | code::LOCKED) => StoreError::Locked(Box::new(source)),
        _ if timed_out => StoreError::Busy(Box::new(source)),
        _ => unavailable(source),
    }
}

/// A failure of a file beside the database.
pub(crate) fn file_failed(source: io::Error) -> StoreError {
    match is_full(&source) {
        true => StoreError::DiskFull(Box::new(source)),
        false => unavailable(source),
    }
}

/// Whether the system says that there is no space left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// SQLite's primary result code: the low byte of the extended code.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error().and_then(|error| error.code())?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// SQLite's primary result codes, without their prefix `SQLITE_`.
pub(crate) mod code {
    pub(crate) const PERM: u32 = 3;
    pub(crate) const BUSY: u32 = 5;
    pub(crate) const LOCKED: u32 = 6;
    pub(crate) const READONLY: u32 = 8;
    pub(crate) const CORRUPT: u32 = 11;
    pub(crate) const FULL: u32 = 13;
    pub(crate) const CANTOPEN: u32 = 14;
    /// A statement violates a constraint, or a trigger refuses it.
    pub(crate) const CONSTRAINT: u32 = 19;
    pub(crate) const AUTH: u32 = 23;
    pub(crate) const NOTADB: u32 = 26;
}

/// A value that the database can't hold.
pub(crate) fn out_of_range(what: impl Into<String>) -> StoreError {
    StoreError::OutOfRange { what: what.into() }
}

/// An error of several calls that were written together. Each gets one of the same kind, with the same cause.
pub(crate) fn shared(error: StoreError) -> impl Fn() -> StoreError {
    type Wrap = fn(BoxedError) -> StoreError;
    let (wrap, cause): (Wrap, BoxedError) = match error {
        StoreError::Unavailable(cause) => (StoreError::Unavailable, cause),
        StoreError::Busy(cause) => (StoreError::Busy, cause),
        StoreError::Locked(cause) => (StoreError::Locked, cause),
        StoreError::DiskFull(cause) => (StoreError::DiskFull, cause),
        StoreError::Damaged(cause) => (StoreError::Damaged, cause),
        StoreError::Rejected(cause) => (StoreError::Rejected, cause),
        // What is wrong with one call's data is never said of several.
        other => (StoreError::Rejected, Box::new(other)),
    };
    let cause = Arc::<dyn std::error::Error + Send + Sync>::from(cause);
    move || wrap(Box::new(SharedCause(Arc::clone(&cause))))
}

/// A cause that several errors have.
#[derive(Debug)]
struct SharedCause(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for SharedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SharedCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
