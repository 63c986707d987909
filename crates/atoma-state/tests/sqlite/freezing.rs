//! The journal freezes and thaws work records, and the schema refuses a program that doesn't.

use atoma_domain::IntentId;
use atoma_domain::journal::{Action, AttemptOutcome, Failure, IntentStatus};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{Journal, JournalKey, ServedWork};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;
use crate::suite::journal::{open, unwrap_new};

/// The actions that freeze a record.
fn actions() -> [Action; 2] {
    [settle(1), claim_confidential(1)]
}

const FREEZE: &str = "UPDATE work_records SET is_frozen = 1 WHERE node_small_id = \
                      x'0000000000000001'";
const THAW: &str = "UPDATE work_records SET is_frozen = 0 WHERE node_small_id = \
                    x'0000000000000001'";

/// A database with a stack of node 1, and records of it by nodes 1 and 2.
async fn with_records() -> (Database, SqliteState) {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    let attesting = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 1, 1)
    };
    store.record_message(&message(1, 1, 1)).await.unwrap();
    store.record_message(&attesting).await.unwrap();
    (database, store)
}

/// Runs statements in a transaction that is rolled back.
async fn attempt_raw(database: &Database, statements: &str) -> Result<(), String> {
    let rolled_back = format!("BEGIN; {statements}; ROLLBACK");
    let result = database.run(&rolled_back).await;
    result.map_err(|refusal| refusal.to_string())
}

fn insert_intent(action: &Action) -> String {
    format!(
        "INSERT INTO intents (kind, action, actor, gas, stack_small_id, action_key, holds_key, \
         status, created_at, updated_at) VALUES ('{}', '{{}}', '{{}}', '{{}}', \
         x'0000000000000001', 'key', 1, 'queued', zeroblob(8), zeroblob(8))",
        action.kind()
    )
}

#[tokio::test]
async fn an_intent_that_needs_a_frozen_record_is_refused_without_one() {
    for action in actions() {
        let (database, store) = with_records().await;
        attempt_raw(&database, &insert_intent(&claim(1)))
            .await
            .unwrap();
        let insert = insert_intent(&action);
        let refusal = attempt_raw(&database, &insert).await.unwrap_err();
        assert!(refusal.contains("must be frozen first"), "{refusal}");
        let frozen_first = format!("{FREEZE}; {insert}");
        attempt_raw(&database, &frozen_first).await.unwrap();
        // The journal does both.
        unwrap_new(open(&store, new_intent(1, action)).await);
    }
}

/// Queued, submitted or succeeded: only the failure of the last such intent allows a thaw.
#[tokio::test]
async fn a_record_is_not_thawed_while_an_intent_needs_it() {
    for action in actions() {
        let (database, store) = with_records().await;
        let id = unwrap_new(open(&store, new_intent(1, action.clone())).await).id;
        let refusal = async || attempt_raw(&database, THAW).await.unwrap_err();
        let needed = "keeps this record frozen";
        assert!(refusal().await.contains(needed));
        // An attesting node's record is not concerned.
        attempt_raw(&database, "UPDATE work_records SET is_frozen = 1")
            .await
            .unwrap();
        let attempt = bare_attempt(1, &[id.get()]);
        store.record_attempt(&attempt, None, at(2)).await.unwrap();
        assert!(refusal().await.contains(needed));

        let failed_and_thawed = async |store: &SqliteState, id: IntentId| {
            let failure = Failure::ShuttingDown {};
            store.fail(id, &failure, at(4)).await.unwrap();
            let record = store.work_record(stack(1), node(1)).await.unwrap();
            assert!(!record.unwrap().is_frozen);
        };
        let dead = AttemptOutcome::Dead {
            reason: String::from("test"),
        };
        let dead = concluded(attempt.digest(), &dead);
        store.conclude(&dead, at(3)).await.unwrap();
        assert!(refusal().await.contains(needed));
        failed_and_thawed(&store, id).await;

        let id = unwrap_new(open(&store, new_intent(1, action)).await).id;
        let attempt = bare_attempt(2, &[id.get()]);
        store.record_attempt(&attempt, None, at(5)).await.unwrap();
        let succeeded = AttemptOutcome::Succeeded {
            receipt: receipt(1),
        };
        let succeeded = concluded(attempt.digest(), &succeeded);
        store.conclude(&succeeded, at(6)).await.unwrap();
        let intent = store.find(JournalKey::Id(id)).await.unwrap().unwrap();
        assert_eq!(intent.status, IntentStatus::Succeeded);
        assert!(refusal().await.contains(needed));
    }
}

#[tokio::test]
async fn a_frozen_record_never_changes() {
    let (database, store) = with_records().await;
    let statements = [
        "UPDATE work_records SET messages = x'0000000000000002'",
        "UPDATE work_records SET peaks = x''",
        "UPDATE work_records SET merkle_root = zeroblob(32)",
        "UPDATE work_records SET computed_units = zeroblob(8), \
         fill = iif(fill IS NULL, NULL, zeroblob(8)), \
         fill_level = iif(fill IS NULL, NULL, '0')",
        "UPDATE work_records SET node_small_id = x'0000000000000009' \
         WHERE node_small_id = x'0000000000000001'",
        "DELETE FROM work_records",
    ];
    for statement in statements {
        attempt_raw(&database, statement).await.unwrap();
    }
    unwrap_new(open(&store, new_intent(1, settle(1))).await);
    let before = database.dump().await;
    for statement in statements {
        let refusal = attempt_raw(&database, statement).await.unwrap_err();
        assert!(refusal.contains("a frozen record"), "{refusal}");
    }
    assert_eq!(database.dump().await, before);
}
