//! Putting a file in place of a database, in steps that can be gone on with after an interruption.
//!
//! A mark beside the database says that this has begun, and names the folder in which the old database is kept. While
//! there is a mark, no program opens the database.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::error::BackupError;
use crate::files::{
    RESTORING, beside, folder_of, give_folder_to_owner_of, open_private, private_folder,
    sync_folder,
};

/// The database's own files, by what follows its name. SQLite uses the rollback journal only before the daemon has
/// turned write-ahead logging on: while it migrates a file that was restored.
const COMPANIONS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// How the names of folders for old databases begin; a number follows.
const KEPT: &str = "before-restore-";

/// The files of a database that exist.
#[derive(Debug, Default)]
pub(super) struct Present {
    files: Vec<PathBuf>,
    /// Whether they hold anything: a database, or a log without one. Shared memory and an empty log, which a reader
    /// leaves, hold nothing.
    pub(super) holds_data: bool,
}

/// Looks for the files of a database.
pub(super) fn present(database: &Path) -> Result<Present, BackupError> {
    let mut present = Present::default();
    for companion in COMPANIONS {
        let path = beside(database, companion);
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(BackupError::file("look at", &path)(error)),
        };
        present.holds_data |= match companion {
            "" => true,
            "-shm" => false,
            _ => metadata.len() > 0,
        };
        present.files.push(path);
    }
    Ok(present)
}

/// Whether a restore of this database has begun and not finished.
pub(super) fn is_unfinished(database: &Path) -> Result<bool, BackupError> {
    exists(&beside(database, RESTORING))
}

/// Puts a verified copy in place of a database, whose files are moved to a folder beside it. Returns the folder, if
/// there was a database. Goes on with a restore that was interrupted.
///
/// # Errors
/// [`BackupError::Unfinished`], which says where the old database is.
pub(super) fn replace(
    copy: TempPath,
    database: &Path,
    present: &Present,
) -> Result<Option<PathBuf>, BackupError> {
    let mut kept_in = None;
    let replaced = steps(copy, database, present, &mut kept_in);
    let kept_in = kept_in.filter(|kept_in| holds_anything(kept_in));
    match replaced {
        Ok(()) => Ok(kept_in),
        Err(source) => Err(BackupError::Unfinished {
            path: database.to_path_buf(),
            kept_in,
            source: Box::new(source),
        }),
    }
}

fn steps(
    copy: TempPath,
    database: &Path,
    present: &Present,
    kept_in: &mut Option<PathBuf>,
) -> Result<(), BackupError> {
    let folder = folder_of(database);
    let mark = beside(database, RESTORING);
    *kept_in = marked(&mark)?;
    if kept_in.is_none() {
        if present.holds_data {
            *kept_in = Some(free_name(folder)?);
        }
        write_mark(&mark, kept_in.as_deref())?;
    }
    if present.holds_data {
        let keep_in = match kept_in {
            // Interrupted after a copy was in place, which is no part of what was there before.
            Some(kept_in) if has_any(kept_in, present)? => free_name(folder)?,
            Some(kept_in) => kept_in.clone(),
            None => free_name(folder)?,
        };
        keep(&keep_in, &present.files)?;
    } else {
        for file in &present.files {
            ignore_missing(fs::remove_file(file)).map_err(BackupError::file("remove", file))?;
        }
    }
    copy.persist(database)
        .map_err(|failed| BackupError::file("create", database)(failed.error))?;
    sync_folder(folder).map_err(BackupError::file("write", folder))?;
    fs::remove_file(&mark)
        .and_then(|()| sync_folder(folder))
        .map_err(BackupError::file("remove", &mark))
}

/// The folder that a mark names, if it names one.
fn marked(mark: &Path) -> Result<Option<PathBuf>, BackupError> {
    let name = match fs::read_to_string(mark) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::file("read", mark)(error)),
    };
    let number = name.strip_prefix(KEPT).unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Ok(is_number.then(|| folder_of(mark).join(&name)))
}

/// On disk before anything is moved.
fn write_mark(mark: &Path, kept_in: Option<&Path>) -> Result<(), BackupError> {
    let name = kept_in.and_then(Path::file_name).unwrap_or_default();
    let write = || {
        let mut file = open_private(mark)?;
        file.set_len(0)?;
        file.write_all(name.as_encoded_bytes())?;
        file.sync_all()?;
        sync_folder(folder_of(mark))
    };
    write().map_err(BackupError::file("write", mark))
}

/// A folder that doesn't exist yet.
fn free_name(folder: &Path) -> Result<PathBuf, BackupError> {
    let mut number = 1_u32;
    loop {
        let candidate = folder.join(format!("{KEPT}{number}"));
        if !exists(&candidate)? {
            return Ok(candidate);
        }
        number = number.saturating_add(1);
    }
}

/// Whether a folder has a file of the same name as one that is present.
fn has_any(folder: &Path, present: &Present) -> Result<bool, BackupError> {
    for file in &present.files {
        if exists(&folder.join(file.file_name().unwrap_or_default()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Moves files into a folder beside the database.
fn keep(kept_in: &Path, files: &[PathBuf]) -> Result<(), BackupError> {
    if !exists(kept_in)? {
        private_folder(&mut DirBuilder::new())
            .create(kept_in)
            .and_then(|()| give_folder_to_owner_of(folder_of(kept_in), kept_in))
            .map_err(BackupError::file("create", kept_in))?;
    }
    for file in files {
        let name = file.file_name().unwrap_or_default();
        // A connection that closes takes an empty log with it.
        ignore_missing(fs::rename(file, kept_in.join(name)))
            .map_err(BackupError::file("move", file))?;
    }
    sync_folder(kept_in).map_err(BackupError::file("write", kept_in))
}

fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn holds_anything(folder: &Path) -> bool {
    folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
}

fn exists(path: &Path) -> Result<bool, BackupError> {
    path.try_exists()
        .map_err(BackupError::file("look at", path))
}
