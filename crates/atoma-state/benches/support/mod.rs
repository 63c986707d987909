//! What both database benchmarks need.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use tokio::runtime::Runtime;

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// A connection for a baseline, as durable as the store's, to a database with that table.
pub(crate) async fn baseline(folder: &Path, create_table: &'static str) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("baseline.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(create_table)
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}
