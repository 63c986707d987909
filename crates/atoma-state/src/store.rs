//! Opening the database, and the two ways into it.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use atoma_domain::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqlitePool, Transaction};

/// How the database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// How many readers can be served side by side; at least one.
    pub readers: u32,
    /// How long to wait for another process's lock, and for a connection, before the database
    /// counts as not available.
    pub busy_timeout: Duration,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(10),
        }
    }
}

/// The state manager on SQLite. Implements all four ports of the database; cheap to clone, all
/// clones share the connections.
///
/// One connection writes: writers queue in the process instead of failing on SQLite's lock, and
/// each takes the lock as it begins: a transaction by `BEGIN IMMEDIATE`, a write of a single
/// statement by itself. Readers have their own connections and, thanks to write-ahead logging,
/// neither wait for the writer nor hinder it.
#[derive(Clone, Debug)]
pub struct SqliteState {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: SqlitePool,
}

/// Rows that a reading connection hands over at once; sqlx's 50 makes long lists slow.
const ROW_CHANNEL: usize = 1024;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");

impl SqliteState {
    /// Opens the database file and brings it to the newest schema. A missing file and its folder
    /// are created, for their owner only.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file can't be made or opened, is no database, or has a
    /// schema that this version of the daemon doesn't know.
    pub async fn open(path: impl AsRef<Path>, options: StateOptions) -> Result<Self, StoreError> {
        Self::open_with(path.as_ref(), options, SqliteSynchronous::Full).await
    }

    pub(crate) async fn open_with(
        path: &Path,
        options: StateOptions,
        synchronous: SqliteSynchronous,
    ) -> Result<Self, StoreError> {
        create_private(path).map_err(unavailable)?;
        let connect = connect_options(options)
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous);
        let writer = writer_pool(options).connect_with(connect.clone()).await;
        let writer = writer.map_err(unavailable)?;
        MIGRATIONS.run(&writer).await.map_err(unavailable)?;
        let readers = pool(options.readers.max(1), options)
            .connect_with(connect.pragma("query_only", "ON"))
            .await
            .map_err(unavailable)?;
        Ok(Self { readers, writer })
    }

    /// Opens an empty database in memory, gone with its last clone: for tests.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no memory left.
    pub async fn open_temporary() -> Result<Self, StoreError> {
        // A database in memory belongs to its connection: one serves all.
        let options = StateOptions::default();
        let connect = connect_options(options).in_memory(true);
        let writer = pool(1, options).connect_with(connect).await;
        let writer = writer.map_err(unavailable)?;
        MIGRATIONS.run(&writer).await.map_err(unavailable)?;
        Ok(Self {
            readers: writer.clone(),
            writer,
        })
    }

    /// Waits for what is under way and closes all connections; the write-ahead log is folded into
    /// the file. Later calls fail with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that writes. Dropped without [`commit`], it never was.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(unavailable)
    }

    /// Begins a transaction whose reads all see the same state.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(unavailable)
    }
}

/// Commits: when it returns, the changes are on disk.
pub(crate) async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(unavailable)
}

/// The database's own failures: locked, full, closed, broken.
pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(source))
}

fn connect_options(options: StateOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        // Without it REPLACE deletes rows behind the back of their triggers.
        .pragma("recursive_triggers", "ON")
        .busy_timeout(options.busy_timeout)
        .row_buffer_size(ROW_CHANNEL)
}

fn pool(connections: u32, options: StateOptions) -> SqlitePoolOptions {
    // A local file's connections don't go stale: keep them, and don't ask them each time.
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(options.busy_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The one writing connection. SQLite itself ends a transaction that meets a full disk or a failed
/// read; sqlx, whose own rollback then finds none, goes on counting it and can't begin another. Such
/// a connection is replaced.
fn writer_pool(options: StateOptions) -> SqlitePoolOptions {
    pool(1, options).before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    })
}

/// Makes folder and file, readable by their owner only. SQLite gives its companion files the
/// permissions of the database file.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
