//! No version of an owned object is used by two signed attempts.

use atoma_domain::ObjectReference;
use atoma_domain::journal::{Attempt, AttemptOutcome, IntentStatus};
use atoma_domain::ports::{Journal, SignedTransaction, StoreError};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;

fn used(id: u64, version: u64) -> ObjectReference {
    ObjectReference::new(object(id), version, digest(9))
}

/// Two queued intents, of which the first has a signed attempt with a badge and two coins.
async fn with_signed_attempt(database: &Database) -> (SqliteState, Attempt) {
    let store = database.open().await;
    let wanted = [1, 2].map(|id| new_intent(1, claim(id)));
    store.open(&wanted, None, at(1)).await.unwrap();
    let first = Attempt {
        badge: Some(used(1, 4)),
        gas: vec![used(2, 5), used(7, u64::MAX)],
        ..bare_attempt(1, &[1])
    };
    store.record_attempt(&first, None, at(1)).await.unwrap();
    (store, first)
}

/// The claimed object versions, as stored.
async fn claimed(database: &Database) -> Vec<(String, String)> {
    let raw = database.raw().await;
    let claimed = sqlx::query_as(
        "SELECT object_id, version FROM signed_versions ORDER BY object_id, version",
    )
    .fetch_all(&raw)
    .await
    .unwrap();
    raw.close().await;
    claimed
}

/// Validators may accept one each of two such transactions, and then neither.
#[tokio::test]
async fn two_signed_attempts_never_use_the_same_version_of_an_object() {
    let database = Database::new();
    let (store, first) = with_signed_attempt(&database).await;
    // As badge or as coin, in any place.
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
            ..bare_attempt(2, &[2])
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
    // Later versions are free, and an attempt may be concluded together with its successor.
    let second = Attempt {
        badge: Some(used(1, 5)),
        gas: vec![used(2, 6), used(7, u64::MAX - 1)],
        ..bare_attempt(2, &[2])
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

/// Recording an attempt claims its versions, every outcome releases them.
#[tokio::test]
async fn versions_are_claimed_and_released_with_their_attempt() {
    let failure = atoma_domain::journal::Failure::ShuttingDown {};
    let reason = String::from("test");
    for outcome in [
        AttemptOutcome::Succeeded {
            receipt: receipt(1),
        },
        AttemptOutcome::Aborted {
            failure: failure.clone(),
            receipt: receipt(1),
        },
        AttemptOutcome::BatchAborted {
            failure: failure.clone(),
            receipt: receipt(1),
        },
        AttemptOutcome::Cancelled {
            reason: reason.clone(),
            receipt: receipt(1),
        },
        AttemptOutcome::Dead { reason },
    ] {
        let database = Database::new();
        let (store, _) = with_signed_attempt(&database).await;
        let mut expected = [(1, 4), (2, 5), (7, u64::MAX)]
            .map(|(id, version): (u64, u64)| (object(id).to_string(), version.to_string()));
        expected.sort();
        assert_eq!(claimed(&database).await, expected);
        let done = concluded(digest(1), &outcome);
        store.conclude(&done, at(2)).await.unwrap();
        assert_eq!(claimed(&database).await, []);
    }
}

/// An attempt with another digest and these objects, as another program might insert it.
fn insert_attempt(badge: &str, gas: &str) -> String {
    format!(
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, badge, gas, gas_budget, \
         status, created_at) SELECT zeroblob(32), bytes, signatures, expires_after, {badge}, {gas}, \
         gas_budget, 'signed', created_at FROM attempts"
    )
}

fn claim_for(digest: &str, objects: &str) -> String {
    format!(
        "INSERT INTO signed_versions SELECT value ->> 'object_id', value -> 'version', {digest} \
         FROM json_each({objects})"
    )
}

#[tokio::test]
async fn another_program_cannot_sign_without_claiming_exactly_what_it_uses() {
    const ONE: &str = r#"'[{"object_id": "a", "version": 1}]'"#;
    const TWO: &str = r#"'[{"object_id": "a", "version": 1}, {"object_id": "b", "version": 18446744073709551615}]'"#;
    const ONE_TWICE: &str =
        r#"'[{"object_id": "a", "version": 1}, {"object_id": "a", "version": 1}]'"#;
    let badge = "json_extract('[{\"object_id\": \"a\", \"version\": 1}]', '$[0]')";
    let database = Database::new();
    let (_store, _) = with_signed_attempt(&database).await;
    let new = "zeroblob(32)";
    let before = database.dump().await;
    for (gas, claims) in [
        (ONE, vec![]),
        (TWO, vec![]),
        (TWO, vec![ONE]),
        (ONE, vec![TWO]),
        (ONE_TWICE, vec![ONE]),
        (ONE_TWICE, vec![TWO]),
        ("'[{}]'", vec![ONE]),
    ] {
        let mut script: Vec<String> = claims.iter().map(|c| claim_for(new, c)).collect();
        script.push(insert_attempt("NULL", gas));
        let script = format!("BEGIN; {}; COMMIT", script.join("; "));
        let refusal = database.run(&script).await.unwrap_err().to_string();
        assert!(
            refusal.contains("must claim exactly"),
            "{script}: {refusal}"
        );
        assert_eq!(database.dump().await, before);
    }
    let refused = [
        // The versions of the signed attempt, by any kind of insertion.
        insert_attempt("badge", "gas"),
        insert_attempt("NULL", "gas"),
        insert_attempt("badge", "'[]'"),
        insert_attempt("badge", "gas").replace("INSERT", "INSERT OR IGNORE"),
        format!(
            "PRAGMA recursive_triggers = ON; {}",
            insert_attempt("badge", "gas").replace("INSERT", "INSERT OR REPLACE")
        ),
        claim_for(new, "(SELECT gas FROM attempts)"),
        claim_for(new, "(SELECT gas FROM attempts)").replace("INSERT", "INSERT OR IGNORE"),
        claim_for(new, "(SELECT gas FROM attempts)").replace("INSERT", "INSERT OR REPLACE"),
        // More versions for the signed attempt, other versions, or none.
        claim_for("(SELECT digest FROM attempts)", ONE),
        String::from("UPDATE signed_versions SET version = '9'"),
        String::from("UPDATE signed_versions SET digest = zeroblob(32)"),
        String::from("DELETE FROM signed_versions"),
        // Claims for an attempt that isn't inserted.
        format!("PRAGMA foreign_keys = ON; {}", claim_for(new, ONE)),
    ];
    for statement in &refused {
        assert!(database.run(statement).await.is_err(), "{statement}");
        assert_eq!(database.dump().await, before, "{statement}");
    }
    // With exact claims it is accepted, for badge and coins alike.
    for (badge, gas, claims) in [("NULL", TWO, TWO), (badge, "'[]'", ONE)] {
        let script = format!(
            "BEGIN; {}; {}; ROLLBACK",
            claim_for(new, claims),
            insert_attempt(badge, gas)
        );
        database.run(&script).await.unwrap();
    }
}

/// A version that is never released could never be signed over again.
#[tokio::test]
async fn another_program_cannot_move_intents_without_releasing_versions() {
    let database = Database::new();
    let (_store, _) = with_signed_attempt(&database).await;
    let conclude = "UPDATE attempts SET status = 'dead', concluded_at = created_at";
    let release = "DELETE FROM signed_versions";
    let requeue = "UPDATE intents SET status = 'queued' WHERE id = 1";
    let held = format!("BEGIN; {conclude}; {requeue}; COMMIT");
    let refusal = database.run(&held).await.unwrap_err().to_string();
    assert!(refusal.contains("must release"), "{refusal}");
    let early = format!("BEGIN; {release}; {conclude}; {requeue}; COMMIT");
    let refusal = database.run(&early).await.unwrap_err().to_string();
    assert!(refusal.contains("a signed attempt uses"), "{refusal}");
    let released = format!("BEGIN; {conclude}; {release}; {requeue}; COMMIT");
    database.run(&released).await.unwrap();
}
