//! Putting a backup in place of a database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use super::verify::{BackupContents, check_logs, size, verify};
use crate::files::{
    OpenLock, RESTORING, beside, create_private_folder, folder_of, give_folder_to_owner_of,
    give_to_owner_of, open_private, sync_folder,
};

/// The database's own files, by what follows its name. SQLite uses the rollback journal only before the daemon has
/// turned write-ahead logging on: while it migrates a file that was restored.
const COMPANIONS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

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
/// If it is interrupted, no program opens the database until another `restore` has finished.
///
/// # Errors
/// [`BackupError::Replaces`] if there is a database and `replace` is not set, [`BackupError::InUse`] while a program
/// has it open; others when the backup is not whole or a file can't be written.
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
    let restoring = beside(database, RESTORING);
    let is_unfinished = exists(&restoring)?;
    let present = present(database)?;
    if !present.is_empty() && !replace && !is_unfinished {
        let path = database.to_path_buf();
        return Err(BackupError::Replaces { path });
    }
    // What is put in place is what was verified.
    let copy = copy_beside(backup, folder)?;
    let contents = verify(&copy).await.map_err(|error| match error {
        BackupError::Unusable { problem, .. } => BackupError::unusable(backup, problem),
        other => other,
    })?;
    let mark = open_private(&restoring)
        .and_then(|file| file.sync_all())
        .and_then(|()| sync_folder(folder));
    mark.map_err(BackupError::file("write", &restoring))?;
    let kept_in = match present.is_empty() {
        true => None,
        false => Some(keep(folder, &present)?),
    };
    copy.persist(database)
        .map_err(|failed| BackupError::file("create", database)(failed.error))?;
    sync_folder(folder).map_err(BackupError::file("write", folder))?;
    fs::remove_file(&restoring)
        .and_then(|()| sync_folder(folder))
        .map_err(BackupError::file("remove", &restoring))?;
    lock.release();
    Ok(Restored { contents, kept_in })
}

fn exists(path: &Path) -> Result<bool, BackupError> {
    path.try_exists()
        .map_err(BackupError::file("look at", path))
}

/// The database's files that exist. An empty log or shared memory alone is none.
fn present(database: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut present = Vec::new();
    for companion in COMPANIONS {
        let path = beside(database, companion);
        if exists(&path)? {
            present.push(path);
        }
    }
    Ok(present)
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
        .map_err(BackupError::file("write", copy.path()))?;
    Ok(copy.into_temp_path())
}

/// Moves files into a new folder beside the database.
fn keep(folder: &Path, files: &[PathBuf]) -> Result<PathBuf, BackupError> {
    let mut number = 1_u32;
    let kept_in = loop {
        let candidate = folder.join(format!("before-restore-{number}"));
        match exists(&candidate)? {
            true => number = number.saturating_add(1),
            false => break candidate,
        }
    };
    create_private_folder(&kept_in)
        .and_then(|()| give_folder_to_owner_of(folder, &kept_in))
        .map_err(BackupError::file("create", &kept_in))?;
    for file in files {
        let name = file.file_name().unwrap_or_default();
        match fs::rename(file, kept_in.join(name)) {
            // A connection that closes takes an empty log with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved.map_err(BackupError::file("move", file))?,
        }
    }
    sync_folder(&kept_in).map_err(BackupError::file("write", &kept_in))?;
    Ok(kept_in)
}
