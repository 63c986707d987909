//! What happens to a file before its first use: its schema is checked, created or migrated, and write-ahead
//! logging is turned on. Any number of processes may do this at once.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::time::Instant;

use super::options::{Access, StateOptions};
use crate::files::{OpenLock, RESTORING, beside, create_private};
use crate::open_error::{OpenError, is_busy};
use crate::schema::{self, Found};

/// Prepares a file, and returns the lock to hold as long as it is open.
///
/// # Errors
/// As [`SqliteState::open`](super::SqliteState::open).
pub(super) async fn prepare(
    path: &Path,
    connect: &SqliteConnectOptions,
    options: StateOptions,
    migrations: &Migrator,
) -> Result<Option<OpenLock>, OpenError> {
    let file_failed = |error| OpenError::file(path, error);
    if options.access == Access::Migrate {
        create_private(path).map_err(file_failed)?;
    } else if !path.try_exists().map_err(file_failed)? {
        return Err(OpenError::NotMigrated {
            path: path.to_path_buf(),
        });
    }
    let lock = match options.access {
        Access::ReadOnly => OpenLock::existing(path),
        Access::Migrate | Access::Existing => Some(OpenLock::create(path).map_err(file_failed)?),
    };
    let mut connection = connect
        .connect()
        .await
        .map_err(|error| OpenError::sqlite(path, error))?;
    let opening = Opening {
        path,
        access: options.access,
        migrations,
        lock: lock.as_ref(),
        deadline: Instant::now() + options.busy_timeout,
    };
    opening.bring_up_to_date(&mut connection).await?;
    if options.access != Access::ReadOnly {
        opening.log_ahead(&mut connection).await?;
    }
    connection
        .close()
        .await
        .map_err(|error| OpenError::sqlite(path, error))?;
    Ok(lock)
}

struct Opening<'a> {
    path: &'a Path,
    access: Access,
    migrations: &'a Migrator,
    lock: Option<&'a OpenLock>,
    deadline: Instant,
}

impl Opening<'_> {
    /// Returns with the schema up to date and the lock held shared.
    async fn bring_up_to_date(&self, connection: &mut SqliteConnection) -> Result<(), OpenError> {
        let path = self.path.to_path_buf();
        let may_migrate = self.access == Access::Migrate;
        loop {
            self.share().await?;
            // With the lock: a restore holds it alone.
            if beside(self.path, RESTORING)
                .try_exists()
                .map_err(|error| OpenError::file(self.path, error))?
            {
                return Err(OpenError::Restoring { path });
            }
            let found = schema::inspect(connection, self.migrations).await;
            match found.map_err(|error| OpenError::sqlite(self.path, error))? {
                Found::Current => return Ok(()),
                Found::Unmarked if !may_migrate => return Ok(()),
                // Nobody can be using a schema that isn't there, or that stays as it is.
                Found::Empty | Found::Unmarked if may_migrate => {
                    schema::migrate(connection, self.path, self.migrations).await?;
                }
                Found::Behind if may_migrate => {
                    if self.take_alone().await? {
                        schema::migrate(connection, self.path, self.migrations).await?;
                    }
                    // Otherwise look again: whoever has it open may have migrated it.
                }
                Found::Empty | Found::Unmarked | Found::Behind => {
                    return Err(OpenError::NotMigrated { path });
                }
                Found::Newer(migration) => return Err(OpenError::Newer { path, migration }),
                Found::Outdated => return Err(OpenError::Outdated { path }),
                Found::Foreign => return Err(OpenError::Foreign { path }),
            }
        }
    }

    async fn share(&self) -> Result<(), OpenError> {
        let Some(lock) = self.lock else {
            return Ok(());
        };
        self.taken(lock.share(self.deadline).await)
    }

    /// Tries to take the lock alone, and waits a little if others have it. Returns whether it has it.
    async fn take_alone(&self) -> Result<bool, OpenError> {
        let Some(lock) = self.lock else {
            return Ok(true);
        };
        match lock.take_alone().await {
            Ok(false) if Instant::now() >= self.deadline => self.taken(Ok(false)).map(|()| false),
            taken => taken.map_err(|error| OpenError::file(self.path, error)),
        }
    }

    fn taken(&self, taken: std::io::Result<bool>) -> Result<(), OpenError> {
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::InUse {
                path: self.path.to_path_buf(),
            }),
            Err(error) => Err(OpenError::file(self.path, error)),
        }
    }

    /// Turns on write-ahead logging. SQLite does not wait here while another process holds the write
    /// lock; beginning a transaction does wait.
    async fn log_ahead(&self, connection: &mut SqliteConnection) -> Result<(), OpenError> {
        let failed = |error| OpenError::sqlite(self.path, error);
        loop {
            let mode: Result<String, _> = sqlx::query_scalar("PRAGMA journal_mode = WAL")
                .fetch_one(&mut *connection)
                .await;
            match mode {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(mode) => {
                    return Err(OpenError::Failed {
                        path: self.path.to_path_buf(),
                        source: format!("its file system has no write-ahead logging, only {mode}")
                            .into(),
                    });
                }
                Err(error) if is_busy(&error) && Instant::now() < self.deadline => {
                    let lock = connection.begin_with("BEGIN EXCLUSIVE").await;
                    lock.map_err(failed)?.rollback().await.map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }
}
