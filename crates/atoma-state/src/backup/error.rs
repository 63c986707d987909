//! Why a backup can't be made or put back.

use std::io;
use std::path::{Path, PathBuf};

use atoma_domain::ports::BoxedError;
use atoma_domain::with_causes;
use thiserror::Error;

use crate::error::is_full;
use crate::files::folder_of;
use crate::open_error::OpenError;

/// A backup could not be made or put back. The database is as it was, unless the error says otherwise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database or the backup can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such file.
    #[error("there is no file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A backup never overwrites a file.
    #[error("the file {} exists already: give the backup another name", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The backup is not what it should be.
    #[error("the backup {} can't be used: {problem}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is a database already.
    #[error(
        "there is a database at {} already; with `--replace` it is moved to a folder beside it",
        .path.display()
    )]
    Replaces {
        /// The file.
        path: PathBuf,
    },
    /// A program has the database open.
    #[error("a program has the database {} open: stop it first", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// There is no space for a copy.
    #[error("the disk of {} is full: free some space", .folder.display())]
    DiskFull {
        /// The folder that the copy was written to.
        folder: PathBuf,
        /// The error of SQLite or the system.
        #[source]
        source: BoxedError,
    },
    /// The restore failed half-way.
    #[error(
        "the restore has begun and is not finished{}; no program opens {} before it is: run it again",
        .kept_in.as_deref().map(in_folder).unwrap_or_default(), .path.display()
    )]
    Unfinished {
        /// The database.
        path: PathBuf,
        /// The folder that holds what was there before, as far as it was moved.
        kept_in: Option<PathBuf>,
        /// What failed.
        #[source]
        source: Box<BackupError>,
    },
    /// The system refused something.
    #[error("can't {action} {}", .path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's or SQLite's error.
        #[source]
        source: BoxedError,
    },
}

fn in_folder(kept_in: &Path) -> String {
    format!(", and what was there before is in {}", kept_in.display())
}

impl BackupError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source: source.into(),
        }
    }

    /// A copy of `backup` could not be written to `folder`.
    pub(super) fn not_copied(backup: &Path, folder: &Path) -> impl FnOnce(io::Error) -> Self {
        let (path, folder) = (backup.to_path_buf(), folder.to_path_buf());
        move |source| match is_full(&source) {
            true => Self::DiskFull {
                folder,
                source: source.into(),
            },
            false => Self::File {
                action: "copy",
                path,
                source: source.into(),
            },
        }
    }

    /// What is wrong with the copy of a file is wrong with the file. The copy, under its passing name, is unknown to the
    /// operator and gone by now.
    pub(super) fn of(self, file: &Path) -> Self {
        let path = file.to_path_buf();
        let unusable = |problem: String| Self::unusable(file, problem);
        match self {
            Self::Unusable { problem, .. } => unusable(problem),
            Self::File { action, source, .. } => Self::File {
                action,
                path,
                source,
            },
            Self::Open(error) => match error {
                OpenError::NotADatabase { .. } => unusable(String::from("it is not a database")),
                OpenError::Foreign { .. } => unusable(String::from(
                    "it is a database of another program, or of a version of the daemon from before the first release",
                )),
                OpenError::Newer { migration, .. } => unusable(format!(
                    "it was made by a later version of the daemon (migration {migration}); restore it with that version"
                )),
                OpenError::Outdated { .. } => unusable(String::from(
                    "it was made by an earlier, unreleased version of the daemon and can't be converted",
                )),
                OpenError::Damaged { source, .. } => {
                    unusable(format!("it is damaged ({})", with_causes(source.as_ref())))
                }
                OpenError::DiskFull { source, .. } => Self::DiskFull {
                    folder: folder_of(file).to_path_buf(),
                    source,
                },
                OpenError::Locked { source, .. }
                | OpenError::NoAccess { source, .. }
                | OpenError::Failed { source, .. } => Self::File {
                    action: "read",
                    path,
                    source,
                },
                other => Self::Open(other),
            },
            other => other,
        }
    }

    pub(super) fn unusable(path: &Path, problem: impl Into<String>) -> Self {
        Self::Unusable {
            path: path.to_path_buf(),
            problem: problem.into(),
        }
    }
}
