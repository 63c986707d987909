//! The guards of the schema: whatever program writes to the database, it refuses what the journal's
//! state machine doesn't allow.

use atoma_domain::journal::{Action, AttemptOutcome, AttemptStatus, Failure, IntentStatus};
use atoma_domain::ports::{ChainEvents, ChainIdentity, Journal, Opened, ServedWork};
use atoma_domain::{EchelonId, PricePerMillion};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// Brings intent 1 where the test needs it.
async fn intent_in(store: &SqliteState, status: IntentStatus) {
    store
        .open(&[new_intent(1, claim(1))], None, at(1))
        .await
        .unwrap();
    match status {
        IntentStatus::Queued => {}
        IntentStatus::Submitted => attempted(store, 1, AttemptStatus::Signed).await,
        IntentStatus::Succeeded => attempted(store, 1, AttemptStatus::Succeeded).await,
        IntentStatus::Failed => attempted(store, 1, AttemptStatus::Refused).await,
    }
}

/// Takes intent 1 through one more attempt.
async fn attempted(store: &SqliteState, number: u64, status: AttemptStatus) {
    store
        .record_attempt(&bare_attempt(number, &[1]), None, at(1))
        .await
        .unwrap();
    let failure = Failure::ShuttingDown {};
    let reason = String::from("test");
    let outcome = match status {
        AttemptStatus::Signed => return,
        AttemptStatus::Succeeded => AttemptOutcome::Succeeded {
            receipt: receipt(0),
        },
        AttemptStatus::Aborted => AttemptOutcome::BatchAborted {
            failure,
            receipt: receipt(0),
        },
        AttemptStatus::Cancelled => AttemptOutcome::Cancelled {
            reason,
            receipt: receipt(0),
        },
        AttemptStatus::Dead => AttemptOutcome::Dead { reason },
        AttemptStatus::Refused => AttemptOutcome::Refused { failure },
    };
    store
        .conclude(&concluded(digest(number), &outcome), at(1))
        .await
        .unwrap();
}

/// A step of intent 1 as another program might take it.
fn step_to(status: IntentStatus) -> String {
    let (holds_key, failure) = match status {
        IntentStatus::Failed => (0, "'{}'"),
        _ => (1, "NULL"),
    };
    format!(
        "UPDATE intents SET status = '{}', holds_key = {holds_key}, failure = {failure}",
        status.as_str()
    )
}

/// The end of its only attempt, as another program might write it.
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

/// Runs a statement without the triggers of a table, to bring it where only another program could.
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

/// Whether the database takes a statement; it is undone.
async fn is_taken(database: &Database, statement: &str) -> Result<(), String> {
    let undone = format!("BEGIN; {statement}; ROLLBACK");
    let taken = database.run(&undone).await;
    taken.map_err(|refusal| refusal.to_string())
}

/// The latest attempt may be of any kind, or there is none: an intent moves as its own level says,
/// and never to where the other does not allow it.
#[tokio::test]
async fn every_transition_of_an_intent_is_guarded() {
    let latest = AttemptStatus::ALL.into_iter().map(Some);
    for latest in latest.chain([None]) {
        let database = Database::new();
        let store = database.open().await;
        intent_in(&store, IntentStatus::Queued).await;
        if let Some(latest) = latest {
            // An earlier one that says something else.
            attempted(&store, 1, AttemptStatus::Dead).await;
            attempted(&store, 2, latest).await;
        }
        for from in IntentStatus::ALL {
            past_the_guards(&database, "intents", &step_to(from)).await;
            for to in IntentStatus::ALL {
                let taken = is_taken(&database, &step_to(to)).await;
                let agrees = match latest {
                    Some(latest) => latest.allows(to),
                    None => matches!(to, IntentStatus::Queued | IntentStatus::Failed),
                };
                let allowed = from.can_become(to) && agrees;
                assert_eq!(taken.is_ok(), allowed, "{latest:?}: {from:?} to {to:?}");
                if let Err(refusal) = taken {
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
            let taken = is_taken(&database, &end_as(to)).await;
            assert_eq!(taken.is_ok(), from.can_become(to), "{from:?} to {to:?}");
        }
    }
}

/// Success keeps the key of what is done once for ever, and of nothing else.
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
            let taken = is_taken(&database, &done).await;
            let allowed = holds_key == action.succeeds_only_once();
            assert_eq!(taken.is_ok(), allowed, "{action:?}: {taken:?}");
        }
        // The store agrees.
        let outcome = AttemptOutcome::Succeeded {
            receipt: receipt(0),
        };
        let done = concluded(digest(1), &outcome);
        store.conclude(&done, at(2)).await.unwrap();
    }
}

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

/// One more attempt that uses no objects, for an intent.
fn sign_again_for(intent: u64) -> String {
    format!(
        "INSERT INTO attempts (digest, bytes, signatures, expires_after, gas, gas_budget, status, \
         created_at) SELECT zeroblob(32), bytes, signatures, expires_after, gas, gas_budget, \
         'signed', created_at FROM attempts; \
         INSERT INTO attempt_intents VALUES (2, 0, {intent})"
    )
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
        package_id: object(1),
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
            // Given up, or free to be signed for again, while its transaction may execute.
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
            // Free to be done once more.
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
                "UPDATE ledger SET chain_id = NULL, package_id = NULL, atoma_db_id = NULL",
            ),
            ("CHECK constraint", "INSERT INTO ledger (id) VALUES (2)"),
            // Numbers that don't have 64 bits.
            (
                "CHECK constraint",
                "INSERT INTO nodes VALUES (x'01', zeroblob(32), zeroblob(32))",
            ),
            (
                "cannot store",
                "INSERT INTO nodes VALUES (7, zeroblob(32), zeroblob(32))",
            ),
            // A record of a stack that isn't there.
            (
                "FOREIGN KEY",
                "PRAGMA foreign_keys = ON; INSERT INTO work_records VALUES (zeroblob(8), \
                 zeroblob(8), zeroblob(8), x'', NULL, zeroblob(8), zeroblob(8), 0)",
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
            // A second signature for what is done.
            ("only a queued intent", &sign_again_for(1)),
        ],
    )
    .await;
}
