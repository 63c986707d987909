//! A database file, accessed without the store.

use std::path::{Path, PathBuf};

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
        connect(&self.path()).await
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
        dump_of(&self.path()).await
    }

    /// A copy of the file and its log or journal as a crash would leave them now.
    pub fn after_crash(&self) -> Self {
        let copy = Self::new();
        let (from, to) = (self.path(), copy.path());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        for extension in ["sqlite", "sqlite-wal", "sqlite-journal"] {
            let from = from.with_extension(extension);
            if from.exists() {
                std::fs::copy(from, to.with_extension(extension)).unwrap();
            }
        }
        copy
    }

    /// A copy as a crash during a migration of a restored file leaves it: with pages in the file that its rollback
    /// journal takes back.
    pub async fn after_interrupted_migration(&self) -> Self {
        let raw = self.raw().await;
        let script = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 5; BEGIN IMMEDIATE; \
                      UPDATE work_records SET is_frozen = 1; \
                      CREATE TABLE added AS WITH RECURSIVE rows(n) AS \
                      (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE n < 2000) \
                      SELECT n, randomblob(500) AS content FROM rows";
        sqlx::raw_sql(script).execute(&raw).await.unwrap();
        let copy = self.after_crash();
        assert!(copy.path().with_extension("sqlite-journal").exists());
        sqlx::raw_sql("ROLLBACK").execute(&raw).await.unwrap();
        raw.close().await;
        copy
    }
}

async fn connect(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(SqliteConnectOptions::new().filename(path))
        .await
        .unwrap()
}

/// Every row of every table of a file.
pub async fn dump_of(path: &Path) -> Vec<String> {
    let raw = connect(path).await;
    let dump = dump(&raw).await;
    raw.close().await;
    dump
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
    assert_eq!(tables.len(), 32);
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
