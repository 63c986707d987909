//! What a call returned is on disk: after every step, another store reads the file as a crash would
//! leave it.

use std::os::unix::fs::PermissionsExt;

use atoma_domain::journal::{Attempt, AttemptOutcome, IntentStatus};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{
    ChainEvents, ChainIdentity, Journal, JournalKey, Opened, ServedWork, SignedTransaction,
    StateReader,
};
use atoma_domain::{Epoch, Mist, ObjectReference};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// One step of a stack from purchase to claim.
async fn step(store: &SqliteState, number: u64) -> bool {
    match number {
        0 => {
            let identity = ChainIdentity {
                chain_id: digest(1),
                atoma_db_id: object(2),
            };
            store.bind(&identity).await.unwrap();
        }
        1 => {
            let events = vec![registered(1), task_registered(1), subscribed(1, 1, 7)];
            apply_events(store, 1, events).await;
        }
        2 => apply_events(store, 2, vec![bought(1, 1, 100)]).await,
        3 => {
            let held = reserve(store, 1, 50).await;
            assert_eq!(held.get(), 1);
        }
        4 => {
            let served = NewMessage {
                reservation: Some(atoma_domain::ReservationId::new(1)),
                ..message(1, 1, 42)
            };
            store.record_message(&served).await.unwrap();
        }
        5 => {
            let opened = store
                .open(&[new_intent(1, settle(1))], None, at(5))
                .await
                .unwrap();
            assert!(matches!(opened[0], Opened::New(_)));
        }
        6 => {
            let intent = store.unfinished().await.unwrap().remove(0).intent;
            let attempt = Attempt {
                intents: vec![intent.id],
                transaction: SignedTransaction {
                    bytes: vec![1, 2, 3],
                    digest: digest(6),
                    signatures: vec![vec![0; 97]],
                },
                expires_after: Epoch::new(4),
                badge: Some(ObjectReference::new(object(1), 3, digest(3))),
                gas: vec![ObjectReference::new(object(4), 3, digest(4))],
                gas_budget: Mist::new(7),
            };
            store.record_attempt(&attempt, None, at(6)).await.unwrap();
        }
        7 => {
            let outcome = AttemptOutcome::Succeeded {
                receipt: receipt(9),
            };
            store
                .conclude(&concluded(digest(6), &outcome), at(7))
                .await
                .unwrap();
        }
        8 => {
            let mut own = frame(8, 0, vec![settled(1, 1, &[2])]);
            own.transaction.as_mut().unwrap().digest = digest(6);
            store.apply(&[own], operator()).await.unwrap();
        }
        9 => apply_events(store, 9, vec![attested(1, 2), ticket_claimed(1, 1, 3)]).await,
        10 => store.note_epoch(Epoch::new(77)).await.unwrap(),
        _ => return false,
    }
    true
}

#[tokio::test]
async fn reopening_after_each_step_loses_nothing() {
    let database = Database::new();
    let mut last = Vec::new();
    for number in 0.. {
        let store = database.open().await;
        let changed = step(&store, number).await;
        let before = database.dump().await;
        // A crash leaves the file and its log, and they must be enough.
        assert_eq!(database.after_crash().dump().await, before, "{number}");
        store.close().await;
        assert_eq!(database.dump().await, before, "{number}");
        assert_eq!(before != last, changed, "{number}");
        last = before;
        if !changed {
            break;
        }
    }
    let store = database.open().await;
    let stack = &store.stacks_by_id(&[stack(1)]).await.unwrap()[0];
    assert!(stack.is_claimed);
    assert_eq!(stack.already_computed_units, units(42));
    let key = JournalKey::Digest(digest(6));
    let record = store.find(key).await.unwrap().unwrap();
    assert_eq!(record.status, IntentStatus::Succeeded);
    assert_eq!(store.progress().await.unwrap().epoch, Some(Epoch::new(77)));
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let database = Database::new();
    let store = database.open().await;
    store.note_epoch(Epoch::new(1)).await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let path = database.path();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("sqlite-wal")), 0o600);
    assert_eq!(mode(&path.with_extension("sqlite-shm")), 0o600);
    assert_eq!(mode(&path.with_extension("sqlite-lock")), 0o600);
}

#[tokio::test]
async fn files_that_others_can_read_become_private() {
    let database = Database::new();
    let store = database.open().await;
    store.note_epoch(Epoch::new(1)).await.unwrap();
    let files = ["sqlite", "sqlite-wal", "sqlite-shm", "sqlite.bak"];
    let files = files.map(|extension| database.path().with_extension(extension));
    std::fs::copy(&files[0], &files[3]).unwrap();
    let other = database.path().with_file_name("other");
    std::fs::write(&other, "").unwrap();
    for file in files.iter().chain([&other]) {
        let readable = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(file, readable).unwrap();
    }
    let _second = database.open().await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&other), 0o644);
}

#[tokio::test]
async fn commits_are_synchronised_and_logged_ahead() {
    let database = Database::new();
    database.open().await.close().await;
    let raw = database.raw().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&raw)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}
