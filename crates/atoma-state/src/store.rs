//! Opening the database, and its ways in: connections for the engine, for served work, and for lists.

mod checkpoints;
mod identity;
mod options;
mod prepare;
mod transaction;

use std::path::Path;
use std::sync::Arc;

use atoma_domain::ports::StoreError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::batch::{Batch, Results};
use crate::error::statement_failed;
use crate::files::OpenLock;
use crate::key_clock::KeyClock;
use crate::open_error::OpenError;
use crate::probe::DiskProbe;
use crate::schema::MIGRATIONS;
use crate::work::{self, Queue};
use checkpoints::Checkpoints;
use identity::FileIdentity;
use transaction::{Writer, writer_pool};

pub use options::{Access, StateOptions};
pub(crate) use transaction::{WriteTransaction, Writing};

/// The state manager on SQLite. Implements the four database ports. Cheap to clone; all clones share
/// the connections.
///
/// The engine, with the ledger stream, and [served work](Self::for_served_work) read on connections of
/// their own, and lists on a third kind. Thanks to write-ahead logging a reader neither waits for a writer
/// nor blocks it. So no number of requests delays the engine's reads, and the other way round.
///
/// SQLite has one writer at a time, so writes do wait for each other, in two steps:
///
/// 1. The writers of the engine queue among themselves, and so do those of served work. Both are first
///    come, first served, and each has a connection of its own.
/// 2. The first of each queue waits for its turn. Only these two wait here, so they alternate: a write of
///    the engine waits for at most one of served work, however many wait behind that, and the other way
///    round.
///
/// With its turn, a writer takes SQLite's lock as its transaction begins (`BEGIN IMMEDIATE`). There it can
/// wait only for another process. All writers take the steps in this order, so there is no deadlock.
#[derive(Clone, Debug)]
pub struct SqliteState {
    /// The connections of this view: the engine's or served work's.
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
    /// The calls of this view that write served work.
    pub(crate) queue: Arc<Queue>,
    pub(crate) lists: SqlitePool,
    views: Arc<Views>,
    /// Shows whether the disk takes a write; `None` in memory.
    pub(crate) probe: Option<DiskProbe>,
    pub(crate) key_clock: Arc<KeyClock>,
    /// None in memory.
    file: Option<Arc<OpenFile>>,
}

/// What the views don't share.
#[derive(Debug)]
struct Views {
    engine: Connections,
    served: Connections,
}

/// The connections of one view.
#[derive(Clone, Debug)]
struct Connections {
    readers: SqlitePool,
    writer: Writer,
    queue: Arc<Queue>,
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

/// The page size of a new database, in bytes. An existing one keeps its own.
const PAGE_SIZE: u32 = 8192;

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
        let open = |pool: SqlitePoolOptions, connect: &SqliteConnectOptions| {
            let opened = pool.connect_with(connect.clone());
            async move { opened.await.map_err(failed) }
        };
        let readers = |connections: u32| open(pool(connections.max(1), options), &reading);
        let lists = readers(options.lists).await?;
        let (engine, served) = (
            readers(options.readers).await?,
            readers(options.served).await?,
        );
        if options.access == Access::ReadOnly {
            let file = OpenFile {
                checkpoints: None,
                identity,
                lock,
            };
            // Nothing is written, so readers may have them too.
            let views = Views::new(
                (engine.clone(), served.clone()),
                (engine, served),
                true,
                options,
            );
            return Ok(Self::over(views, lists, None, Some(file)));
        }
        let connect = connect
            .pragma("journal_size_limit", LOG_LIMIT)
            // A statement over many rows that a rule may end half-way keeps what it has overwritten: in memory,
            // and not in a file that it makes and deletes each time.
            .pragma("temp_store", "MEMORY");
        let writer = || open(writer_pool(pool(1, options), false), &connect);
        let writers = (writer().await?, writer().await?);
        let views = Views::new((engine, served), writers, false, options);
        let checkpoints = open(pool(1, options), &connect).await?;
        let file = OpenFile {
            checkpoints: Some(Checkpoints::start(checkpoints, options.checkpoint_interval)),
            identity,
            lock,
        };
        Ok(Self::over(
            views,
            lists,
            Some(DiskProbe::beside(path)),
            Some(file),
        ))
    }

    /// The engine's view.
    fn over(
        views: Views,
        lists: SqlitePool,
        probe: Option<DiskProbe>,
        file: Option<OpenFile>,
    ) -> Self {
        let Connections {
            readers,
            writer,
            queue,
        } = views.engine.clone();
        Self {
            readers,
            writer,
            queue,
            lists,
            views: Arc::new(views),
            probe,
            key_clock: Arc::default(),
            file: file.map(Arc::new),
        }
    }

    /// The same store on the connections of served work. The use cases take it, and with it everything that
    /// clients ask for and that is not a list.
    #[must_use]
    pub fn for_served_work(&self) -> Self {
        let Connections {
            readers,
            writer,
            queue,
        } = self.views.served.clone();
        Self {
            readers,
            writer,
            queue,
            ..self.clone()
        }
    }

    /// Opens an empty database in memory, for tests. It is gone with its last clone.
    ///
    /// # Errors
    /// [`OpenError::Failed`] when there is no memory left.
    pub async fn open_temporary() -> Result<Self, OpenError> {
        // A database in memory belongs to its connection: one serves all.
        let options = StateOptions::default();
        let connect = connect_options(options).in_memory(true);
        let writer = writer_pool(pool(1, options), true)
            .connect_with(connect)
            .await;
        let memory = Path::new(":memory:");
        let writer = writer.map_err(|error| OpenError::sqlite(memory, error))?;
        let migrated = MIGRATIONS.run(&writer).await;
        migrated.map_err(|error| OpenError::migration(memory, error))?;
        let both = (writer.clone(), writer.clone());
        let views = Views::new(both.clone(), both, true, options);
        Ok(Self::over(views, writer, None, None))
    }

    /// Copies the whole write-ahead log into the database file and empties it. Waits for calls in
    /// progress. A store does this by itself regularly, as far as it can without waiting, and when it
    /// is closed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process reads or writes for longer than the busy timeout;
    /// others when the database fails. Nothing is lost: the log is still there.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let mut writing = self.writer.take().await?;
        let (is_busy, _, _): (bool, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *writing)
            .await
            .map_err(statement_failed)?;
        writing.end();
        match is_busy {
            true => Err(StoreError::Locked(Box::new(std::io::Error::from(
                std::io::ErrorKind::ResourceBusy,
            )))),
            false => Ok(()),
        }
    }

    /// Looks for damaged pages, and for records of served work that contradict themselves. Reads the whole file, so
    /// it can take some time. Returns the first damage found.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn find_damage(&self) -> Result<Option<String>, StoreError> {
        let mut connection = self.lists.acquire().await.map_err(statement_failed)?;
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut *connection)
            .await
            .map_err(statement_failed)?;
        match found.as_str() {
            "ok" => work::find_damaged(&mut connection).await,
            _ => Ok(Some(found)),
        }
    }

    /// Waits for the calls in progress and closes all connections. The write-ahead log is copied into the
    /// file, unless another process reads from it for too long. Later calls fail with
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        let Views { engine, served } = self.views.as_ref();
        for pool in [&engine.readers, &served.readers, &self.lists] {
            pool.close().await;
        }
        let checkpoints = self
            .file
            .as_ref()
            .and_then(|file| file.checkpoints.as_ref());
        if let Some(checkpoints) = checkpoints {
            checkpoints.stop().await;
            // SQLite does it itself with the last connection of all processes. Without it, the log stays.
            let _ = self.checkpoint().await;
        }
        for writer in [&served.writer, &engine.writer] {
            writer.close().await;
        }
        if let Some(lock) = self.file.as_ref().and_then(|file| file.lock.as_ref()) {
            lock.release();
        }
    }

    /// Begins a transaction that writes, with the write lock. It is rolled back unless it is
    /// [committed](WriteTransaction::commit).
    pub(crate) async fn write(&self) -> Result<WriteTransaction, StoreError> {
        Ok(self.write_with(Batch::new()).await?.0)
    }

    /// Begins a transaction that writes, and reads in the same round trip.
    pub(crate) async fn write_with(
        &self,
        reads: Batch,
    ) -> Result<(WriteTransaction, Results), StoreError> {
        self.turn().await?.begin(reads).await
    }

    /// Waits for the turn to write.
    pub(crate) async fn turn(&self) -> Result<Writing, StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let writing = self.writer.take().await?;
        // Once nobody else writes.
        match self.check_in_place() {
            Ok(()) => Ok(writing),
            Err(error) => {
                writing.end();
                Err(error)
            }
        }
    }

    /// Refuses a database whose file is no longer at its path.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        self.file
            .as_ref()
            .map_or(Ok(()), |file| file.identity.check())
    }

    /// Whether it was opened for reading only.
    pub(crate) fn is_read_only(&self) -> bool {
        let file = self.file.as_ref();
        file.is_some_and(|file| file.checkpoints.is_none())
    }

    /// Begins a transaction whose reads all see the same state.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers.begin().await.map_err(statement_failed)
    }
}

impl Views {
    /// The engine's connections and those of served work. `is_shared` if readers use the writers' too.
    fn new(
        readers: (SqlitePool, SqlitePool),
        writers: (SqlitePool, SqlitePool),
        is_shared: bool,
        options: StateOptions,
    ) -> Self {
        let writer = Writer::new(writers.0, is_shared, options.connection_timeout);
        Self {
            served: Connections {
                readers: readers.1,
                writer: writer.beside(writers.1),
                queue: Arc::new(Queue::new()),
            },
            engine: Connections {
                readers: readers.0,
                writer,
                queue: Arc::new(Queue::new()),
            },
        }
    }
}

fn connect_options(options: StateOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .page_size(PAGE_SIZE)
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

#[cfg(test)]
mod tests;
