//! The database's files: for their owner only, and open in how many processes.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

/// Pause between two tries to take a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Creates a folder, and those above it, for their owner only. An existing one stays as it is.
///
/// # Errors
/// The system's.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    private_folder(DirBuilder::new().recursive(true)).create(folder)
}

/// Has a folder that is created used by its owner alone.
pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
    builder
}

/// Creates folder and file, readable by the owner of the folder only, and takes rights away that others have on an
/// existing file and its companions. SQLite gives new companions the permissions of the database file.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = folder(path) {
        create_private_folder(folder)?;
    }
    match private_file(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(file) => give_to_owner_of(folder_of(path), &file),
        // Not opened: closing a second handle would release the locks that SQLite has in this process.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            make_private(path);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Has a file that is created readable and writable by its owner alone.
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Opens a file for reading and writing. Creates a missing one, readable by its owner only, for the owner of its
/// folder.
///
/// # Errors
/// The system's.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match private_file(options.clone().create_new(true)).open(path) {
        Ok(file) => give_to_owner_of(folder_of(path), &file).map(|()| file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Gives a file that the superuser has just created in a folder to the folder's owner: the daemon runs as that user
/// and couldn't open it. A file that another user created stays as it is.
#[cfg(unix)]
pub(crate) fn give_to_owner_of(folder: &Path, file: &File) -> io::Result<()> {
    match new_owner(owner(&folder.metadata()?), owner(&file.metadata()?)) {
        Some((user, group)) => std::os::unix::fs::fchown(file, Some(user), Some(group)),
        None => Ok(()),
    }
}

/// The same for a folder inside it.
#[cfg(unix)]
pub(crate) fn give_folder_to_owner_of(folder: &Path, inner: &Path) -> io::Result<()> {
    match new_owner(
        owner(&folder.metadata()?),
        owner(&inner.symlink_metadata()?),
    ) {
        // Never what a link leads to, by which that user could be given any file.
        Some((user, group)) => std::os::unix::fs::lchown(inner, Some(user), Some(group)),
        None => Ok(()),
    }
}

/// Whom a file or a folder belongs to: a user and a group.
#[cfg(unix)]
type Owner = (u32, u32);

#[cfg(unix)]
fn owner(metadata: &std::fs::Metadata) -> Owner {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.uid(), metadata.gid())
}

/// Who must own what `creator` created in a folder of this owner, if not its creator.
#[cfg(unix)]
fn new_owner(folder: Owner, creator: Owner) -> Option<Owner> {
    const SUPERUSER: u32 = 0;
    (creator.0 == SUPERUSER && folder.0 != SUPERUSER).then_some(folder)
}

#[cfg(not(unix))]
pub(crate) fn give_to_owner_of(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn give_folder_to_owner_of(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
}

/// Takes away the rights of others on a database, and on all files beside it whose names begin with
/// its name: the log, the shared memory, and backups. The files of another user stay as they are.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    let beside = folder(path).unwrap_or(Path::new(".")).read_dir();
    let (Some(name), Ok(beside)) = (path.file_name(), beside) else {
        return;
    };
    for entry in beside.flatten() {
        let is_of_database = entry.file_name().as_bytes().starts_with(name.as_bytes());
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let mode = metadata.permissions().mode();
        if is_of_database && metadata.is_file() && mode & 0o077 != 0 {
            let private = std::fs::Permissions::from_mode(mode & 0o700);
            let _ = std::fs::set_permissions(entry.path(), private);
        }
    }
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// Shows that a process has a database open. Every open store holds it shared; migrating an existing
/// schema takes it alone, so that no store ever reads a schema that it doesn't know. It ends with the
/// process.
#[derive(Debug)]
pub(crate) struct OpenLock(File);

impl OpenLock {
    /// Opens the lock file beside a database, and creates a missing one.
    pub(crate) fn create(database: &Path) -> io::Result<Self> {
        open_private(&lock_file(database)).map(Self)
    }

    /// Opens the lock file for a program that may not write. None if there is none, or it can't be
    /// read: such a program opens a copy or an archive.
    pub(crate) fn existing(database: &Path) -> Option<Self> {
        File::open(lock_file(database)).ok().map(Self)
    }

    /// Takes it together with other stores. Returns whether it was possible before the deadline.
    pub(crate) async fn share(&self, deadline: Instant) -> io::Result<bool> {
        take(|| self.0.try_lock_shared(), deadline).await
    }

    /// Tries once to take it alone, instead of shared. If others have it, pauses without the lock, so that
    /// they can try, and returns false.
    pub(crate) async fn take_alone(&self) -> io::Result<bool> {
        // Two that hold it shared would keep each other from it.
        self.0.unlock()?;
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
            Err(TryLockError::WouldBlock) => {
                tokio::time::sleep(LOCK_PAUSE).await;
                Ok(false)
            }
        }
    }

    /// Gives it back before the end of the process.
    pub(crate) fn release(&self) {
        // The kernel does it at the latest when the file is closed.
        let _ = self.0.unlock();
    }
}

async fn take(lock: impl Fn() -> Result<(), TryLockError>, deadline: Instant) -> io::Result<bool> {
    loop {
        match lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
        }
    }
}

fn lock_file(database: &Path) -> PathBuf {
    beside(database, "-lock")
}

/// What follows a database's name in the name of the file that marks an unfinished restore.
pub(crate) const RESTORING: &str = "-restoring";

/// The path whose name is that of the database and this.
pub(crate) fn beside(database: &Path, rest: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(rest);
    PathBuf::from(name)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    folder(path).unwrap_or(Path::new("."))
}

/// Writes to disk which files are in a folder.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_superuser_creates_for_another_user_changes_its_owner() {
        let (root, daemon, other) = ((0, 0), (12, 34), (56, 78));
        assert_eq!(new_owner(daemon, root), Some(daemon));
        assert_eq!(new_owner(daemon, (0, 34)), Some(daemon));
        assert_eq!(new_owner(root, root), None);
        assert_eq!(new_owner((0, 34), root), None);
        assert_eq!(new_owner(daemon, daemon), None);
        assert_eq!(new_owner(daemon, other), None);
        assert_eq!(new_owner(root, other), None);
    }
}
