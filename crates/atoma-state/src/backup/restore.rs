//! Putting a backup in place of a database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use super::replace::{self, is_unfinished, present};
use super::verify::{BackupContents, check_logs, size, verify};
use crate::files::{OpenLock, create_private_folder, folder_of, give_to_owner_of};

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup holds.
    pub contents: BackupContents,
    /// The folder in which the database that was there before is kept, if there was one.
    pub kept_in: Option<PathBuf>,
}

/// Puts a copy of a backup in place of a database. No program may have it open. What was there before is kept in a
/// folder beside it, with its log and its rollback journal: those of one database beside the file of another would
/// damage it.
///
/// If it is interrupted, no program opens the database until another `restore` has finished, which goes on with the
/// same folder.
///
/// # Errors
/// [`BackupError::Replaces`] if there is a database and `replace` is not set, [`BackupError::InUse`] while a program
/// has it open, [`BackupError::Unfinished`] if it fails half-way; others when the backup is not whole or a file can't be written.
pub async fn restore(
    backup: &Path,
    database: &Path,
    replace: bool,
) -> Result<Restored, BackupError> {
    let folder = folder_of(database);
    create_private_folder(folder).map_err(BackupError::file("create", folder))?;
    let lock = OpenLock::create(database).map_err(BackupError::file("lock", database))?;
    let is_alone = lock.take_alone().await;
    if !is_alone.map_err(BackupError::file("lock", database))? {
        let path = database.to_path_buf();
        return Err(BackupError::InUse { path });
    }
    let present = present(database)?;
    if present.holds_data && !replace && !is_unfinished(database)? {
        let path = database.to_path_buf();
        return Err(BackupError::Replaces { path });
    }
    // What is put in place is what was verified.
    let copy = copy_beside(backup, folder)?;
    let contents = verify(&copy).await;
    let contents = contents.map_err(|error| error.of(backup))?;
    let kept_in = replace::replace(copy, database, &present)?;
    lock.release();
    Ok(Restored { contents, kept_in })
}

/// A copy of the backup in the folder, readable by its owner only and on disk.
fn copy_beside(backup: &Path, folder: &Path) -> Result<tempfile::TempPath, BackupError> {
    size(backup)?;
    let mut from = fs::File::open(backup).map_err(BackupError::file("open", backup))?;
    check_logs(backup)?;
    let mut copy = tempfile::Builder::new()
        .prefix(".atoma-restore-")
        .tempfile_in(folder)
        .map_err(BackupError::file("create a file in", folder))?;
    io::copy(&mut from, copy.as_file_mut())
        .and_then(|_| give_to_owner_of(folder, copy.as_file()))
        .and_then(|()| copy.as_file().sync_all())
        .map_err(BackupError::not_copied(backup, folder))?;
    Ok(copy.into_temp_path())
}
