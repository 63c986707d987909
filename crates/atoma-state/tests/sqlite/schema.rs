//! The database itself refuses what the journal's state machine doesn't allow.

use atoma_domain::journal::{Attempt, AttemptOutcome, AttemptStatus, IntentStatus};
use atoma_domain::ports::{ChainEvents, ChainIdentity, Journal, SignedTransaction};
use atoma_domain::{Epoch, Mist, ObjectReference, TransactionId};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;

fn attempt(id: u64, intents: &[u64]) -> Attempt {
    Attempt {
        intents: intents.iter().copied().map(TransactionId::new).collect(),
        transaction: SignedTransaction {
            bytes: vec![1],
            digest: digest(id),
            signatures: vec![vec![2]],
        },
        expires_after: Epoch::new(1),
        badge: None,
        gas: Vec::new(),
        gas_budget: Mist::new(7),
    }
}

/// Brings intent 1 where the test needs it.
async fn intent_in(store: &SqliteState, status: IntentStatus) {
    store.open(&[wish(1, claim(1))], None, at(1)).await.unwrap();
    if status == IntentStatus::Queued {
        return;
    }
    store
        .record_attempt(&attempt(1, &[1]), None, at(1))
        .await
        .unwrap();
    let outcome = match status {
        IntentStatus::Queued | IntentStatus::Submitted => return,
        IntentStatus::Succeeded => AttemptOutcome::Succeeded {
            receipt: receipt(0),
        },
        IntentStatus::Failed => AttemptOutcome::Refused {
            failure: atoma_domain::journal::Failure::ShuttingDown {},
        },
    };
    store
        .conclude(&concluded(digest(1), &outcome), at(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn every_transition_of_an_intent_is_guarded() {
    for from in IntentStatus::ALL {
        for to in IntentStatus::ALL {
            let database = Database::new();
            let store = database.open().await;
            intent_in(&store, from).await;
            let (holds_key, failure) = match to {
                IntentStatus::Failed => (0, "'{}'"),
                _ => (1, "NULL"),
            };
            let update = format!(
                "UPDATE intents SET status = '{}', holds_key = {holds_key}, failure = {failure}",
                to.as_str()
            );
            let result = database.run(&update).await;
            assert_eq!(result.is_ok(), from.can_become(to), "{from:?} to {to:?}");
            if let Err(refusal) = result {
                assert!(refusal.to_string().contains("does not allow"), "{refusal}");
            }
        }
    }
}

#[tokio::test]
async fn every_transition_of_an_attempt_is_guarded() {
    for from in AttemptStatus::ALL {
        for to in AttemptStatus::ALL {
            let database = Database::new();
            let store = database.open().await;
            intent_in(&store, IntentStatus::Submitted).await;
            if from != AttemptStatus::Signed {
                let conclude = format!(
                    "UPDATE attempts SET status = '{}', concluded_at = created_at",
                    from.as_str()
                );
                database.run(&conclude).await.unwrap();
            }
            let update = format!(
                "UPDATE attempts SET status = '{}', concluded_at = {}",
                to.as_str(),
                if to == AttemptStatus::Signed {
                    "NULL"
                } else {
                    "created_at"
                }
            );
            let allowed = from == AttemptStatus::Signed && to != AttemptStatus::Signed;
            let result = database.run(&update).await;
            assert_eq!(result.is_ok(), allowed, "{from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn what_was_signed_and_asked_for_never_changes() {
    let database = Database::new();
    let store = database.open().await;
    intent_in(&store, IntentStatus::Submitted).await;
    store.open(&[wish(1, claim(2))], None, at(1)).await.unwrap();
    let identity = ChainIdentity {
        chain_id: digest(1),
        package_id: object(1),
        atoma_db_id: object(2),
    };
    store.bind(&identity).await.unwrap();
    let before = database.dump().await;
    for statement in [
        // A second signature for an intent.
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, status, created_at) \
         SELECT zeroblob(32), bytes, signatures, expires_after, gas, 'signed', created_at \
         FROM attempts; \
         INSERT INTO attempt_intents VALUES (2, 0, 1)",
        // The same digest, a conclusion out of nowhere, a finished intent out of nowhere.
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, status, created_at) \
         SELECT digest, bytes, signatures, expires_after, gas, 'signed', created_at FROM attempts",
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, status, created_at, \
         concluded_at) SELECT zeroblob(32), bytes, signatures, expires_after, gas, 'dead', \
         created_at, created_at FROM attempts",
        "INSERT INTO intents (kind, action, actor, gas, action_key, holds_key, status, \
         created_at, updated_at) SELECT kind, action, actor, gas, 'another', 1, 'submitted', \
         created_at, updated_at FROM intents LIMIT 1",
        // Two holders of one key.
        "INSERT INTO intents (kind, action, actor, gas, action_key, holds_key, status, \
         created_at, updated_at) SELECT kind, action, actor, gas, action_key, 1, 'queued', \
         created_at, updated_at FROM intents LIMIT 1",
        "UPDATE intents SET holds_key = 0",
        "UPDATE intents SET action = '{}'",
        "UPDATE intents SET actor = '{}'",
        "UPDATE intents SET action_key = 'another'",
        "DELETE FROM intents",
        "UPDATE attempts SET bytes = x'00'",
        "UPDATE attempts SET digest = zeroblob(32)",
        "UPDATE attempts SET signatures = x'00'",
        "UPDATE attempts SET expires_after = x'0000000000000009'",
        "DELETE FROM attempts",
        "UPDATE attempt_intents SET intent = 2",
        "DELETE FROM attempt_intents",
        "COMMIT; PRAGMA recursive_triggers = ON; BEGIN; REPLACE INTO intents SELECT * FROM intents WHERE id = 2",
        "UPDATE ledger SET chain_id = zeroblob(32)",
        "UPDATE ledger SET chain_id = NULL, package_id = NULL, atoma_db_id = NULL",
        "INSERT INTO ledger (id) VALUES (2)",
        // Numbers that aren't of 64 bits.
        "INSERT INTO nodes VALUES (x'01', zeroblob(32), zeroblob(32))",
        "INSERT INTO nodes VALUES (7, zeroblob(32), zeroblob(32))",
        // A record of a stack that isn't there.
        "PRAGMA foreign_keys = ON; INSERT INTO work_records VALUES (zeroblob(8), zeroblob(8), \
         zeroblob(8), x'', NULL, zeroblob(8), zeroblob(8), 0)",
    ] {
        let transaction = format!("BEGIN; {statement}; COMMIT");
        let result = database.run(&transaction).await;
        assert!(result.is_err(), "{statement}");
        assert_eq!(database.dump().await, before, "{statement}");
    }
}

#[tokio::test]
async fn what_came_of_something_never_changes() {
    let database = Database::new();
    let store = database.open().await;
    intent_in(&store, IntentStatus::Succeeded).await;
    store.open(&[wish(1, claim(2))], None, at(1)).await.unwrap();
    let before = database.dump().await;
    for statement in [
        "UPDATE intents SET holds_key = 0 WHERE id = 1",
        "UPDATE attempts SET gas_used = x'0000000000000009'",
        "UPDATE attempts SET effects = x'00'",
        "UPDATE attempts SET failure = '{}'",
        "UPDATE attempts SET concluded_at = x'0000000000000009'",
        "INSERT INTO attempt_intents VALUES (1, 1, 2)",
    ] {
        assert!(database.run(statement).await.is_err(), "{statement}");
        assert_eq!(database.dump().await, before, "{statement}");
    }
}

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
        gas: vec![used(2, 5)],
        ..attempt(1, &[1])
    };
    store.record_attempt(&first, None, at(1)).await.unwrap();
    for (badge, coin) in [((1, 4), (3, 1)), ((3, 1), (2, 5))] {
        let second = Attempt {
            badge: Some(used(badge.0, badge.1)),
            gas: vec![used(coin.0, coin.1)],
            ..attempt(2, &[2])
        };
        let refused = store.record_attempt(&second, None, at(1)).await;
        assert!(refused.is_err(), "{second:?}");
    }
    // The versions that the first leaves are others; the first itself may be concluded with it.
    let second = Attempt {
        badge: Some(used(1, 5)),
        gas: vec![used(2, 6)],
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

/// No list reads a whole table for the rows of one node.
#[tokio::test]
async fn lists_are_served_by_indexes() {
    let database = Database::new();
    database.open().await.close().await;
    let raw = database.raw().await;
    for (statement, index) in [
        (
            "SELECT x.stack_small_id FROM stacks x WHERE x.selected_node_id = x'' AND \
             x.stack_small_id > x'' ORDER BY x.stack_small_id LIMIT 5",
            "stacks_by_selected_node",
        ),
        (
            "SELECT x.stack_small_id FROM settlements x WHERE x.selected_node_id = x'' AND \
             x.stack_small_id > x'' ORDER BY x.stack_small_id LIMIT 5",
            "settlements_by_selected_node",
        ),
        (
            "SELECT * FROM disputes WHERE defendant_node_id IN (SELECT unhex(value) FROM \
             json_each('[]')) AND stack_small_id > x'' ORDER BY stack_small_id LIMIT 5",
            "disputes_by_defendant",
        ),
        (
            "SELECT * FROM disputes WHERE plaintiff_node_id IN (SELECT unhex(value) FROM \
             json_each('[]')) AND stack_small_id > x'' ORDER BY stack_small_id LIMIT 5",
            "disputes_by_plaintiff",
        ),
        (
            "SELECT * FROM subscriptions WHERE task_small_id = x'' AND valid = 1 ORDER BY sequence",
            "subscriptions_by_task",
        ),
        (
            "SELECT * FROM intents WHERE id < 9 AND status = 'queued' ORDER BY id DESC LIMIT 5",
            "intents_by_status",
        ),
        (
            "SELECT * FROM intents WHERE id < 9 AND stack_small_id = x'' ORDER BY id DESC LIMIT 5",
            "intents_by_stack",
        ),
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!(
            "EXPLAIN QUERY PLAN {statement}"
        )))
        .fetch_all(&raw)
        .await
        .unwrap();
        let steps: Vec<String> = plan
            .iter()
            .map(|row| sqlx::Row::get::<String, _>(row, "detail"))
            .collect();
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{statement}: {steps:?}"
        );
        assert!(
            !steps
                .iter()
                .any(|step| step.starts_with("SCAN") && !step.contains("json_each")),
            "{statement}: {steps:?}"
        );
    }
}
