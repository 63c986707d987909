//! What tests and benchmarks of other crates do to a database. Behind the feature `testing`, so that
//! no program that serves can.

use std::path::Path;

use atoma_domain::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::store::unavailable;
use crate::{SqliteState, StateOptions};

/// The right to write to a database, taken from everybody else.
#[derive(Debug)]
pub struct WriteLock(Transaction<'static, Sqlite>);

impl WriteLock {
    /// Takes it with a connection of its own, as another process would.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no such database, or somebody writes for too long.
    pub async fn take(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path);
        let raw = SqlitePool::connect_with(options)
            .await
            .map_err(unavailable)?;
        let lock = raw.begin_with("BEGIN IMMEDIATE").await;
        lock.map(Self).map_err(unavailable)
    }

    /// Gives it back.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database is gone.
    pub async fn release(self) -> Result<(), StoreError> {
        self.0.rollback().await.map_err(unavailable)
    }
}

impl SqliteState {
    /// [`open`](Self::open), but nothing that it writes is flushed to disk: what it takes less of
    /// time is what durability costs.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_undurable(
        path: impl AsRef<Path>,
        options: StateOptions,
    ) -> Result<Self, StoreError> {
        Self::open_with(path.as_ref(), options, SqliteSynchronous::Off).await
    }
}
