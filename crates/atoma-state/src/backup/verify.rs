//! Whether a file is a whole database of the daemon.

use std::path::Path;

use atoma_domain::CheckpointNumber;
use atoma_domain::ports::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::BackupError;
use crate::columns::Cells;
use crate::files::beside;
use crate::open_error::OpenError;
use crate::schema::{self, Found, MIGRATIONS};
use crate::work;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupContents {
    /// Its size in bytes.
    pub bytes: u64,
    /// The last checkpoint that its mirror has processed; `None` if it has mirrored nothing.
    pub covered: Option<CheckpointNumber>,
    /// The transactions in its journal.
    pub transactions: u64,
    /// The stacks with served work.
    pub served_stacks: u64,
}

/// Reads a whole file and checks that it is a database of the daemon, of this version or an earlier one, and
/// undamaged. Leaves the file as it is.
///
/// # Errors
/// [`BackupError`]: what is wrong with it.
pub async fn verify(path: &Path) -> Result<BackupContents, BackupError> {
    let bytes = size(path)?;
    check_logs(path)?;
    // Immutable: SQLite neither locks it nor writes anything beside it.
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true);
    let unreadable = |error| BackupError::from(OpenError::sqlite(path, error));
    let mut connection = connect.connect().await.map_err(unreadable)?;
    check_schema(path, &mut connection).await?;
    let problem: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(unreadable)?;
    let damage = match problem.as_str() {
        "ok" => work::find_damaged(&mut connection)
            .await
            .map_err(|error| BackupError::unusable(path, error.to_string()))?,
        _ => Some(problem),
    };
    if let Some(damage) = damage {
        return Err(BackupError::unusable(
            path,
            format!("it is damaged ({damage})"),
        ));
    }
    let row = sqlx::query(
        "SELECT covered, (SELECT count(*) FROM intents) AS transactions, \
         (SELECT count(DISTINCT stack_small_id) FROM work_records) AS served_stacks FROM ledger",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(unreadable)?;
    let cells = Cells::new(&row, "ledger", "covered");
    let contents = || -> Result<_, StoreError> {
        Ok(BackupContents {
            bytes,
            covered: cells.optional_number("covered")?.map(CheckpointNumber::new),
            transactions: cells.row_number("transactions")?,
            served_stacks: cells.row_number("served_stacks")?,
        })
    };
    let contents = contents().map_err(|error| BackupError::unusable(path, error.to_string()))?;
    connection.close().await.map_err(unreadable)?;
    Ok(contents)
}

/// The size of a file, which must be there.
pub(super) fn size(path: &Path) -> Result<u64, BackupError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(BackupError::unusable(path, "it is not a file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(BackupError::Missing {
            path: path.to_path_buf(),
        }),
        Err(error) => Err(BackupError::file("read", path)(error)),
    }
}

/// What SQLite would apply to a database file that has it beside it, and why the file alone is not whole.
const LOGS: [(&str, &str); 2] = [
    (
        "-wal",
        "there is a write-ahead log beside it, so it is a copy of a database in use, which lacks the latest \
         writes; make a backup with `atoma-daemon backup`",
    ),
    (
        "-journal",
        "there is a rollback journal beside it, so it is a copy from the middle of a write, which only the journal \
         can take back; make a backup with `atoma-daemon backup`",
    ),
];

/// Refuses a file beside its write-ahead log or its rollback journal.
pub(super) fn check_logs(path: &Path) -> Result<(), BackupError> {
    for (name, problem) in LOGS {
        let log = beside(path, name);
        match log.metadata() {
            Ok(metadata) if metadata.len() > 0 => {
                return Err(BackupError::unusable(path, problem));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(BackupError::file("look at", &log)(error)),
        }
    }
    Ok(())
}

async fn check_schema(path: &Path, connection: &mut SqliteConnection) -> Result<(), BackupError> {
    let found = schema::inspect(connection, &MIGRATIONS).await;
    let owned = path.to_path_buf();
    match found.map_err(|error| OpenError::sqlite(path, error))? {
        Found::Current | Found::Unmarked | Found::Behind => Ok(()),
        Found::Empty => Err(BackupError::unusable(path, "it is empty")),
        Found::Newer(migration) => Err(OpenError::Newer {
            path: owned,
            migration,
        }
        .into()),
        Found::Outdated => Err(OpenError::Outdated { path: owned }.into()),
        Found::Foreign => Err(OpenError::Foreign { path: owned }.into()),
    }
}
