//! Transitions that another program might write.

use atoma_domain::journal::{Action, AttemptOutcome, AttemptStatus, IntentStatus};
use atoma_domain::ports::{Journal, Opened, ServedWork};
use atoma_domain::{EchelonId, HexBytes, PricePerMillion};

use super::{attempted, intent_in};
use crate::raw::Database;
use crate::suite::fixtures::*;

/// A transition of every intent, as another program might write it.
fn move_to(status: IntentStatus) -> String {
    let (holds_key, failure) = match status {
        IntentStatus::Failed => (0, "'{}'"),
        _ => (1, "NULL"),
    };
    format!(
        "UPDATE intents SET status = '{}', holds_key = {holds_key}, failure = {failure}",
        status.as_str()
    )
}

/// A transition of every attempt, as another program might write it.
fn end_as(status: AttemptStatus) -> String {
    format!(
        "UPDATE attempts SET status = '{}', concluded_at = {}",
        status.as_str(),
        if status.is_final() {
            "created_at"
        } else {
            "NULL"
        }
    )
}

/// Runs a statement while a table has no triggers, to set up a state that they would refuse.
async fn past_the_guards(database: &Database, table: &str, statement: &str) {
    let raw = database.raw().await;
    let guards: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
    )
    .bind(table)
    .fetch_all(&raw)
    .await
    .unwrap();
    raw.close().await;
    assert!(!guards.is_empty());
    let mut script = String::from("BEGIN; ");
    for (name, _) in &guards {
        script += &format!("DROP TRIGGER {name}; ");
    }
    script += statement;
    for (_, guard) in &guards {
        script += &format!("; {guard}");
    }
    database.run(&format!("{script}; COMMIT")).await.unwrap();
}

/// Runs a statement and rolls it back; the error says why the database refused it.
async fn try_statement(database: &Database, statement: &str) -> Result<(), String> {
    let undone = format!("BEGIN; {statement}; ROLLBACK");
    let accepted = database.run(&undone).await;
    accepted.map_err(|refusal| refusal.to_string())
}

/// With a latest attempt in every status, and with none: an intent makes only the transitions that its
/// own state machine and its latest attempt allow.
#[tokio::test]
async fn every_transition_of_an_intent_is_guarded() {
    let latest = AttemptStatus::ALL.into_iter().map(Some);
    for latest in latest.chain([None]) {
        let database = Database::new();
        let store = database.open().await;
        intent_in(&store, IntentStatus::Queued).await;
        if let Some(latest) = latest {
            // An earlier attempt does not count.
            attempted(&store, 1, AttemptStatus::Dead).await;
            attempted(&store, 2, latest).await;
        }
        for from in IntentStatus::ALL {
            past_the_guards(&database, "intents", &move_to(from)).await;
            for to in IntentStatus::ALL {
                let accepted = try_statement(&database, &move_to(to)).await;
                let agrees = match latest {
                    Some(latest) => latest.allows(to),
                    None => matches!(to, IntentStatus::Queued | IntentStatus::Failed),
                };
                let allowed = from.can_become(to) && agrees;
                assert_eq!(accepted.is_ok(), allowed, "{latest:?}: {from:?} to {to:?}");
                if let Err(refusal) = accepted {
                    assert!(refusal.contains("not allow"), "{refusal}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_transition_of_an_attempt_is_guarded() {
    let database = Database::new();
    let store = database.open().await;
    intent_in(&store, IntentStatus::Submitted).await;
    for from in AttemptStatus::ALL {
        past_the_guards(&database, "attempts", &end_as(from)).await;
        for to in AttemptStatus::ALL {
            let accepted = try_statement(&database, &end_as(to)).await;
            assert_eq!(accepted.is_ok(), from.can_become(to), "{from:?} to {to:?}");
        }
    }
}

/// Success keeps the key of an action that can succeed only once, and of no other.
#[tokio::test]
async fn only_what_is_done_once_keeps_its_key() {
    let stack_small_id = stack(1);
    let price = PricePerMillion::new(1);
    let task_small_id = task(1);
    let actions = [
        Action::RegisterNode { additional: true },
        Action::SubscribeToModel {
            model_name: String::from("a model"),
            echelon_id: EchelonId::new(1),
        },
        Action::SubscribeToTask {
            task_small_id,
            price,
        },
        Action::UpdateSubscription {
            task_small_id,
            price,
        },
        Action::UnsubscribeFromTask { task_small_id },
        Action::RotateNodeKey {
            public_key_commitment: HexBytes(vec![1; 32]),
            evidence: HexBytes(Vec::new()),
            device_type: 300,
            key_rotation_counter: Some(u64::MAX),
        },
        Action::WithdrawFees {},
        settle(1),
        attest(1),
        Action::StartDispute { stack_small_id },
        claim(1),
        claim_confidential(1),
    ];
    let kinds: Vec<&str> = actions.iter().map(Action::kind).collect();
    assert_eq!(kinds, Action::KINDS);
    for action in actions {
        let database = Database::new();
        let store = database.open().await;
        apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
        store.record_message(&message(1, 1, 1)).await.unwrap();
        let opened = store
            .open(&[new_intent(1, action.clone())], None, at(1))
            .await;
        assert!(
            matches!(opened.unwrap()[..], [Opened::New(_)]),
            "{action:?}"
        );
        attempted(&store, 1, AttemptStatus::Signed).await;
        for holds_key in [false, true] {
            let done = format!(
                "{}; UPDATE intents SET status = 'succeeded', holds_key = {holds_key}",
                end_as(AttemptStatus::Succeeded)
            );
            let accepted = try_statement(&database, &done).await;
            let allowed = holds_key == action.succeeds_only_once();
            assert_eq!(accepted.is_ok(), allowed, "{action:?}: {accepted:?}");
        }
        // The journal does the same.
        let outcome = AttemptOutcome::Succeeded {
            receipt: receipt(0),
        };
        let done = concluded(digest(1), &outcome);
        store.conclude(&done, at(2)).await.unwrap();
    }
}
