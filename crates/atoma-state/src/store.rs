//! Opening the database, and its ways in: one writer, several readers, and readers for lists.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use atoma_domain::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqlitePool, Transaction};

use crate::error::{statement_failed, unavailable};
use crate::probe::DiskProbe;
use crate::schema::{self, OpenError};

/// How to open the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateOptions {
    /// The number of reading connections for the engine, served work and single entries; at least one.
    pub readers: u32,
    /// The number of further reading connections, for lists; at least one. Lists that are read at once
    /// should be fewer, because use cases read short lists too.
    pub lists: u32,
    /// How long to wait for another process's lock, and for a connection, before the database counts
    /// as not available.
    pub busy_timeout: Duration,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            lists: 3,
            busy_timeout: Duration::from_secs(10),
        }
    }
}

/// The state manager on SQLite. Implements the four database ports. Cheap to clone; all clones share
/// the connections.
///
/// One connection writes. Writers queue in the process instead of failing on SQLite's lock, and every
/// writing transaction takes the lock as it begins (`BEGIN IMMEDIATE`). Readers have connections of
/// their own and, thanks to write-ahead logging, neither wait for the writer nor block it. Lists have
/// connections apart from the other readers, so that they never keep the engine waiting.
#[derive(Clone, Debug)]
pub struct SqliteState {
    pub(crate) readers: SqlitePool,
    pub(crate) lists: SqlitePool,
    pub(crate) writer: SqlitePool,
    /// Shows whether the disk takes a write; `None` in memory.
    pub(crate) probe: Option<DiskProbe>,
}

/// How many rows a connection buffers; sqlx's 50 makes long lists slow.
const ROW_BUFFER: usize = 1024;

impl SqliteState {
    /// Opens a database file. Creates a missing file and its folder, for their owner only, and
    /// creates the schema in a new database.
    ///
    /// # Errors
    /// [`OpenError::Store`] when the file can't be created or opened, or is no database;
    /// [`OpenError::Outdated`] or [`OpenError::Newer`] when another version of the daemon made it.
    pub async fn open(path: impl AsRef<Path>, options: StateOptions) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), options, SqliteSynchronous::Full).await
    }

    pub(crate) async fn open_with(
        path: &Path,
        options: StateOptions,
        synchronous: SqliteSynchronous,
    ) -> Result<Self, OpenError> {
        create_private(path).map_err(unavailable)?;
        let connect = connect_options(options)
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous);
        let writer = writer_pool(options).connect_with(connect.clone()).await;
        let writer = writer.map_err(unavailable)?;
        schema::migrate(&writer).await?;
        let reading = connect.pragma("query_only", "ON");
        let [readers, lists] = [options.readers, options.lists]
            .map(|connections| pool(connections.max(1), options).connect_with(reading.clone()));
        Ok(Self {
            readers: readers.await.map_err(unavailable)?,
            lists: lists.await.map_err(unavailable)?,
            writer,
            probe: Some(DiskProbe::beside(path)),
        })
    }

    /// Opens an empty database in memory, for tests. It is gone with its last clone.
    ///
    /// # Errors
    /// [`OpenError::Store`] when there is no memory left.
    pub async fn open_temporary() -> Result<Self, OpenError> {
        // A database in memory belongs to its connection: one serves all.
        let options = StateOptions::default();
        let connect = connect_options(options).in_memory(true);
        let writer = pool(1, options).connect_with(connect).await;
        let writer = writer.map_err(unavailable)?;
        schema::migrate(&writer).await?;
        Ok(Self {
            readers: writer.clone(),
            lists: writer.clone(),
            writer,
            probe: None,
        })
    }

    /// Waits for the calls in progress and closes all connections; SQLite folds the write-ahead log
    /// into the file. Later calls fail with [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.lists.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that writes, with the write lock. It is rolled back unless it is
    /// [committed](commit).
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

/// Commits a transaction. Its changes are on disk when this returns.
pub(crate) async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(statement_failed)
}

fn connect_options(options: StateOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        // Without it, REPLACE deletes rows without running their triggers.
        .pragma("recursive_triggers", "ON")
        .busy_timeout(options.busy_timeout)
        .row_buffer_size(ROW_BUFFER)
}

fn pool(connections: u32, options: StateOptions) -> SqlitePoolOptions {
    // Connections to a local file don't go stale: keep them, and don't test them each time.
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(options.busy_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The pool of the one writing connection. On a full disk or a failed read SQLite itself ends the
/// transaction. sqlx's own rollback then fails, sqlx goes on counting the transaction as open and
/// can't begin another. Such a connection is replaced.
fn writer_pool(options: StateOptions) -> SqlitePoolOptions {
    pool(1, options).before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    })
}

/// Creates folder and file, readable by their owner only. SQLite gives its companion files the
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
