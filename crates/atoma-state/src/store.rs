//! Opening the database, and its ways in: one writer, several readers, and readers for lists.

mod checkpoints;
mod identity;
mod options;
mod prepare;

use std::path::Path;
use std::sync::Arc;

use atoma_domain::ports::StoreError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqlitePool, Transaction};

use crate::error::statement_failed;
use crate::files::OpenLock;
use crate::key_clock::KeyClock;
use crate::open_error::OpenError;
use crate::probe::DiskProbe;
use crate::schema::MIGRATIONS;
use checkpoints::Checkpoints;
use identity::FileIdentity;

pub use options::{Access, StateOptions};

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
    pub(crate) key_clock: Arc<KeyClock>,
    /// None in memory.
    file: Option<Arc<OpenFile>>,
}

/// What an open file needs beside its connections.
#[derive(Debug)]
struct OpenFile {
    /// None for a reader.
    checkpoints: Option<Checkpoints>,
    identity: FileIdentity,
    lock: Option<OpenLock>,
}

/// The size in bytes to which SQLite cuts the log when it begins anew. A burst lets it grow beyond.
const LOG_LIMIT: &str = "4194304";

/// How many rows a connection buffers; sqlx's 50 makes long lists slow.
const ROW_BUFFER: usize = 1024;

impl SqliteState {
    /// Opens a database file. With [`Access::Migrate`], creates a missing file and its folder, for their
    /// owner only, creates the schema in a new database and migrates an older one. While any store
    /// has the file open, nobody migrates it.
    ///
    /// # Errors
    /// See [`OpenError`]. The file is left as it was.
    pub async fn open(path: impl AsRef<Path>, options: StateOptions) -> Result<Self, OpenError> {
        let synchronous = SqliteSynchronous::Full;
        Self::open_with(path.as_ref(), options, synchronous, &MIGRATIONS).await
    }

    pub(crate) async fn open_with(
        path: &Path,
        options: StateOptions,
        synchronous: SqliteSynchronous,
        migrations: &Migrator,
    ) -> Result<Self, OpenError> {
        let connect = connect_options(options)
            .filename(path)
            .read_only(options.access == Access::ReadOnly)
            .synchronous(synchronous);
        let lock = prepare::prepare(path, &connect, options, migrations).await?;
        let failed = |error| OpenError::sqlite(path, error);
        let identity = FileIdentity::of(path).map_err(|error| failed(error.into()))?;
        let reading = connect.clone().pragma("query_only", "ON");
        let [readers, lists] = [options.readers, options.lists]
            .map(|connections| pool(connections.max(1), options).connect_with(reading.clone()));
        let (readers, lists) = (readers.await.map_err(failed)?, lists.await.map_err(failed)?);
        if options.access == Access::ReadOnly {
            let checkpoints = None;
            return Ok(Self {
                writer: readers.clone(),
                readers,
                lists,
                probe: None,
                key_clock: Arc::default(),
                file: Some(Arc::new(OpenFile {
                    checkpoints,
                    identity,
                    lock,
                })),
            });
        }
        let connect = connect.pragma("journal_size_limit", LOG_LIMIT);
        let writer = writer_pool(options).connect_with(connect.clone()).await;
        let writer = writer.map_err(failed)?;
        let checkpoints = pool(1, options).connect_with(connect).await;
        let checkpoints =
            Checkpoints::start(checkpoints.map_err(failed)?, options.checkpoint_interval);
        let checkpoints = Some(checkpoints);
        Ok(Self {
            readers,
            lists,
            writer,
            probe: Some(DiskProbe::beside(path)),
            key_clock: Arc::default(),
            file: Some(Arc::new(OpenFile {
                checkpoints,
                identity,
                lock,
            })),
        })
    }

    /// Opens an empty database in memory, for tests. It is gone with its last clone.
    ///
    /// # Errors
    /// [`OpenError::Failed`] when there is no memory left.
    pub async fn open_temporary() -> Result<Self, OpenError> {
        // A database in memory belongs to its connection: one serves all.
        let options = StateOptions::default();
        let connect = connect_options(options).in_memory(true);
        let writer = pool(1, options).connect_with(connect).await;
        let memory = Path::new(":memory:");
        let writer = writer.map_err(|error| OpenError::sqlite(memory, error))?;
        let migrated = MIGRATIONS.run(&writer).await;
        migrated.map_err(|error| OpenError::migration(memory, error))?;
        Ok(Self {
            readers: writer.clone(),
            lists: writer.clone(),
            writer,
            probe: None,
            key_clock: Arc::default(),
            file: None,
        })
    }

    /// Copies the whole write-ahead log into the database file and empties it. Waits for calls in
    /// progress. A store does this by itself regularly, as far as it can without waiting, and when it
    /// is closed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process reads or writes for longer than the busy timeout;
    /// others when the database fails. Nothing is lost: the log is still there.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let (is_busy, _, _): (bool, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.writer)
            .await
            .map_err(statement_failed)?;
        match is_busy {
            true => Err(StoreError::Locked(Box::new(std::io::Error::from(
                std::io::ErrorKind::ResourceBusy,
            )))),
            false => Ok(()),
        }
    }

    /// Waits for the calls in progress and closes all connections. The write-ahead log is copied into the
    /// file, unless another process reads from it for too long. Later calls fail with
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.lists.close().await;
        let checkpoints = self
            .file
            .as_ref()
            .and_then(|file| file.checkpoints.as_ref());
        if let Some(checkpoints) = checkpoints {
            checkpoints.stop().await;
            // SQLite does it itself with the last connection of all processes. Without it, the log stays.
            let _ = self.checkpoint().await;
        }
        self.writer.close().await;
        if let Some(lock) = self.file.as_ref().and_then(|file| file.lock.as_ref()) {
            lock.release();
        }
    }

    /// Begins a transaction that writes, with the write lock. It is rolled back unless it is
    /// [committed](commit).
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        self.check_in_place()?;
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(statement_failed)
    }

    /// Refuses a database whose file is no longer at its path.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        self.file
            .as_ref()
            .map_or(Ok(()), |file| file.identity.check())
    }

    fn is_read_only(&self) -> bool {
        let file = self.file.as_ref();
        file.is_some_and(|file| file.checkpoints.is_none())
    }

    /// Begins a transaction whose reads all see the same state.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(statement_failed)
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
        .acquire_timeout(options.connection_timeout)
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

#[cfg(test)]
mod tests;
