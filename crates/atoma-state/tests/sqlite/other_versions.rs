//! Databases of other versions of the daemon are refused, and left as they are.

use atoma_domain::Epoch;
use atoma_domain::ports::ChainEvents;
use atoma_state::{OpenError, SqliteState, StateOptions};

use crate::raw::Database;

/// Everything that opening could change.
async fn contents(database: &Database) -> (Vec<String>, Vec<(i64, Vec<u8>)>) {
    let raw = database.raw().await;
    let migrations = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY 1")
        .fetch_all(&raw)
        .await
        .unwrap();
    raw.close().await;
    (database.dump().await, migrations)
}

async fn refusal(database: &Database) -> OpenError {
    let before = contents(database).await;
    let opened = SqliteState::open(database.path(), StateOptions::default()).await;
    assert_eq!(contents(database).await, before);
    opened.unwrap_err()
}

/// A database with these migrations instead of this version's.
async fn with_migrations(versions: &[i64]) -> Database {
    let database = Database::new();
    let store = database.open().await;
    store.note_epoch(Epoch::new(7)).await.unwrap();
    store.close().await;
    database.run("DELETE FROM _sqlx_migrations").await.unwrap();
    for version in versions {
        let applied = format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES ({version}, 'of another version', 1, x'0{version}', 0)"
        );
        database.run(&applied).await.unwrap();
    }
    database
}

/// The unreleased versions before the first had eight migrations, and at first fewer.
#[tokio::test]
async fn a_database_of_an_earlier_version_is_refused_with_what_to_do() {
    for last in [1, 7, 8] {
        let versions: Vec<i64> = (1..=last).collect();
        let database = with_migrations(&versions).await;
        let refusal = refusal(&database).await;
        assert!(matches!(refusal, OpenError::Outdated { .. }), "{refusal:?}");
        let sentence = refusal.to_string();
        for part in ["earlier", "finish", "move the data directory away"] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_and_named() {
    let database = Database::new();
    database.open().await.close().await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (999999, 'of a later version', 1, x'00', 0)";
    database.run(later).await.unwrap();
    let refusal = refusal(&database).await;
    assert!(
        matches!(
            refusal,
            OpenError::Newer {
                migration: 999_999,
                ..
            }
        ),
        "{refusal:?}"
    );
    assert!(refusal.to_string().contains("999999"));
}
