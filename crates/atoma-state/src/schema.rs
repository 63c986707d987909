//! The schema: created in a new database, recognised in an existing one.

use atoma_domain::ports::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Row, SqlitePool};
use thiserror::Error;

use crate::error::unavailable;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// A database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its schema is from before the first migration that this version has.
    #[error(
        "the database was made by an earlier, unreleased version of the daemon and can't be \
         converted: finish its open settlements with that version, then move the data directory \
         away and start again; the daemon mirrors the chain anew, but the records of served work \
         stay behind"
    )]
    Outdated,
    /// Its schema has a migration that this version doesn't know.
    #[error(
        "the database was made by a later version of the daemon (migration {migration}): run that \
         version"
    )]
    Newer {
        /// The migration's number.
        migration: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings a database to this version's schema.
///
/// # Errors
/// [`OpenError::Outdated`] or [`OpenError::Newer`] for a database of another version, which is left
/// as it is.
pub(crate) async fn migrate(writer: &SqlitePool) -> Result<(), OpenError> {
    let Err(error) = MIGRATIONS.run(writer).await else {
        return Ok(());
    };
    match error {
        MigrateError::VersionMismatch(_) => Err(OpenError::Outdated),
        // Of two sets of migrations, only a later one begins with all of this version's.
        MigrateError::VersionMissing(migration) => match has_all_migrations(writer).await? {
            true => Err(OpenError::Newer { migration }),
            false => Err(OpenError::Outdated),
        },
        other => Err(unavailable(other).into()),
    }
}

/// Whether every migration of this version is applied, unchanged.
async fn has_all_migrations(writer: &SqlitePool) -> Result<bool, StoreError> {
    let applied = sqlx::query("SELECT version, checksum FROM _sqlx_migrations")
        .fetch_all(writer)
        .await
        .map_err(unavailable)?;
    let applied = applied
        .iter()
        .map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?)))
        .collect::<Result<Vec<(i64, Vec<u8>)>, sqlx::Error>>()
        .map_err(unavailable)?;
    Ok(MIGRATIONS.iter().all(|migration| {
        let expected = (migration.version, migration.checksum.to_vec());
        applied.contains(&expected)
    }))
}
