//! The write-ahead log is copied into the database file: the file alone is a backup, up to the last copy.

use std::time::Duration;

use atoma_domain::Epoch;
use atoma_domain::ports::ChainEvents;
use atoma_state::{SqliteState, StateOptions};

use crate::raw::Database;
use crate::suite::fixtures::*;

/// A copy of the database file without its log.
fn file_alone(database: &Database) -> Database {
    let copy = Database::new();
    std::fs::create_dir_all(copy.path().parent().unwrap()).unwrap();
    std::fs::copy(database.path(), copy.path()).unwrap();
    copy
}

async fn populated(database: &Database, options: StateOptions) -> SqliteState {
    let store = SqliteState::open(database.path(), options).await.unwrap();
    apply_events(&store, 1, vec![registered(1), bought(1, 1, 100)]).await;
    store.note_epoch(Epoch::new(9)).await.unwrap();
    store
}

#[tokio::test]
async fn after_a_checkpoint_the_file_alone_has_everything() {
    let database = Database::new();
    let store = populated(&database, StateOptions::default()).await;
    store.checkpoint().await.unwrap();
    assert_eq!(file_alone(&database).dump().await, database.dump().await);
    let log = database.path().with_extension("sqlite-wal");
    assert_eq!(log.metadata().unwrap().len(), 0);
}

#[tokio::test]
async fn after_a_stop_the_file_alone_has_everything_even_while_another_process_has_it_open() {
    let database = Database::new();
    let store = populated(&database, StateOptions::default()).await;
    let raw = database.raw().await;
    let one: i64 = sqlx::query_scalar("SELECT count(*) FROM stacks")
        .fetch_one(&raw)
        .await
        .unwrap();
    assert_eq!(one, 1);
    store.close().await;
    assert_eq!(file_alone(&database).dump().await, database.dump().await);
}

#[tokio::test]
async fn a_running_store_copies_its_log_by_itself() {
    let database = Database::new();
    let options = StateOptions {
        checkpoint_interval: Duration::from_millis(5),
        ..StateOptions::default()
    };
    let _store = populated(&database, options).await;
    let everything = database.dump().await;
    let copied = async {
        while !matches!(alone_dump(&database).await, Some(dump) if dump == everything) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), copied)
        .await
        .unwrap();
}

/// The content of the file alone, unless the copy was made in the middle of a checkpoint.
async fn alone_dump(database: &Database) -> Option<Vec<String>> {
    let copy = file_alone(database);
    let opened = SqliteState::open(copy.path(), StateOptions::default()).await;
    opened.ok()?.close().await;
    Some(copy.dump().await)
}
