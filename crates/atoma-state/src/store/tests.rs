use std::pin::pin;
use std::time::Duration;

use atoma_domain::events::StackCreated;
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{
    ChainEvents, EventCursor, LedgerFrame, LedgerPosition, LedgerTransaction, Page, RecordError,
    ReservationFilter, ServedWork, StateReader, StoreError,
};
use atoma_domain::{
    Address, CheckpointNumber, ComputeUnits, Digest, Epoch, Hash32, NodeSmallId, PricePerMillion,
    StackSmallId, TaskSmallId, TimestampMs,
};

use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::checkpoints::checkpoint_if_changed;
use super::*;
use crate::columns::number;

fn bought(id: u64) -> LedgerFrame {
    let event = StackCreated {
        stack_id: Address::ZERO,
        stack_small_id: StackSmallId::new(id),
        owner: Address::ZERO,
        task_small_id: TaskSmallId::new(1),
        selected_node_id: NodeSmallId::new(1),
        num_compute_units: ComputeUnits::new(u64::MAX),
        price_per_one_million_compute_units: PricePerMillion::new(1),
    };
    LedgerFrame {
        transaction: Some(LedgerTransaction {
            digest: Digest::ZERO,
            position: LedgerPosition {
                checkpoint: CheckpointNumber::new(id),
                index: 0,
            },
            timestamp: TimestampMs::new(1),
            epoch: Epoch::new(1),
            sender: Address::ZERO,
            events: vec![event.into()],
            set_aside: Vec::new(),
            contract_version: None,
            unexplained: Vec::new(),
            balance_changes: None,
        }),
        cursor: EventCursor(id.to_be_bytes().to_vec().into()),
        covered: None,
    }
}

/// SQLite reports a file at its page limit like a full disk.
async fn limit_pages(store: &SqliteState, limit: &'static str) {
    let mut writing = store.writer.take().await.unwrap();
    sqlx::query(limit).execute(&mut *writing).await.unwrap();
    writing.end();
}

#[tokio::test]
async fn a_full_disk_says_so_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let store = SqliteState::open(&path, StateOptions::default())
        .await
        .unwrap();
    limit_pages(&store, "PRAGMA max_page_count = 1").await;
    // The limit can't be set below the file's size. So many stacks don't fit into the rest of it.
    let frames: Vec<LedgerFrame> = (1..2000).map(bought).collect();
    let failed = store.apply(&frames, Address::ZERO).await;
    assert!(matches!(failed, Err(StoreError::DiskFull(_))));
    let progress = store.progress().await.unwrap();
    assert_eq!(progress.cursor, None);
    let (stack, units) = (StackSmallId::new(1), ComputeUnits::new(1));
    let message = NewMessage::new(stack, Hash32::ZERO, units, TimestampMs::new(1));
    // Not even the first stack of the batch was stored.
    assert!(matches!(
        store.record_message(&message).await,
        Err(RecordError::UnknownStack(_))
    ));

    // There is space again.
    limit_pages(&store, "PRAGMA max_page_count = 1000000").await;
    store.apply(&frames, Address::ZERO).await.unwrap();
    store.record_message(&message).await.unwrap();
}

/// This version's migrations and the next version's, which changes the order of a table's columns.
fn next_version() -> Migrator {
    let mut migrations: Vec<Migration> = MIGRATIONS.iter().cloned().collect();
    let sql = "ALTER TABLE ledger RENAME COLUMN covered TO epoch_before; \
               ALTER TABLE ledger ADD COLUMN covered BLOB";
    let sql = sqlx::SqlSafeStr::into_sql_str(sql);
    migrations.push(Migration::new(
        2,
        "next".into(),
        MigrationType::Simple,
        sql,
        false,
    ));
    Migrator::with_migrations(migrations)
}

fn impatient(access: Access) -> StateOptions {
    StateOptions {
        busy_timeout: Duration::from_millis(50),
        access,
        ..StateOptions::default()
    }
}

#[tokio::test]
async fn nobody_migrates_a_database_that_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let full = SqliteSynchronous::Full;
    let open_next = |access| {
        let path = path.clone();
        async move {
            let next = next_version();
            SqliteState::open_with(&path, impatient(access), full, &next).await
        }
    };
    let reader = impatient(Access::ReadOnly);
    let daemon = SqliteState::open(&path, impatient(Access::Migrate)).await;
    let daemon = daemon.unwrap();
    let service = SqliteState::open(&path, reader).await.unwrap();
    for access in [Access::Existing, Access::ReadOnly] {
        let refused = open_next(access).await.unwrap_err();
        assert!(
            matches!(refused, OpenError::NotMigrated { .. }),
            "{refused:?}"
        );
    }
    let in_use = open_next(Access::Migrate).await.unwrap_err();
    assert!(matches!(in_use, OpenError::InUse { .. }), "{in_use:?}");
    assert!(in_use.to_string().contains("state.sqlite"), "{in_use}");
    daemon.close().await;
    let in_use = open_next(Access::Migrate).await.unwrap_err();
    assert!(matches!(in_use, OpenError::InUse { .. }), "{in_use:?}");
    // It still reads what it knows.
    assert_eq!(service.progress().await.unwrap().cursor, None);
    service.close().await;

    let next = open_next(Access::Migrate).await.unwrap();
    // Those of the earlier version learn why they can't open it.
    for access in [Access::Migrate, Access::ReadOnly] {
        let refused = SqliteState::open(&path, impatient(access)).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, OpenError::Newer { migration: 2, .. }),
            "{refused:?}"
        );
    }
    next.close().await;
}

/// What is written to a file that was moved or removed is gone with the process.
#[tokio::test]
async fn a_database_that_was_moved_takes_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let moved = folder.path().join("moved.sqlite");
    let store = SqliteState::open(&path, StateOptions::default())
        .await
        .unwrap();
    store.note_epoch(Epoch::new(1)).await.unwrap();
    let refused = async || {
        let written = store.note_epoch(Epoch::new(2)).await;
        let Err(StoreError::Unavailable(cause)) = written else {
            panic!("{written:?}");
        };
        assert!(cause.to_string().contains("was moved"), "{cause}");
    };
    std::fs::rename(&path, &moved).unwrap();
    refused().await;
    std::fs::copy(&moved, &path).unwrap();
    refused().await;
    std::fs::rename(&moved, &path).unwrap();
    store.note_epoch(Epoch::new(2)).await.unwrap();
}

/// The loser of two that want to migrate waits until the winner is done, and takes what it made. The winner
/// keeps the lock shared as long as it has the database open.
#[tokio::test]
async fn of_two_that_migrate_at_once_neither_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let older = SqliteState::open(&path, StateOptions::default()).await;
    let older = older.unwrap();
    let open_next = async || {
        let (options, full) = (StateOptions::default(), SqliteSynchronous::Full);
        SqliteState::open_with(&path, options, full, &next_version()).await
    };
    let both = async { tokio::join!(open_next(), open_next()) };
    let close = async {
        // Both have seen the older schema by then, or see it later: nothing depends on it.
        tokio::task::yield_now().await;
        older.close().await;
    };
    let ((one, other), ()) = tokio::join!(both, close);
    let (one, other) = (one.unwrap(), other.unwrap());
    one.close().await;
    other.close().await;
}

/// The engine, served work and lists never take each other's connections.
#[tokio::test]
async fn each_reads_while_the_others_have_all_their_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let options = StateOptions {
        readers: 1,
        served: 1,
        lists: 1,
        ..StateOptions::default()
    };
    let engine = SqliteState::open(&path, options).await.unwrap();
    let served = engine.for_served_work();
    let reads = async |store: &SqliteState| store.operator_nodes().await.unwrap().is_empty();
    let lists = async || {
        let all = ReservationFilter::default();
        let listed = served.reservations(&all, Page::first(9), TimestampMs::new(1));
        assert_eq!(listed.await.unwrap(), []);
    };
    let reading = engine.snapshot().await.unwrap();
    assert!(reads(&served).await);
    lists().await;
    let other = served.snapshot().await.unwrap();
    lists().await;
    reading.commit().await.unwrap();
    assert!(reads(&engine).await);
    other.commit().await.unwrap();
    let _listing = engine.lists.acquire().await.unwrap();
    assert!(reads(&engine).await && reads(&served).await);
}

/// While one writes, the others wait: for each other in the process and never for SQLite's lock, which would
/// refuse them after a while.
#[tokio::test]
async fn writers_of_both_views_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let engine = SqliteState::open(&path, StateOptions::default());
    let engine = engine.await.unwrap();
    let served = engine.for_served_work();
    for (first, second) in [(&engine, &served), (&served, &engine)] {
        let writing = first.write().await.unwrap();
        let mut waiting = pin!(second.note_epoch(Epoch::new(1)));
        assert!(futures::poll!(&mut waiting).is_pending());
        // A reader waits for neither.
        assert_eq!(second.progress().await.unwrap().cursor, None);
        writing.commit().await.unwrap();
        waiting.await.unwrap();
    }
    // Also when it is given up.
    drop(served.write().await.unwrap());
    engine.note_epoch(Epoch::new(2)).await.unwrap();
    engine.close().await;
    let closed = served.note_epoch(Epoch::new(3)).await;
    assert!(
        matches!(closed, Err(StoreError::Unavailable(_))),
        "{closed:?}"
    );
}

/// Sets the epoch in two statements.
fn epoch_in_two_steps(epoch: u64) -> Batch {
    let mut batch = Batch::new();
    batch
        .statement("UPDATE ledger SET epoch = NULL")
        .changing(1)
        .statement(SET_EPOCH)
        .bind(number(epoch))
        .changing(1);
    batch
}

const SET_EPOCH: &str = "UPDATE ledger SET epoch = $1";

async fn epoch(store: &SqliteState) -> Option<Epoch> {
    store.progress().await.unwrap().epoch
}

/// A client that leaves cancels its call wherever the call is.
#[tokio::test]
async fn a_cancelled_transaction_is_whole_or_nothing_and_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let engine = SqliteState::open(&path, StateOptions::default());
    let engine = engine.await.unwrap();
    let served = engine.for_served_work();
    served.note_epoch(Epoch::new(1)).await.unwrap();

    // After it has begun.
    let (transaction, _) = engine.write_with(Batch::new()).await.unwrap();
    drop(transaction);
    served.note_epoch(Epoch::new(2)).await.unwrap();
    engine.note_epoch(Epoch::new(3)).await.unwrap();

    // While it begins.
    {
        let mut beginning = pin!(engine.write_with(Batch::new()));
        let _ = futures::poll!(&mut beginning);
    }
    served.note_epoch(Epoch::new(4)).await.unwrap();
    engine.note_epoch(Epoch::new(5)).await.unwrap();

    // While it writes.
    for changed in 6..30 {
        let before = epoch(&engine).await;
        let transaction = engine.write().await.unwrap();
        {
            let mut committing = pin!(transaction.commit_with(epoch_in_two_steps(changed)));
            let _ = futures::poll!(&mut committing);
        }
        let waiting = engine.write().await.unwrap();
        let after = epoch(&engine).await;
        assert!(
            [before, Some(Epoch::new(changed))].contains(&after),
            "{after:?}"
        );
        waiting.rollback().await.unwrap();
    }

    // When it has committed, but nobody has looked.
    let transaction = engine.write().await.unwrap();
    {
        let mut committing = pin!(transaction.commit_with(epoch_in_two_steps(30)));
        let _ = futures::poll!(&mut committing);
        let other = connect_options(StateOptions::default()).filename(&path);
        let other = pool(1, StateOptions::default()).connect_with(other);
        // Waits until SQLite's lock is free.
        let lock = other.await.unwrap().begin_with("BEGIN IMMEDIATE").await;
        lock.unwrap().rollback().await.unwrap();
    }
    assert_eq!(epoch(&engine).await, Some(Epoch::new(30)));
    served.note_epoch(Epoch::new(31)).await.unwrap();
    engine.note_epoch(Epoch::new(32)).await.unwrap();
    assert_eq!(epoch(&served).await, Some(Epoch::new(32)));
}

/// Another number of rows means that the database is not as it was read: nothing may be committed.
#[tokio::test]
async fn an_unplanned_number_of_rows_commits_nothing() {
    let store = SqliteState::open_temporary().await.unwrap();
    store.note_epoch(Epoch::new(1)).await.unwrap();
    for planned in [0, 2] {
        let mut writes = Batch::new();
        writes
            .statement(SET_EPOCH)
            .bind(number(9))
            .changing(planned);
        let refused = store.write().await.unwrap().commit_with(writes).await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{refused:?}"
        );
        assert_eq!(epoch(&store).await, Some(Epoch::new(1)));
    }
    store.note_epoch(Epoch::new(2)).await.unwrap();
}

/// A program that embeds the store may end its runtime first.
#[test]
fn a_store_may_outlive_its_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(async {
        let store = SqliteState::open(&path, StateOptions::default()).await;
        let store = store.unwrap();
        store.note_epoch(Epoch::new(1)).await.unwrap();
        store
            .for_served_work()
            .note_epoch(Epoch::new(2))
            .await
            .unwrap();
        store
    });
    drop(runtime);
    drop(store);
}

/// A reader keeps the log from being copied whole. Without another write, the next round copies the rest.
#[tokio::test]
async fn a_part_of_the_log_is_not_taken_for_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let options = StateOptions {
        // The test copies by itself.
        checkpoint_interval: Duration::from_secs(3_600),
        ..StateOptions::default()
    };
    let store = SqliteState::open(&path, options).await.unwrap();
    store.note_epoch(Epoch::new(1)).await.unwrap();
    let mut reading = store.snapshot().await.unwrap();
    sqlx::query("SELECT * FROM ledger")
        .fetch_all(&mut *reading)
        .await
        .unwrap();
    store.note_epoch(Epoch::new(2)).await.unwrap();
    let copying = pool(1, options).connect_with(connect_options(options).filename(&path));
    let copying = copying.await.unwrap();
    let in_part = checkpoint_if_changed(&copying, None).await.unwrap();
    assert_eq!(in_part, None);
    reading.rollback().await.unwrap();
    let whole = checkpoint_if_changed(&copying, in_part).await.unwrap();
    assert!(whole.is_some());
    // Nothing was written since.
    assert_eq!(checkpoint_if_changed(&copying, whole).await.unwrap(), whole);
}

/// SQLite would go on with the removed log, and what it writes would be gone with the process.
#[cfg(unix)]
#[tokio::test]
async fn without_its_log_the_file_takes_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let store = SqliteState::open(&path, StateOptions::default());
    let store = store.await.unwrap();
    store.note_epoch(Epoch::new(1)).await.unwrap();
    let log = folder.path().join("state.sqlite-wal");
    let away = folder.path().join("away");
    std::fs::rename(&log, &away).unwrap();
    let refused = store.note_epoch(Epoch::new(2)).await;
    let Err(StoreError::Unavailable(cause)) = refused else {
        panic!("{refused:?}");
    };
    assert!(cause.to_string().contains("state.sqlite-wal"), "{cause}");
    assert!(store.check_disk().await.is_err());
    std::fs::rename(&away, &log).unwrap();
    store.note_epoch(Epoch::new(3)).await.unwrap();
}
