//! Why a database can't be opened, told apart by what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use atoma_domain::ports::BoxedError;
use sqlx::migrate::MigrateError;
use thiserror::Error;

use crate::error::{code, is_full, primary_code};

/// A database could not be opened. It is left as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its schema is from before the first migration that this version has.
    #[error(
        "the database {} was made by an earlier, unreleased version of the daemon and can't be \
         converted: finish its open settlements with that version, then move the data directory \
         away and start again; the daemon mirrors the chain anew, but the records of served work \
         stay behind",
        .path.display()
    )]
    Outdated {
        /// The file.
        path: PathBuf,
    },
    /// Its schema has a migration that this version doesn't know.
    #[error(
        "the database {} was made by a later version of the daemon (migration {migration}): run \
         that version",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The migration's number.
        migration: i64,
    },
    /// It is missing, empty or older, and this opening may not migrate it.
    #[error(
        "the database {} is missing or its schema is older than this program: start the daemon of \
         this version first, which creates and migrates it",
        .path.display()
    )]
    NotMigrated {
        /// The file.
        path: PathBuf,
    },
    /// It must be migrated, but another process has it open.
    #[error(
        "the database {} must be migrated, but another process has it open or migrates it: stop \
         the other process and start again",
        .path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A restore of a backup was interrupted.
    #[error(
        "a restore of the database {} was interrupted: run `atoma-daemon restore` again",
        .path.display()
    )]
    Restoring {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds its lock for longer than the busy timeout.
    #[error(
        "another process has locked the database {}: end its transaction and start again",
        .path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        #[source]
        source: BoxedError,
    },
    /// There is no space for it.
    #[error("the disk of the database {} is full: free some space and start again", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The error of SQLite or the system.
        #[source]
        source: BoxedError,
    },
    /// Its content is damaged.
    #[error(
        "the database {} is damaged: move it away with its -wal and -shm files and restore a backup",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        #[source]
        source: BoxedError,
    },
    /// The file is no SQLite database.
    #[error(
        "the file {} is not a database: move it away, or set another data directory",
        .path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error(
        "the database {} belongs to another program, or to a version of the daemon from before the \
         first release: move it away, or set another data directory",
        .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder can't be read or written.
    #[error(
        "no access to the database {}: check that it is a file, and that this program's user may \
         read and write it and its folder",
        .path.display()
    )]
    NoAccess {
        /// The file.
        path: PathBuf,
        /// The error of SQLite or the system.
        #[source]
        source: BoxedError,
    },
    /// Any other failure.
    #[error("cannot open the database {}", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The error of SQLite or the system.
        #[source]
        source: BoxedError,
    },
}

/// Whether another connection's lock is the cause.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

impl OpenError {
    pub(crate) fn sqlite(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_path_buf();
        // The pool waits for a connection as long as SQLite waits for a lock.
        let timed_out = matches!(error, sqlx::Error::PoolTimedOut);
        let primary = primary_code(&error);
        let source: BoxedError = Box::new(error);
        match primary {
            _ if timed_out => Self::Locked { path, source },
            Some(code::BUSY | code::LOCKED) => Self::Locked { path, source },
            Some(code::FULL) => Self::DiskFull { path, source },
            Some(code::CORRUPT) => Self::Damaged { path, source },
            Some(code::NOTADB) => Self::NotADatabase { path },
            Some(code::PERM | code::READONLY | code::CANTOPEN | code::AUTH) => {
                Self::NoAccess { path, source }
            }
            _ => Self::Failed { path, source },
        }
    }

    pub(crate) fn migration(path: &Path, error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::sqlite(path, error)
            }
            other => Self::Failed {
                path: path.to_path_buf(),
                source: Box::new(other),
            },
        }
    }

    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        use io::ErrorKind::{IsADirectory, NotADirectory, PermissionDenied, ReadOnlyFilesystem};
        let path = path.to_path_buf();
        let (kind, is_full) = (error.kind(), is_full(&error));
        let source: BoxedError = Box::new(error);
        match kind {
            _ if is_full => Self::DiskFull { path, source },
            PermissionDenied | ReadOnlyFilesystem | IsADirectory | NotADirectory => {
                Self::NoAccess { path, source }
            }
            _ => Self::Failed { path, source },
        }
    }
}

#[cfg(test)]
mod tests;
