//! Rows that never change.

use atoma_domain::journal::IntentStatus;
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{ChainEvents, ChainIdentity, Journal, ServedWork};

use super::intent_in;
use crate::raw::Database;
use crate::suite::fixtures::*;

/// Asserts that the database refuses each statement with an error that names the rule, and that
/// nothing has changed.
async fn assert_refused(database: &Database, cases: &[(&str, &str)]) {
    let before = database.dump().await;
    for (rule, statement) in cases {
        let transaction = format!("BEGIN; {statement}; COMMIT");
        let refusal = database.run(&transaction).await.unwrap_err().to_string();
        assert!(refusal.contains(rule), "{statement}: {refusal}");
        assert_eq!(database.dump().await, before, "{statement}");
    }
}

/// Another attempt for an intent, as another program might insert it.
fn sign_again_for(intent: u64) -> String {
    format!(
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, gas_budget, status, \
         created_at) SELECT zeroblob(32), bytes, signatures, expires_after, gas, gas_budget, \
         'signed', created_at FROM attempts; \
         INSERT INTO attempt_intents VALUES (2, 0, {intent})"
    )
}

/// A repeated message must get the first one's answer, and a frozen record takes no reservation.
#[tokio::test]
async fn what_was_recorded_never_changes() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    let named = NewMessage {
        id: Some("m".parse().unwrap()),
        ..message(1, 1, 1)
    };
    store.record_message(&named).await.unwrap();
    let intents = [new_intent(1, settle(1))];
    store.open(&intents, None, at(1)).await.unwrap();
    assert_refused(
        &database,
        &[
            (
                "a recorded message never changes",
                "UPDATE recorded_messages SET message_hash = zeroblob(32)",
            ),
            (
                "a recorded message never changes",
                "UPDATE recorded_messages SET message_id = 'other'",
            ),
            (
                "a message recorded under an id stays",
                "DELETE FROM recorded_messages",
            ),
            (
                "no units of a frozen record can be reserved",
                "INSERT INTO reservations (stack_small_id, node_small_id, num_compute_units, \
                 created_at, expires_at) SELECT stack_small_id, node_small_id, zeroblob(8), \
                 zeroblob(8), zeroblob(8) FROM work_records",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_was_signed_and_requested_never_changes() {
    let database = Database::new();
    let store = database.open().await;
    intent_in(&store, IntentStatus::Submitted).await;
    store
        .open(&[new_intent(1, claim(2))], None, at(1))
        .await
        .unwrap();
    let identity = ChainIdentity {
        chain_id: digest(1),
        atoma_db_id: object(2),
    };
    store.bind(&identity).await.unwrap();
    let submitted_without_a_signature = "UPDATE intents SET status = 'submitted' WHERE id = 2";
    let failed_with_a_signature = format!(
        "{}; UPDATE intents SET status = 'failed', holds_key = 0, failure = '{{}}' WHERE id = 2",
        sign_again_for(2)
    );
    assert_refused(
        &database,
        &[
            // A second signature for an intent.
            ("already has a signed attempt", &sign_again_for(1)),
            (
                "UNIQUE constraint failed: attempts.digest",
                "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, gas_budget, \
                 status, created_at) SELECT digest, bytes, signatures, expires_after, gas, \
                 gas_budget, 'signed', created_at FROM attempts",
            ),
            (
                "begins signed",
                "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, gas_budget, \
                 status, created_at, concluded_at) SELECT zeroblob(32), bytes, signatures, \
                 expires_after, gas, gas_budget, 'dead', created_at, created_at FROM attempts",
            ),
            (
                "begins queued",
                "INSERT INTO intents (kind, action, actor, gas, action_key, holds_key, status, \
                 created_at, updated_at) SELECT kind, action, actor, gas, 'another', 1, \
                 'submitted', created_at, updated_at FROM intents LIMIT 1",
            ),
            (
                "UNIQUE constraint failed: intents.action_key",
                "INSERT INTO intents (kind, action, actor, gas, action_key, holds_key, status, \
                 created_at, updated_at) SELECT kind, action, actor, gas, action_key, 1, 'queued', \
                 created_at, updated_at FROM intents LIMIT 1",
            ),
            ("CHECK constraint", "UPDATE intents SET holds_key = 0"),
            // Failed, or queued to be signed for again, while its transaction may execute.
            (
                "does not allow",
                "UPDATE intents SET status = 'failed', holds_key = 0, failure = '{}' WHERE id = 1",
            ),
            (
                "does not allow",
                "UPDATE intents SET status = 'queued' WHERE id = 1",
            ),
            (
                "does not allow",
                "UPDATE intents SET status = 'succeeded' WHERE id = 1",
            ),
            // Succeeded, and yet free to be done again.
            (
                "keeps its key",
                "UPDATE attempts SET status = 'succeeded', concluded_at = created_at; \
                 UPDATE intents SET status = 'succeeded', holds_key = 0 WHERE id = 1",
            ),
            (
                "does not allow",
                "UPDATE attempts SET status = 'succeeded', concluded_at = created_at; \
                 UPDATE intents SET status = 'queued' WHERE id = 1",
            ),
            ("does not allow", submitted_without_a_signature),
            ("does not allow", &failed_with_a_signature),
            ("never changes", "UPDATE intents SET action = '{}'"),
            ("never changes", "UPDATE intents SET actor = '{}'"),
            ("never changes", "UPDATE intents SET action_key = 'another'"),
            ("keeps its intents", "DELETE FROM intents"),
            ("never changes", "UPDATE attempts SET bytes = x'00'"),
            ("never changes", "UPDATE attempts SET digest = zeroblob(32)"),
            ("never changes", "UPDATE attempts SET signatures = x'00'"),
            (
                "never changes",
                "UPDATE attempts SET expires_after = x'0000000000000009'",
            ),
            (
                "never changes",
                "UPDATE attempts SET gas_budget = x'0000000000000009'",
            ),
            ("never changes", "UPDATE attempts SET gas = '[{}]'"),
            ("never changes", "UPDATE attempts SET badge = '{}'"),
            ("keeps its attempts", "DELETE FROM attempts"),
            ("never change", "UPDATE attempt_intents SET intent = 2"),
            ("never change", "DELETE FROM attempt_intents"),
            (
                "keeps its intents",
                "COMMIT; PRAGMA recursive_triggers = ON; BEGIN; \
                 REPLACE INTO intents SELECT * FROM intents WHERE id = 2",
            ),
            (
                "bound to another",
                "UPDATE ledger SET chain_id = zeroblob(32)",
            ),
            (
                "bound to another",
                "UPDATE ledger SET chain_id = NULL, atoma_db_id = NULL",
            ),
            ("CHECK constraint", "INSERT INTO ledger (id) VALUES (2)"),
            // Numbers that don't have 64 bits.
            (
                "CHECK constraint",
                "INSERT INTO nodes VALUES (x'01', zeroblob(32), zeroblob(32), NULL, 0)",
            ),
            (
                "cannot store",
                "INSERT INTO nodes VALUES (7, zeroblob(32), zeroblob(32), NULL, 0)",
            ),
            // A record of a stack that isn't there.
            (
                "FOREIGN KEY",
                "PRAGMA foreign_keys = ON; INSERT INTO work_records VALUES (zeroblob(8), \
                 zeroblob(8), zeroblob(8), x'', NULL, zeroblob(8), zeroblob(8), NULL, 0, 0, NULL, NULL)",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_outcome_never_changes() {
    let database = Database::new();
    let store = database.open().await;
    intent_in(&store, IntentStatus::Succeeded).await;
    store
        .open(&[new_intent(1, claim(2))], None, at(1))
        .await
        .unwrap();
    assert_refused(
        &database,
        &[
            (
                "neither takes nor gives back",
                "UPDATE intents SET holds_key = 0 WHERE id = 1",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET gas_used = x'0000000000000009'",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET effects = x'00'",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET effects = NULL",
            ),
            (
                "signed transaction never changes",
                "UPDATE attempts SET bytes = x'00'",
            ),
            // What it carried goes as a whole.
            (
                "signed transaction never changes",
                "UPDATE attempts SET bytes = x''",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET failure = '{}'",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET reason = 'none'",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET concluded_at = x'0000000000000009'",
            ),
            (
                "outcome of an attempt",
                "UPDATE attempts SET registered_badge = '0x1'",
            ),
            (
                "intents of an attempt",
                "INSERT INTO attempt_intents VALUES (1, 1, 2)",
            ),
            // A second signature for an intent that has succeeded.
            ("only a queued intent", &sign_again_for(1)),
        ],
    )
    .await;
}
