//! What tests and benchmarks of other crates do to a database. Behind the feature `testing`, so that no
//! program in production can.

use std::path::Path;
use std::sync::Arc;

use atoma_domain::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Sqlite, SqlitePool, Transaction};

use crate::error::statement_failed;
use crate::schema::MIGRATIONS;
use crate::work::Queue;
use crate::{OpenError, SqliteState, StateOptions};

/// The write lock of a database: nobody else can write.
#[derive(Debug)]
pub struct WriteLock(Transaction<'static, Sqlite>);

impl WriteLock {
    /// Takes the lock through a connection of its own, as another process would.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no such database, [`StoreError::Locked`] when somebody
    /// writes for too long.
    pub async fn take(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path);
        let raw = SqlitePool::connect_with(options)
            .await
            .map_err(statement_failed)?;
        let lock = raw.begin_with("BEGIN IMMEDIATE").await;
        lock.map(Self).map_err(statement_failed)
    }

    /// Releases the lock.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database is gone.
    pub async fn release(self) -> Result<(), StoreError> {
        self.0.rollback().await.map_err(statement_failed)
    }
}

/// Runs statements on a SQLite file of another program, which is created if it is missing.
///
/// # Errors
/// [`StoreError::Unavailable`] when one of them fails.
pub async fn run_on_file(path: impl AsRef<Path>, statements: &str) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = options.connect().await.map_err(statement_failed)?;
    let done = sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await;
    connection.close().await.map_err(statement_failed)?;
    done.map(|_| ()).map_err(statement_failed)
}

impl SqliteState {
    /// Runs statements that know nothing of the domain's rules, to damage a row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when one of them fails.
    pub async fn run(&self, statements: &'static str) -> Result<(), StoreError> {
        let mut writing = self.writer.take().await?;
        let done = sqlx::raw_sql(statements).execute(&mut *writing).await;
        done.map_err(statement_failed)?;
        writing.end();
        Ok(())
    }

    /// The same store, whose calls that write served work each have a commit of their own. It is the baseline of
    /// groups. Call it on the runtime that the calls are to run on.
    #[must_use]
    pub fn without_groups(&self) -> Self {
        let mut store = self.clone();
        store.queue = Arc::new(Queue::with_groups_of(1));
        store
    }

    /// Like [`open`](Self::open), but flushes nothing to disk: the time that this saves is the cost of
    /// durability.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_undurable(
        path: impl AsRef<Path>,
        options: StateOptions,
    ) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), options, SqliteSynchronous::Off, &MIGRATIONS).await
    }
}
