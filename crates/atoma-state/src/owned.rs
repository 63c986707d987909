//! A data directory with its database, owned by this process.

use std::path::Path;

use async_trait::async_trait;
use atoma_domain::ports::Ownership;
use thiserror::Error;

use crate::data_dir::{DataDirError, DataDirLock, database_file};
use crate::{OpenError, SqliteState, StateOptions};

/// The database of a data directory, which no other process acts on while this one owns it.
///
/// Whoever runs the transaction engine owns the data directory. Programs that only record served work or read can open the
/// [database](database_file) beside it.
#[derive(Debug)]
pub struct OwnedState {
    state: SqliteState,
    lock: DataDirLock,
}

/// Why a data directory can't be owned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OwnError {
    /// Another process owns it, or it can't be written.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Its database can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl OwnedState {
    /// Creates the directory, if it is missing, locks it, and opens its database.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] while another process owns it; see [`OpenError`] for the database.
    pub async fn open(dir: &Path, options: StateOptions) -> Result<Self, OwnError> {
        let lock = DataDirLock::take(dir)?;
        let state = SqliteState::open(database_file(dir), options).await?;
        Ok(Self { state, lock })
    }

    /// The database.
    pub const fn state(&self) -> &SqliteState {
        &self.state
    }
}

#[async_trait]
impl Ownership for OwnedState {
    async fn give_up(&self) {
        self.state.close().await;
        self.lock.release();
    }
}
