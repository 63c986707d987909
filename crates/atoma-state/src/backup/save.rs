//! Making a backup while the database is in use.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempPath;

use super::error::BackupError;
use super::verify::{BackupContents, verify};
use crate::files::{folder_of, sync_folder};
use crate::open_error::OpenError;
use crate::store::{Access, SqliteState, StateOptions};

/// Makes a compact copy of a database, which may be in use by other processes: they go on meanwhile. The copy
/// holds everything that was answered before this began. It is verified, readable by its owner only, and on disk
/// when this returns; until then nothing has its name.
///
/// # Errors
/// [`BackupError::Exists`] if there is a file of that name; others when the database can't be read or the copy
/// can't be written.
pub async fn back_up(database: &Path, to: &Path) -> Result<BackupContents, BackupError> {
    if to.try_exists().map_err(BackupError::file("look at", to))? {
        let path = to.to_path_buf();
        return Err(BackupError::Exists { path });
    }
    let folder = folder_of(to);
    let partial = tempfile::Builder::new()
        .prefix(".atoma-backup-")
        .tempfile_in(folder)
        .map_err(BackupError::file("create a file in", folder))?
        .into_temp_path();
    // As long as it is open, nobody migrates the database.
    let options = StateOptions {
        access: Access::ReadOnly,
        ..StateOptions::default()
    };
    let open = SqliteState::open(database, options).await?;
    let copied = copy(database, &partial, options).await;
    open.close().await;
    copied.map_err(|error| error.of(to))?;
    let contents = verify(&partial).await;
    let contents = contents.map_err(|error| error.of(to))?;
    publish(partial, to)?;
    Ok(contents)
}

async fn copy(from: &Path, to: &Path, options: StateOptions) -> Result<(), BackupError> {
    let failed = |error| OpenError::sqlite(from, error);
    let connect = SqliteConnectOptions::new()
        .filename(from)
        .read_only(true)
        .busy_timeout(options.busy_timeout);
    let mut connection = connect.connect().await.map_err(failed)?;
    let Some(name) = to.to_str() else {
        return Err(BackupError::unusable(to, "its path is not valid UTF-8"));
    };
    // SQLite writes into a file that exists if it is empty.
    sqlx::query("VACUUM INTO $1")
        .bind(name)
        .execute(&mut connection)
        .await
        .map_err(|error| OpenError::sqlite(to, error))?;
    connection.close().await.map_err(failed)?;
    Ok(())
}

/// Gives a file that is on disk its name, unless there is one of that name by now.
fn publish(partial: TempPath, to: &Path) -> Result<(), BackupError> {
    let file = std::fs::File::open(&partial).map_err(BackupError::file("open", to))?;
    file.sync_all().map_err(BackupError::file("write", to))?;
    partial.persist_noclobber(to).map_err(|failed| {
        let path: PathBuf = to.to_path_buf();
        match failed.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists { path },
            _ => BackupError::file("create", to)(failed.error),
        }
    })?;
    let folder = folder_of(to);
    sync_folder(folder).map_err(BackupError::file("write", folder))
}
