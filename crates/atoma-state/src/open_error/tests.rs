//! The failures that a test can't cause by opening a file, from SQLite's own errors.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

use super::*;

async fn failing(connection: &mut SqliteConnection, statements: &'static str) -> OpenError {
    let failed = sqlx::raw_sql(statements).execute(connection).await;
    OpenError::sqlite(Path::new("/data/atoma.sqlite"), failed.unwrap_err())
}

#[tokio::test]
async fn a_full_disk_is_told_apart() {
    let memory = SqliteConnectOptions::new().in_memory(true);
    let mut memory = memory.connect().await.unwrap();
    let error = failing(
        &mut memory,
        "PRAGMA max_page_count = 1; CREATE TABLE a (b); CREATE TABLE c (d)",
    )
    .await;
    assert!(matches!(error, OpenError::DiskFull { .. }), "{error:?}");
    let sentence = error.to_string();
    for part in ["/data/atoma.sqlite", "full", "free some space"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let quota = io::Error::from(io::ErrorKind::QuotaExceeded);
    let error = OpenError::file(Path::new("/data"), quota);
    assert!(matches!(error, OpenError::DiskFull { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_without_permission_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    std::fs::write(&path, "").unwrap();
    let read_only = SqliteConnectOptions::new().filename(&path).read_only(true);
    let mut read_only = read_only.connect().await.unwrap();
    let error = failing(&mut read_only, "CREATE TABLE a (b)").await;
    assert!(matches!(error, OpenError::NoAccess { .. }), "{error:?}");
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let error = OpenError::file(Path::new("/data/atoma.sqlite"), denied);
    assert!(matches!(error, OpenError::NoAccess { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains("/data/atoma.sqlite"), "{sentence}");
}
