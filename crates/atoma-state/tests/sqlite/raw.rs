//! A database file, accessed without the store.

use std::path::PathBuf;

use atoma_state::{SqliteState, StateOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use tempfile::TempDir;

/// A temporary folder with a database file.
pub struct Database {
    folder: TempDir,
}

impl Database {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The file's path, in a folder that the store has to create.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("state.sqlite")
    }

    pub async fn open(&self) -> SqliteState {
        SqliteState::open(self.path(), StateOptions::default())
            .await
            .unwrap()
    }

    /// A connection with sqlx's defaults, not the store's.
    pub async fn raw(&self) -> SqlitePool {
        SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(SqliteConnectOptions::new().filename(self.path()))
            .await
            .unwrap()
    }

    /// Runs statements as another program would.
    pub async fn run(&self, statements: &str) -> Result<(), sqlx::Error> {
        let raw = self.raw().await;
        let result = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&raw).await;
        raw.close().await;
        result.map(|_| ())
    }

    /// Every row of every table.
    pub async fn dump(&self) -> Vec<String> {
        let raw = self.raw().await;
        let dump = dump(&raw).await;
        raw.close().await;
        dump
    }

    /// A copy of the file and its log as a crash would leave them now.
    pub fn after_crash(&self) -> Self {
        let copy = Self::new();
        let (from, to) = (self.path(), copy.path());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap();
        let log = |path: PathBuf| path.with_extension("sqlite-wal");
        std::fs::copy(log(from), log(to)).unwrap();
        copy
    }
}

async fn dump(raw: &SqlitePool) -> Vec<String> {
    let tables = sqlx::query(
        "SELECT m.name, group_concat('quote(\"' || c.name || '\")', ' || '','' || ') AS columns \
         FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
         GROUP BY m.name ORDER BY m.name",
    )
    .fetch_all(raw)
    .await
    .unwrap();
    assert_eq!(tables.len(), 20);
    let mut dump = Vec::new();
    for table in tables {
        let name: String = table.get("name");
        let columns: String = table.get("columns");
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {columns} FROM {name}")))
            .fetch_all(raw)
            .await
            .unwrap();
        for row in rows {
            dump.push(format!("{name}: {}", row.get::<String, _>(0)));
        }
    }
    dump
}
