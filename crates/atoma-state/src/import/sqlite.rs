//! Reading the earlier node's SQLite database.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::ImportError;
use super::records::{EarlierRecords, collect, in_time};
use super::row::{Columns, EarlierRow, MOST_HASH_BYTES};
use super::work::Counting;

/// SQLite's columns have no types of their own, so what is of another type counts as missing. The earlier node appends
/// to `total_hash` with `||`, which makes a text of it with the same bytes.
macro_rules! stacks {
    ($closed:literal) => {
        concat!(
            "SELECT stack_small_id, \
             iif(typeof(owner_address) = 'text', owner_address, NULL) AS owner_address, \
             iif(typeof(stack_id) = 'text', stack_id, NULL) AS stack_id, \
             iif(typeof(task_small_id) = 'integer', task_small_id, NULL) AS task_small_id, \
             iif(typeof(selected_node_id) = 'integer', selected_node_id, NULL) AS selected_node_id, \
             iif(typeof(num_compute_units) = 'integer', num_compute_units, NULL) AS num_compute_units, \
             iif(typeof(already_computed_units) = 'integer', already_computed_units, NULL) \
             AS already_computed_units, ",
            $closed,
            " AS is_closed, \
             iif(typeof(num_total_messages) = 'integer', num_total_messages, NULL) AS num_total_messages, \
             iif(typeof(total_hash) IN ('blob', 'text'), octet_length(total_hash), NULL) AS hash_bytes, \
             iif(octet_length(total_hash) <= $1, CAST(total_hash AS BLOB), NULL) AS total_hash \
             FROM stacks ORDER BY stack_small_id"
        )
    };
}

/// Reads all records, as they are at one moment.
pub(super) async fn read(path: &Path, source_name: &str) -> Result<EarlierRecords, ImportError> {
    let failed = |error| ImportError::sqlite(path, source_name, error);
    let connect = options(path, source_name)?;
    let mut connection = in_time(source_name, connect.connect())
        .await?
        .map_err(failed)?;
    let records = read_from(&mut connection, source_name, failed).await;
    // It has changed nothing, so nothing can be lost.
    let _ = connection.close().await;
    records
}

async fn read_from(
    connection: &mut SqliteConnection,
    source_name: &str,
    failed: impl Fn(sqlx::Error) -> ImportError + Copy,
) -> Result<EarlierRecords, ImportError> {
    let mut snapshot = connection.begin().await.map_err(failed)?;
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('stacks')")
        .fetch_all(&mut *snapshot)
        .await
        .map_err(failed)?;
    let statement = match Columns::recognise(&names, source_name)? {
        Columns::Plain => stacks!("coalesce(in_settle_period <> 0, 0)"),
        Columns::WithClaims => stacks!("coalesce(in_settle_period <> 0 OR is_claimed <> 0, 0)"),
    };
    let rows = sqlx::query_as::<_, EarlierRow>(statement)
        .bind(MOST_HASH_BYTES)
        .fetch(&mut *snapshot)
        .boxed();
    collect(rows, Counting::Exact, source_name, failed).await
}

/// How to open the file without changing anything. SQLite can't read a file with write-ahead logging without creating
/// files beside it. Where there is no log, nobody has the file open, and it is read as one that doesn't change.
fn options(path: &Path, source_name: &str) -> Result<SqliteConnectOptions, ImportError> {
    let failed = |error| ImportError::file(source_name, error);
    let Some(logs) = has_write_ahead_log(path).transpose() else {
        return Err(ImportError::Missing {
            path: path.to_path_buf(),
        });
    };
    let is_at_rest = logs.map_err(failed)? && !log_of(path).try_exists().map_err(failed)?;
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(is_at_rest)
        .pragma("query_only", "ON")
        // One row may hold many hashes.
        .row_buffer_size(1))
}

/// Whether the file's header says that it is written by way of a log; `None` if there is no file.
fn has_write_ahead_log(path: &Path) -> std::io::Result<Option<bool>> {
    /// The place of the version that a program needs to read the file: 1, or 2 with a log.
    const READ_VERSION: usize = 19;
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut header = [0; READ_VERSION + 1];
    Ok(Some(match file.read_exact(&mut header) {
        Ok(()) => header[READ_VERSION] == 2,
        // Too short for a database. SQLite says so.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(error),
    }))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
