//! The data directory: one daemon at a time, and private.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tracing::warn;

use crate::files::{create_private_folder, open_private};

/// The file that a running daemon locks. It holds the daemon's process id.
const LOCK_FILE: &str = "daemon.lock";

/// How often to try to lock it, and the pause between two tries.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The database in a data directory.
pub fn database_file(dir: &Path) -> PathBuf {
    dir.join("atoma.sqlite")
}

/// The right to use a data directory. It ends with the process, however that ends: the kernel releases
/// the lock. The file stays, because removing it could remove the lock file of a successor.
#[derive(Debug)]
pub struct DataDirLock(File);

/// Why a data directory can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// Another daemon uses it.
    #[error(
        "another daemon ({holder}) uses the data directory {}: stop it, or set another `data_dir`",
        .dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The other daemon, by its process id.
        holder: String,
    },
    /// The directory or its lock file can't be created or written.
    #[error(
        "can't lock the data directory {}: check that this program's user may write it",
        .dir.display()
    )]
    Io {
        /// The directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DataDirLock {
    /// Creates the directory, for its owner only, and locks it. Warns about an existing directory that
    /// others can read.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] while another daemon uses it.
    pub fn take(dir: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io {
            dir: dir.to_path_buf(),
            source,
        };
        create_private_folder(dir).map_err(failed)?;
        warn_if_shared(dir);
        let mut file = open_private(&dir.join(LOCK_FILE)).map_err(failed)?;
        let mut tries = 1;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // Who looks for the holder locks it for an instant.
                Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                    tries += 1;
                    pause();
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(DataDirError::InUse {
                        dir: dir.to_path_buf(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        write_id(&mut file).map_err(failed)?;
        Ok(Self(file))
    }

    /// The daemon that uses a directory, if one does. Changes nothing.
    ///
    /// # Errors
    /// When the lock file can't be read.
    pub fn holder_of(dir: &Path) -> io::Result<Option<String>> {
        let mut file = match File::open(dir.join(LOCK_FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            // Closing the file ends it.
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Lets the next daemon use the directory.
    pub fn release(&self) {
        // The kernel does it at the latest when the process ends.
        let _ = self.0.unlock();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system tells nobody when such a lock ends, and the start has nothing else to do"
)]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}

fn write_id(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The holder as its lock file names it.
fn holder(file: &mut File) -> String {
    let mut id = String::new();
    match file.read_to_string(&mut id) {
        Ok(_) if !id.trim().is_empty() => format!("process {}", id.trim()),
        // It has locked the file, and not written to it yet.
        _ => String::from("which is just starting"),
    }
}

/// Whoever reads the directory can read backups in it, and see when the node works.
#[cfg(unix)]
fn warn_if_shared(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let Ok(metadata) = dir.metadata() else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        warn!(
            mode = %format_args!("{mode:03o}"),
            "others can read the data directory; run: chmod 700 {}",
            dir.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path) {}
