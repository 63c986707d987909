//! No version of an owned object is used by two signed attempts.

use atoma_domain::ObjectReference;
use atoma_domain::journal::{Attempt, AttemptOutcome, IntentStatus};
use atoma_domain::ports::{Journal, SignedTransaction, StoreError};

use crate::raw::Database;
use crate::schema::attempt;
use crate::suite::fixtures::*;

/// Of two such transactions validators may accept one each, and then neither.
#[tokio::test]
async fn two_signed_attempts_never_use_the_same_version_of_an_object() {
    let database = Database::new();
    let store = database.open().await;
    let wishes = [1, 2].map(|id| wish(1, claim(id)));
    store.open(&wishes, None, at(1)).await.unwrap();
    let used = |id, version| ObjectReference::new(object(id), version, digest(9));
    let first = Attempt {
        badge: Some(used(1, 4)),
        gas: vec![used(2, 5), used(7, u64::MAX)],
        ..attempt(1, &[1])
    };
    store.record_attempt(&first, None, at(1)).await.unwrap();
    // Whatever it is used as, and at whatever place.
    for (badge, coins) in [
        ((1, 4), vec![(3, 1)]),
        ((3, 1), vec![(2, 5)]),
        ((3, 1), vec![(7, u64::MAX)]),
        ((3, 1), vec![(4, 1), (2, 5)]),
        ((3, 1), vec![(4, 1), (5, 1), (7, u64::MAX)]),
        ((3, 1), vec![(1, 4)]),
        ((7, u64::MAX), vec![(3, 1)]),
        ((3, 1), vec![(3, 1)]),
    ] {
        let second = Attempt {
            badge: Some(used(badge.0, badge.1)),
            gas: coins.into_iter().map(|(id, at)| used(id, at)).collect(),
            ..attempt(2, &[2])
        };
        let refused = store.record_attempt(&second, None, at(1)).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Transition {
                    from: IntentStatus::Queued,
                    ..
                })
            ),
            "{second:?}: {refused:?}"
        );
    }
    for statement in [
        "DELETE FROM signed_versions",
        "UPDATE signed_versions SET version = '9'",
        "INSERT OR IGNORE INTO attempts (digest, bytes, signatures, expires_after, gas, status, \
         created_at) SELECT zeroblob(32), bytes, signatures, expires_after, gas, 'signed', \
         created_at FROM attempts",
        "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO attempts (digest, bytes, signatures, \
         expires_after, gas, status, created_at) SELECT zeroblob(32), bytes, signatures, \
         expires_after, gas, 'signed', created_at FROM attempts",
    ] {
        let before = database.dump().await;
        assert!(database.run(statement).await.is_err(), "{statement}");
        assert_eq!(database.dump().await, before, "{statement}");
    }
    // The versions that the first leaves are others; the first itself may be concluded with it.
    let second = Attempt {
        badge: Some(used(1, 5)),
        gas: vec![used(2, 6), used(7, u64::MAX - 1)],
        ..attempt(2, &[2])
    };
    store.record_attempt(&second, None, at(1)).await.unwrap();
    let dead = AttemptOutcome::Dead {
        reason: String::from("test"),
    };
    let previous = concluded(digest(1), &dead);
    let again = Attempt {
        transaction: SignedTransaction {
            digest: digest(3),
            ..first.transaction.clone()
        },
        ..first
    };
    let recorded = store.record_attempt(&again, Some(&previous), at(2)).await;
    recorded.unwrap();
}

/// What an earlier version of the daemon left open still uses its versions.
#[tokio::test]
async fn an_open_attempt_from_before_keeps_its_versions() {
    let database = Database::new();
    let used = |id, version| ObjectReference::new(object(id), version, digest(9));
    let first = Attempt {
        badge: Some(used(1, 4)),
        gas: vec![used(2, 5), used(3, 6)],
        ..attempt(1, &[1])
    };
    let store = database.open().await;
    let wishes = [1, 2].map(|id| wish(1, claim(id)));
    store.open(&wishes, None, at(1)).await.unwrap();
    store.record_attempt(&first, None, at(1)).await.unwrap();
    store.close().await;
    // Back to the schema of before.
    let raw = database.raw().await;
    let later: Vec<(String, String)> = sqlx::query_as(
        "SELECT type, name FROM sqlite_schema WHERE type = 'trigger' AND (name IN \
         ('intents_agree_with_their_attempts', 'attempt_intents_of_queued_intents', \
         'intents_keep_the_key_of_what_is_done_once', 'attempts_keep_what_they_registered', \
         'attempts_take_their_versions', 'attempts_leave_their_versions')) OR type = 'index' AND \
         name IN ('attempts_by_registered_badge', 'attempts_by_executed_badge', 'intents_by_kind')",
    )
    .fetch_all(&raw)
    .await
    .unwrap();
    raw.close().await;
    assert_eq!(later.len(), 9);
    let mut back: String = later
        .iter()
        .map(|(kind, name)| format!("DROP {kind} {name}; "))
        .collect();
    back += "DROP TABLE signed_versions; \
             ALTER TABLE attempts DROP COLUMN registered_badge; \
             CREATE INDEX attempts_by_signed_badge ON attempts (id); \
             CREATE INDEX attempts_by_signed_coin ON attempts (id); \
             DELETE FROM _sqlx_migrations WHERE version = 7";
    database.run(&back).await.unwrap();

    let store = database.open().await;
    for taken in [used(1, 4), used(2, 5), used(3, 6)] {
        let second = Attempt {
            gas: vec![taken],
            ..attempt(2, &[2])
        };
        let refused = store.record_attempt(&second, None, at(1)).await;
        assert!(matches!(refused, Err(StoreError::Transition { .. })));
    }
    let outcome = AttemptOutcome::Dead {
        reason: String::from("test"),
    };
    let done = concluded(digest(1), &outcome);
    store.conclude(&done, at(2)).await.unwrap();
    let second = Attempt {
        gas: vec![used(3, 6)],
        ..attempt(2, &[2])
    };
    store.record_attempt(&second, None, at(1)).await.unwrap();
}
