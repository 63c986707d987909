//! Why the earlier node's records can't be read.

use std::io;
use std::path::{Path, PathBuf};

use atoma_domain::ports::BoxedError;
use thiserror::Error;

use crate::error::{code, primary_code};

/// The earlier node's database can't be read. Nothing has changed, there or here. No error names a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such file.
    #[error("there is no file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A write was interrupted, and what is half done must be taken back before anybody reads.
    #[error(
        "the earlier node was stopped in the middle of a write to {path}; complete it with `sqlite3 {path} \
         'SELECT count(*) FROM stacks'`, as the user that the file belongs to, and import again",
        path = .path.display()
    )]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// It has no table of that name with those columns.
    #[error("{source_name} is not a database of the earlier Atoma node: {problem}")]
    Foreign {
        /// The database.
        source_name: String,
        /// What is missing.
        problem: String,
    },
    /// The version of the earlier node that wrote it kept no hashes of messages.
    #[error(
        "{source_name} has no column `total_hash`: this version of the earlier Atoma node kept no hashes of messages, and \
         without them there is nothing that a settlement could commit to"
    )]
    NoHashes {
        /// The database.
        source_name: String,
    },
    /// It has more rows than anybody has bought stacks.
    #[error("{source_name} has more than {limit} stacks")]
    TooManyStacks {
        /// The database.
        source_name: String,
        /// The most that are read.
        limit: usize,
    },
    /// No answer came in time.
    #[error("{source_name} did not answer within {seconds} seconds")]
    Silent {
        /// The database.
        source_name: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Anything else.
    #[error("can't read {source_name}")]
    Unreadable {
        /// The database.
        source_name: String,
        /// The error of the database or the system.
        #[source]
        source: BoxedError,
    },
}

impl ImportError {
    /// A database failed.
    pub(super) fn database(source_name: &str, error: sqlx::Error) -> Self {
        Self::Unreadable {
            source_name: source_name.to_owned(),
            source: error.into(),
        }
    }

    /// SQLite failed. A rollback journal that must be played back first is a matter of its own: that would write.
    pub(super) fn sqlite(path: &Path, source_name: &str, error: sqlx::Error) -> Self {
        let is_hot = matches!(primary_code(&error), Some(code::READONLY | code::CANTOPEN))
            && journal_of(path).exists();
        match is_hot {
            true => Self::Interrupted {
                path: path.to_path_buf(),
            },
            false => Self::database(source_name, error),
        }
    }

    /// The system refused something.
    pub(super) fn file(source_name: &str, error: io::Error) -> Self {
        Self::Unreadable {
            source_name: source_name.to_owned(),
            source: error.into(),
        }
    }
}

/// SQLite's rollback journal of a database.
fn journal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}
