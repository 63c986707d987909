//! Whether the database is still the file at its path.
//!
//! SQLite goes on with a file that was moved or removed. What is written to it then is gone with the
//! process, and a copy at the path takes a second daemon.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use atoma_domain::ports::StoreError;
use thiserror::Error;

use crate::error::{file_failed, unavailable};
use crate::files::beside;

/// The file that was opened, and its write-ahead log.
#[derive(Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    id: FileId,
    log: PathBuf,
    /// `None` until the log was seen. From then on SQLite keeps it as long as the file is open.
    log_id: OnceLock<FileId>,
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
        let log = beside(path, "-wal");
        Ok(Self {
            path: path.to_owned(),
            id: FileId::of(path)?,
            log,
            log_id: OnceLock::new(),
        })
    }

    /// # Errors
    /// [`StoreError::Unavailable`] when the file at the path, or its log, is another one, or there is none.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if find(&self.path)? != Some(self.id) {
            return Err(unavailable(Moved(self.path.clone())));
        }
        let log = find(&self.log)?;
        let known = match log {
            Some(log) => Some(*self.log_id.get_or_init(|| log)),
            None => self.log_id.get().copied(),
        };
        if log != known {
            return Err(unavailable(Moved(self.log.clone())));
        }
        Ok(())
    }
}

/// The file at a path; `None` if there is none.
fn find(path: &Path) -> Result<Option<FileId>, StoreError> {
    match FileId::of(path) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failed(error)),
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
