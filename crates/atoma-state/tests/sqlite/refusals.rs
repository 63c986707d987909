//! What can't be opened is told apart, with a sentence that names the file and what to do.

use std::time::Duration;

use atoma_domain::Epoch;
use atoma_domain::ports::{ChainEvents, StoreError};
use atoma_state::{Access, OpenError, SqliteState, StateOptions};

use crate::raw::Database;

fn options(access: Access) -> StateOptions {
    StateOptions {
        busy_timeout: Duration::from_millis(50),
        access,
        ..StateOptions::default()
    }
}

async fn refusal(database: &Database, access: Access, hint: &str) -> OpenError {
    let opened = SqliteState::open(database.path(), options(access)).await;
    let refusal = opened.unwrap_err();
    let sentence = refusal.to_string();
    let path = database.path().display().to_string();
    for part in [&path, hint] {
        assert!(sentence.contains(part), "{sentence}");
    }
    refusal
}

/// A database whose file has this content.
fn with_content(content: &[u8]) -> Database {
    let database = Database::new();
    std::fs::create_dir_all(database.path().parent().unwrap()).unwrap();
    std::fs::write(database.path(), content).unwrap();
    database
}

#[tokio::test]
async fn a_file_of_another_kind_is_no_database() {
    let text = "These are somebody's notes. ".repeat(100);
    let database = with_content(text.as_bytes());
    let refusal = refusal(&database, Access::Migrate, "move it away").await;
    assert!(
        matches!(refusal, OpenError::NotADatabase { .. }),
        "{refusal:?}"
    );
    assert_eq!(std::fs::read_to_string(database.path()).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_file_is_told_apart() {
    let database = Database::new();
    database.open().await.close().await;
    let mut content = std::fs::read(database.path()).unwrap();
    // The root of the schema begins after the file's header of 100 bytes.
    content[100..4096].fill(0xee);
    let database = with_content(&content);
    let refusal = refusal(&database, Access::Migrate, "restore a backup").await;
    assert!(matches!(refusal, OpenError::Damaged { .. }), "{refusal:?}");
}

/// Neither adopted nor called outdated, also if the other program uses sqlx.
#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let own_id = "PRAGMA application_id = 7; CREATE TABLE notes (text)";
    let only_an_id = "PRAGMA application_id = 7; CREATE TABLE notes (text); DROP TABLE notes";
    let no_id = "CREATE TABLE notes (text)";
    let sqlx = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT, \
                installed_on TEXT, success BOOLEAN, checksum BLOB, execution_time BIGINT); \
                INSERT INTO _sqlx_migrations VALUES (1, 'notes', '', 1, x'01', 0); \
                CREATE TABLE notes (text)";
    for statements in [own_id, only_an_id, no_id, sqlx] {
        let database = with_content(b"");
        let raw = sqlx::sqlite::SqliteConnectOptions::new().filename(database.path());
        let raw = sqlx::SqlitePool::connect_with(raw).await.unwrap();
        sqlx::raw_sql(statements).execute(&raw).await.unwrap();
        raw.close().await;
        let before = std::fs::read(database.path()).unwrap();
        for access in [Access::Migrate, Access::Existing, Access::ReadOnly] {
            let refusal = refusal(&database, access, "another program").await;
            assert!(matches!(refusal, OpenError::Foreign { .. }), "{refusal:?}");
        }
        assert_eq!(std::fs::read(database.path()).unwrap(), before);
    }
}

#[tokio::test]
async fn a_locked_file_is_told_apart() {
    let database = with_content(b"");
    let raw = database.raw().await;
    let _lock = raw.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    let refusal = refusal(&database, Access::Migrate, "another process").await;
    assert!(matches!(refusal, OpenError::Locked { .. }), "{refusal:?}");
}

#[tokio::test]
async fn a_folder_in_place_of_the_file_is_no_access() {
    let database = Database::new();
    std::fs::create_dir_all(database.path()).unwrap();
    let refusal = refusal(&database, Access::Migrate, "read and write").await;
    assert!(matches!(refusal, OpenError::NoAccess { .. }), "{refusal:?}");
}

#[tokio::test]
async fn without_migrating_a_missing_or_empty_database_is_refused_and_not_created() {
    for access in [Access::Existing, Access::ReadOnly] {
        let database = Database::new();
        let missing = refusal(&database, access, "start the daemon").await;
        assert!(
            matches!(missing, OpenError::NotMigrated { .. }),
            "{missing:?}"
        );
        assert!(!database.path().exists());

        let database = with_content(b"");
        let empty = refusal(&database, access, "start the daemon").await;
        assert!(matches!(empty, OpenError::NotMigrated { .. }), "{empty:?}");
        assert_eq!(database.path().metadata().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_service_beside_the_daemon_reads_and_writes_or_only_reads() {
    let database = Database::new();
    let daemon = database.open().await;
    let service = SqliteState::open(database.path(), options(Access::Existing)).await;
    service.unwrap().note_epoch(Epoch::new(3)).await.unwrap();
    let reader = SqliteState::open(database.path(), options(Access::ReadOnly)).await;
    let reader = reader.unwrap();
    assert_eq!(reader.progress().await.unwrap().epoch, Some(Epoch::new(3)));
    let refused = reader.note_epoch(Epoch::new(4)).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly), "{refused:?}");
    assert!(!refused.is_temporary());
    reader.close().await;
    daemon.close().await;
    // Without the daemon, too.
    let reader = SqliteState::open(database.path(), options(Access::ReadOnly)).await;
    let progress = reader.unwrap().progress().await.unwrap();
    assert_eq!(progress.epoch, Some(Epoch::new(3)));
}
