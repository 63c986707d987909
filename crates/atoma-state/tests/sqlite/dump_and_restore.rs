//! A dump made and restored by another version of SQLite has every row, and opens.

use std::path::Path;
use std::process::{Command, Stdio};

use atoma_domain::journal::{Attempt, AttemptOutcome};
use atoma_domain::ports::{ChainEvents, Journal, ServedWork};
use atoma_domain::{Epoch, ObjectReference};

use crate::raw::Database;
use crate::suite::fixtures::*;

/// The system's `sqlite3` on a file, if there is the program.
#[expect(clippy::print_stderr, reason = "says that a test was skipped")]
fn sqlite3(path: &Path) -> Option<Command> {
    let version = Command::new("sqlite3").arg("--version").output();
    if version.is_err() {
        eprintln!("skipped: the program sqlite3 is missing");
        return None;
    }
    let mut command = Command::new("sqlite3");
    command.arg("-bail").arg(path);
    Some(command)
}

#[tokio::test]
async fn a_dump_restored_by_the_systems_sqlite_loses_nothing() {
    let database = Database::new();
    let Some(mut dump) = sqlite3(&database.path()) else {
        return;
    };
    let store = database.open().await;
    populate(&store).await;
    store.close().await;

    let dumped = dump.arg(".dump").output().unwrap();
    assert!(dumped.status.success(), "{dumped:?}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dumped.stdout).unwrap();

    let restored = Database::new();
    std::fs::create_dir_all(restored.path().parent().unwrap()).unwrap();
    let ended = sqlite3(&restored.path())
        .unwrap()
        .stdin(Stdio::from(std::fs::File::open(file.path()).unwrap()))
        .output()
        .unwrap();
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "{ended:?}"
    );
    assert_eq!(restored.dump().await, database.dump().await);

    assert_guards_work(&restored);
    let store = restored.open().await;
    assert_eq!(store.unfinished().await.unwrap().len(), 1);
    store.close().await;
    assert_eq!(restored.dump().await, database.dump().await);
    // Opening marks it as the daemon's again.
    let raw = restored.raw().await;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&raw)
        .await
        .unwrap();
    assert_ne!(id, 0);
}

/// The guards that read JSON, as the other version of SQLite runs them.
fn assert_guards_work(restored: &Database) {
    let unclaimed = "INSERT INTO attempts (digest, bytes, signatures, expires_after, badge, gas, \
                     gas_budget, status, created_at) SELECT zeroblob(32), bytes, signatures, \
                     expires_after, badge, gas, gas_budget, 'signed', created_at FROM attempts WHERE badge IS NOT NULL";
    // As many versions, but others.
    let other_version = "INSERT INTO signed_versions SELECT badge ->> 'object_id', 98, zeroblob(32) \
                         FROM attempts WHERE badge IS NOT NULL UNION ALL \
                         SELECT gas ->> '$[0].object_id', 99, zeroblob(32) \
                         FROM attempts WHERE badge IS NOT NULL";
    for statements in [
        String::from(unclaimed),
        format!("BEGIN; {other_version}; {unclaimed}; COMMIT"),
    ] {
        let mut command = sqlite3(&restored.path()).unwrap();
        let ended = command.arg(statements).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains("exactly the object versions"), "{said}");
    }
}

/// Rows with and without every nullable JSON column: an intent that succeeded, and one with an
/// attempt that is open and uses no objects.
async fn populate(store: &atoma_state::SqliteState) {
    apply_events(
        store,
        1,
        vec![registered(1), task_registered(1), bought(1, 1, 100)],
    )
    .await;
    store.note_epoch(Epoch::new(5)).await.unwrap();
    store.record_message(&message(1, 1, 42)).await.unwrap();
    let opened = [new_intent(1, settle(1)), new_intent(2, subscribe(1))];
    store.open(&opened, None, at(5)).await.unwrap();
    let attempt = Attempt {
        badge: Some(ObjectReference::new(object(1), 3, digest(3))),
        gas: vec![ObjectReference::new(object(4), 3, digest(4))],
        ..bare_attempt(6, &[1])
    };
    store.record_attempt(&attempt, None, at(6)).await.unwrap();
    let outcome = AttemptOutcome::Succeeded {
        receipt: receipt(9),
    };
    store
        .conclude(&concluded(digest(6), &outcome), at(7))
        .await
        .unwrap();
    let attempt = bare_attempt(8, &[2]);
    store.record_attempt(&attempt, None, at(8)).await.unwrap();
}
