//! A call that fails has changed nothing.

use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::{AttemptOutcome, Failure};
use atoma_domain::ports::{
    ChainEvents, Journal, JournalFilter, JournalKey, LedgerFrame, Opened, Page, RecordError,
    ServedWork, StateReader, StoreError,
};
use atoma_state::{SqliteState, StateOptions};

use crate::raw::Database;
use crate::suite::fixtures::*;
use crate::suite::journal::{attempt, unwrap_new};

/// Frames that write to every table of the mirror.
fn frames() -> Vec<LedgerFrame> {
    vec![
        frame(
            5,
            0,
            vec![registered(4), task_registered(2), subscribed(4, 2, 1)],
        ),
        frame(5, 1, vec![bought(7, 4, 10), settled(7, 4, &[2])]),
        frame(6, 0, vec![attested(7, 2)]),
        frame(7, 0, vec![disputed(7, 2, 4)]),
        covered(8),
    ]
}

/// Whichever write between the first event and the cursor fails, nothing of the batch is visible.
#[tokio::test]
async fn events_and_cursor_commit_together() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    let before = database.dump().await;
    let progress = store.progress().await.unwrap();
    for failing in [
        "INSERT ON nodes",
        "INSERT ON operator_nodes",
        "INSERT ON tasks",
        "INSERT ON subscriptions",
        "INSERT ON stacks",
        "INSERT ON settlements",
        "INSERT ON attestations",
        "INSERT ON disputes",
        "UPDATE OF cursor ON ledger",
    ] {
        let inject = format!(
            "CREATE TRIGGER injected BEFORE {failing} BEGIN SELECT RAISE(ABORT, 'injected'); END"
        );
        database.run(&inject).await.unwrap();
        let failed = store.apply(&frames(), operator()).await;
        assert!(matches!(failed, Err(StoreError::Rejected(_))), "{failing}");
        assert_eq!(database.dump().await, before, "{failing}");
        assert_eq!(store.progress().await.unwrap(), progress, "{failing}");
        database.run("DROP TRIGGER injected").await.unwrap();
    }
    let progress = store.apply(&frames(), operator()).await.unwrap();
    assert_eq!(progress.cursor, Some(covered(8).cursor));
    assert_ne!(database.dump().await, before);
}

/// A record is frozen together with its intent or not at all.
#[tokio::test]
async fn an_intent_that_cannot_be_written_freezes_nothing() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let before = database.dump().await;
    database
        .run(
            "CREATE TRIGGER injected BEFORE INSERT ON intents WHEN NEW.kind = 'claim_stack' \
             BEGIN SELECT RAISE(ABORT, 'injected'); END",
        )
        .await
        .unwrap();
    let wanted = [new_intent(1, settle(1)), new_intent(1, claim(2))];
    let failed = store.open(&wanted, None, at(1)).await;
    assert!(matches!(failed, Err(StoreError::Rejected(_))));
    assert_eq!(database.dump().await, before);
    store.record_message(&message(1, 2, 1)).await.unwrap();
}

#[tokio::test]
async fn a_locked_database_says_so_and_is_unchanged() {
    let database = Database::new();
    database.open().await.close().await;
    let options = StateOptions {
        busy_timeout: Duration::from_millis(20),
        ..StateOptions::default()
    };
    let store = SqliteState::open(database.path(), options).await.unwrap();
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    let before = database.dump().await;

    let raw = database.raw().await;
    let lock = raw.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let failed = store.record_message(&message(1, 1, 1)).await;
    assert!(matches!(
        failed,
        Err(RecordError::Store(StoreError::Locked(_)))
    ));
    assert!(matches!(
        store.apply(&frames(), operator()).await,
        Err(StoreError::Locked(_))
    ));
    // Readers don't wait for writers.
    assert_eq!(store.tasks(Page::first(9)).await.unwrap(), []);
    lock.rollback().await.unwrap();
    assert_eq!(database.dump().await, before);
    store.record_message(&message(1, 1, 1)).await.unwrap();
}

/// Whoever reads "not available" waits; a damaged file needs a backup.
#[tokio::test]
async fn a_file_that_is_damaged_in_use_says_so() {
    const PAGE: usize = 8192;
    let database = Database::new();
    let store = database.open().await;
    let raw = database.raw().await;
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'intents'")
        .fetch_one(&raw)
        .await
        .unwrap();
    raw.close().await;
    store.close().await;
    let mut content = std::fs::read(database.path()).unwrap();
    let page = usize::try_from(root - 1).unwrap() * PAGE;
    content[page..page + PAGE].fill(0xee);
    std::fs::write(database.path(), content).unwrap();

    let store = database.open().await;
    let failed = store.list(&JournalFilter::default(), Page::first(9)).await;
    assert!(matches!(failed, Err(StoreError::Damaged(_))), "{failed:?}");
    let failed = store.open(&[new_intent(1, claim(1))], None, at(1)).await;
    assert!(matches!(failed, Err(StoreError::Damaged(_))), "{failed:?}");
}

/// The inference service may link this crate and open the same file.
#[tokio::test]
async fn stores_of_several_processes_wait_for_each_other() {
    const MESSAGES: u64 = 40;
    let database = Database::new();
    apply_events(&database.open().await, 1, vec![bought(1, 1, 1000)]).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = database.open().await;
        writers.spawn(async move {
            for number in 0..MESSAGES {
                let message = message(1, writer * MESSAGES + number, 1);
                store.record_message(&message).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let store = database.open().await;
    let record = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    assert_eq!(record.accumulator.messages(), 4 * MESSAGES);
    assert_eq!(record.computed_units, units(4 * MESSAGES));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let database = Database::new();
    let store = database.open().await;
    let clone = store.clone();
    store.close().await;
    assert!(matches!(
        clone.progress().await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(
        clone.open(&[new_intent(1, claim(1))], None, at(1)).await,
        Err(StoreError::Unavailable(_))
    ));
}

/// A call that is cancelled has done everything or nothing, and leaves no lock.
#[tokio::test]
async fn a_cancelled_call_does_everything_or_nothing() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    for polls in 0..40 {
        {
            let message = message(1, polls, 1);
            let mut call = store.record_message(&message);
            for _ in 0..polls {
                tokio::select! {
                    biased;
                    _ = &mut call => break,
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        let before = store.work_record(stack(1), node(1)).await.unwrap();
        let messages = before.map_or(0, |record| record.accumulator.messages());
        let summary = store.record_message(&message(1, 500, 1)).await.unwrap();
        assert!(summary.num_total_messages > messages);
        assert_eq!(
            summary.already_computed_units.get(),
            summary.num_total_messages
        );
    }
}

/// A damaged cell is named, whatever reads it. Lists of the journal skip its row.
#[tokio::test]
async fn impossible_values_are_named_by_table_column_and_row() {
    let database = Database::new();
    let store = database.open().await;
    let events = vec![
        bought(1 << 63, 1, 10),
        bought(7, 1, 10),
        settled(1, 1, &[2]),
    ];
    apply_events(&store, 1, events).await;
    store.record_message(&message(7, 1, 1)).await.unwrap();
    let opened = store
        .open(&[new_intent(1, claim(1))], None, at(1))
        .await
        .unwrap();
    assert!(matches!(opened[0], Opened::New(_)));
    database
        .run(
            "PRAGMA ignore_check_constraints = ON; \
             UPDATE stacks SET num_compute_units = x'01' WHERE stack_small_id >= x'80'; \
             UPDATE work_records SET messages = x'01'; \
             UPDATE settlements SET requested_attestation_nodes = x'0102'; \
             UPDATE intents SET failure = '{\"reason\": \"no code\"}'",
        )
        .await
        .unwrap();
    let cell = |error: StoreError| match error {
        StoreError::Corrupt {
            table, column, row, ..
        } => (table, column, row),
        other => panic!("{other:?}"),
    };
    let stacks = store.stacks_by_id(&[stack(1 << 63)]).await;
    assert_eq!(
        cell(stacks.unwrap_err()),
        ("stacks", "num_compute_units", (1_u64 << 63).to_string())
    );
    let recorded = store.stacks_by_id(&[stack(7)]).await;
    assert_eq!(
        cell(recorded.unwrap_err()),
        ("work_records", "messages", String::from("7"))
    );
    let settlements = store.settlements_by_id(&[stack(1)]).await;
    assert_eq!(
        cell(settlements.unwrap_err()),
        (
            "settlements",
            "requested_attestation_nodes",
            String::from("1")
        )
    );
    let found = store.find(JournalKey::Id(IntentId::new(1))).await;
    assert_eq!(
        cell(found.unwrap_err()),
        ("intents", "failure", String::from("1"))
    );
    // A message recorded against a wrong size would be lost: it is refused.
    assert!(matches!(
        store
            .record_message(&atoma_domain::model::NewMessage {
                stack_small_id: stack(1 << 63),
                ..message(1, 1, 1)
            })
            .await,
        Err(RecordError::Store(StoreError::Corrupt { .. }))
    ));
}

/// After a downgrade, the journal holds reasons that this version does not know.
#[tokio::test]
async fn a_reason_of_a_later_version_is_read_back() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10), settled(1, 1, &[2])]).await;
    let opened = store
        .open(&[new_intent(1, claim(1))], None, at(1))
        .await
        .unwrap();
    let intent = unwrap_new(opened[0].clone());
    let sent = attempt(1, &[intent.id]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let failure: Failure = serde_json::from_str(r#"{"code":"too_late","epoch":7}"#).unwrap();
    let outcome = AttemptOutcome::Aborted {
        failure: failure.clone(),
        receipt: receipt(5),
    };
    let conclusion = concluded(sent.digest(), &outcome);
    store.conclude(&conclusion, at(3)).await.unwrap();
    let listed = store
        .list(&Default::default(), Page::first(9))
        .await
        .unwrap();
    assert_eq!(listed[0].failure, Some(failure.clone()));
    let attempts = store.attempts_of(intent.id).await.unwrap();
    assert_eq!(attempts[0].failure, Some(failure));
}
