//! The schema: created in a new database, recognised in an existing one.
//!
//! A database is the daemon's if its application id says so. A dump loses the id: a file without any id
//! counts as the daemon's if it has the daemon's first migration, with its checksum.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};

use crate::open_error::OpenError;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// "Atom" in ASCII. The first migration sets it.
const APPLICATION_ID: i64 = 0x4174_6f6d;

/// What a file holds, compared with this version's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// This version's schema.
    Current,
    /// This version's schema, restored from a dump.
    Unmarked,
    /// The first of this version's migrations, but not all.
    Behind,
    /// All of this version's migrations and later ones.
    Newer(i64),
    /// The daemon's, but none of this version's migrations.
    Outdated,
    /// Another program's.
    Foreign,
}

/// Looks at a file, in a transaction of its own or in the caller's.
pub(crate) async fn inspect(
    connection: &mut SqliteConnection,
    migrations: &Migrator,
) -> Result<Found, sqlx::Error> {
    let mut snapshot = connection.begin().await?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *snapshot)
        .await?;
    let (objects, has_migrations): (i64, bool) = sqlx::query_as(
        "SELECT count(*), coalesce(max(name = '_sqlx_migrations'), 0) FROM sqlite_schema",
    )
    .fetch_one(&mut *snapshot)
    .await?;
    let applied: Vec<(i64, Vec<u8>)> = match has_migrations {
        true => {
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
                .fetch_all(&mut *snapshot)
                .await?
        }
        false => Vec::new(),
    };
    snapshot.rollback().await?;
    if id != 0 && id != APPLICATION_ID {
        return Ok(Found::Foreign);
    }
    if objects == 0 {
        return Ok(Found::Empty);
    }
    Ok(match (compare(&applied, migrations), id == 0) {
        (_, false) if applied.is_empty() => Found::Foreign,
        (Found::Outdated, true) => Found::Foreign,
        (Found::Current, true) => Found::Unmarked,
        (found, _) => found,
    })
}

/// Compares the applied migrations with this version's. Both are in the order of their numbers.
fn compare(applied: &[(i64, Vec<u8>)], migrations: &Migrator) -> Found {
    let mut unknown = applied.iter();
    for (known, migration) in migrations.iter().enumerate() {
        match unknown.next() {
            Some((version, checksum))
                if *version == migration.version && **checksum == *migration.checksum => {}
            None if known > 0 => return Found::Behind,
            _ => return Found::Outdated,
        }
    }
    match unknown.next() {
        Some((version, _)) => Found::Newer(*version),
        None => Found::Current,
    }
}

/// Brings an empty, older or restored database to this version's schema. The exclusive transaction
/// makes other processes wait that open the file at the same time: sqlx's own lock on migrations does
/// nothing on SQLite. What they have done meanwhile is not repeated.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    let mut transaction = connection
        .begin_with("BEGIN EXCLUSIVE")
        .await
        .map_err(failed)?;
    match inspect(&mut transaction, migrations)
        .await
        .map_err(failed)?
    {
        Found::Empty | Found::Behind => migrations
            .run(&mut *transaction)
            .await
            .map_err(|error| OpenError::migration(path, error))?,
        Found::Unmarked => {}
        // Decided by the caller, which looks again.
        Found::Current | Found::Newer(_) | Found::Outdated | Found::Foreign => return Ok(()),
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "PRAGMA application_id = {APPLICATION_ID}"
    )))
    .execute(&mut *transaction)
    .await
    .map_err(failed)?;
    transaction.commit().await.map_err(failed)
}
