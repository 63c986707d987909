//! Whether the database is still the file at its path.
//!
//! SQLite goes on with a file that was moved or removed. What is written to it then is gone with the
//! process, and a copy at the path takes a second daemon.

use std::io;
use std::path::{Path, PathBuf};

use atoma_domain::ports::StoreError;
use thiserror::Error;

use crate::error::{file_failed, unavailable};

/// The file that was opened.
#[derive(Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    id: FileId,
}

/// What tells a file from every other one. Only Unix tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
}

#[derive(Debug, Error)]
#[error(
    "the database file {} was moved, replaced or removed while it is open: stop the daemon, put the file and \
     its -wal back, and start again",
    .0.display()
)]
struct Moved(PathBuf);

impl FileIdentity {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            id: FileId::of(path)?,
        })
    }

    /// # Errors
    /// [`StoreError::Unavailable`] when the file at the path is another one, or there is none.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match FileId::of(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_failed(error)),
            _ => Err(unavailable(Moved(self.path.clone()))),
        }
    }
}

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            number: metadata.ino(),
        })
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path)?;
        Ok(Self {
            device: 0,
            number: 0,
        })
    }
}
