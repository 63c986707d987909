//! The earlier node's SQLite file, in a folder of its own.

use std::path::PathBuf;

use atoma_state::import::{EarlierDatabase, EarlierRecords, ImportError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::earlier::{Dialect, EarlierStack};

pub const SQLITE: Dialect = Dialect::Sqlite;

/// The earlier node's database.
pub struct Earlier {
    pub folder: TempDir,
}

impl Earlier {
    pub async fn with(stacks: &[EarlierStack]) -> Self {
        let earlier = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let stacks = stacks.iter().map(|stack| stack.statements(SQLITE));
        earlier
            .run(&(SQLITE.table() + &stacks.collect::<String>()))
            .await;
        earlier
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("atoma.db")
    }

    pub async fn connection(&self, mode: SqliteJournalMode) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true)
            .journal_mode(mode);
        options.connect().await.unwrap()
    }

    pub async fn run(&self, statements: &str) {
        let mut connection = self.connection(SqliteJournalMode::Delete).await;
        run(&mut connection, statements).await;
        connection.close().await.unwrap();
    }

    pub async fn read(&self) -> EarlierRecords {
        self.try_read().await.unwrap()
    }

    pub async fn try_read(&self) -> Result<EarlierRecords, ImportError> {
        let source: EarlierDatabase = self.path().to_str().unwrap().parse().unwrap();
        source.read().await
    }

    /// Every file with its content.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

/// Runs statements on an open connection.
pub async fn run(connection: &mut SqliteConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(connection)
        .await
        .unwrap();
}
