//! Calls that wait while another one is written share the next transaction.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use atoma_domain::model::{NewMessage, RecordedMessage};
use atoma_domain::ports::{ChainEvents, RecordError, ServedWork, StoreError};
use atoma_state::{SqliteState, StateOptions};
use futures::future::join_all;
use sqlx::{Sqlite, Transaction};

use crate::raw::Database;
use crate::suite::fixtures::*;

type Answer = Result<RecordedMessage, RecordError>;
type Recording<'m> = Pin<Box<dyn Future<Output = Answer> + Send + 'm>>;

/// Another process that writes: calls wait for it once their transaction begins.
async fn other_writer(database: &Database) -> Transaction<'static, Sqlite> {
    let raw = database.raw().await;
    raw.begin_with("BEGIN IMMEDIATE").await.unwrap()
}

/// Calls that all wait, in this order.
async fn waiting<'m>(store: &'m SqliteState, messages: &'m [NewMessage]) -> Vec<Recording<'m>> {
    let mut calls: Vec<Recording<'m>> = Vec::new();
    for message in messages {
        let mut call = store.record_message(message);
        assert!(futures::poll!(&mut call).is_pending());
        calls.push(call);
    }
    calls
}

async fn recorded(store: &SqliteState, id: u64) -> u64 {
    let record = store.work_record(stack(id), node(1)).await.unwrap();
    record.map_or(0, |record| record.accumulator.messages())
}

fn messages(count: u64) -> Vec<NewMessage> {
    (0..count).map(|number| message(1, number, 1)).collect()
}

/// A message that the schema refuses, whatever the reason, takes no other with it.
#[tokio::test]
async fn a_call_that_the_schema_refuses_fails_alone() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000), bought(2, 1, 1000)]).await;
    let injected = "CREATE TRIGGER injected BEFORE INSERT ON work_records \
                    WHEN NEW.stack_small_id = x'0000000000000002' \
                    BEGIN SELECT RAISE(ABORT, 'injected'); END";
    database.run(injected).await.unwrap();
    let messages = [message(1, 1, 1), message(2, 1, 1), message(1, 2, 1)];
    let answers = join_all(messages.iter().map(|message| store.record_message(message))).await;
    let [Ok(first), Err(RecordError::Store(error)), Ok(last)] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
    assert_eq!((first.num_total_messages, last.num_total_messages), (1, 2));
    assert_eq!(
        (recorded(&store, 1).await, recorded(&store, 2).await),
        (2, 0)
    );
}

/// So does one whose record is damaged.
#[tokio::test]
async fn a_call_about_a_damaged_row_fails_alone() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000), bought(2, 1, 1000)]).await;
    for id in [1, 2] {
        store.record_message(&message(id, 1, 1)).await.unwrap();
    }
    let damage = "UPDATE work_records SET merkle_root = zeroblob(32) \
                  WHERE stack_small_id = x'0000000000000002'";
    database.run(damage).await.unwrap();
    let messages = [message(2, 1, 1), message(1, 1, 1)];
    let answers = join_all(messages.iter().map(|message| store.record_message(message))).await;
    assert!(matches!(
        &answers[..],
        [Err(RecordError::Store(StoreError::Corrupt { .. })), Ok(_)]
    ));
    assert_eq!(recorded(&store, 1).await, 2);
}

/// All learn the same, and that they may try again.
#[tokio::test]
async fn a_transaction_that_fails_fails_all_its_calls() {
    let database = Database::new();
    database.open().await.close().await;
    let options = StateOptions {
        busy_timeout: Duration::from_millis(20),
        ..StateOptions::default()
    };
    let store = SqliteState::open(database.path(), options).await.unwrap();
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    let before = database.dump().await;
    let lock = other_writer(&database).await;
    let messages = messages(5);
    let answers = join_all(messages.iter().map(|message| store.record_message(message))).await;
    for answer in answers {
        let Err(RecordError::Store(error)) = answer else {
            panic!("{answer:?}");
        };
        assert!(matches!(error, StoreError::Locked(_)), "{error:?}");
        assert!(error.is_temporary());
        let causes = atoma_domain::with_causes(&error);
        assert!(causes.contains("database is locked"), "{causes}");
    }
    lock.rollback().await.unwrap();
    assert_eq!(database.dump().await, before);
    store.record_message(&messages[0]).await.unwrap();
}

/// A client that leaves cancels nothing: the work was done.
#[tokio::test]
async fn what_was_asked_for_is_done_for_a_caller_that_has_left() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    let lock = other_writer(&database).await;
    let messages = messages(9);
    let mut calls = waiting(&store, &messages).await;
    let last = calls.pop().unwrap();
    drop(calls);
    lock.rollback().await.unwrap();
    assert_eq!(last.await.unwrap().num_total_messages, 9);
}

/// What waits when the store is closed is recorded or refused, and nobody is told anything else.
#[tokio::test]
async fn closing_finishes_or_refuses_what_waits() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    let messages = messages(200);
    let mut calls = waiting(&store, &messages).await;
    let first = calls.remove(0).await;
    let closing = store.close();
    let (answers, ()) = tokio::join!(join_all(calls), closing);
    let mut acknowledged = 0;
    for answer in [first].into_iter().chain(answers) {
        match answer {
            Ok(_) => acknowledged += 1,
            Err(RecordError::Store(StoreError::Unavailable(_))) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let late = store.record_message(&messages[0]).await;
    assert!(matches!(
        late,
        Err(RecordError::Store(StoreError::Unavailable(_)))
    ));
    assert!(acknowledged > 0);
    assert_eq!(recorded(&database.open().await, 1).await, acknowledged);
}

/// The ledger waits for one group of served work, however many calls wait.
#[tokio::test]
async fn a_write_of_the_engine_comes_between_two_groups() {
    let database = Database::new();
    let engine = database.open().await;
    let served = engine.for_served_work();
    apply_events(&engine, 1, vec![bought(1, 1, 1000)]).await;
    let messages = messages(300);
    let mut calls = waiting(&served, &messages).await;
    calls.remove(0).await.unwrap();
    let applied = async {
        engine
            .note_epoch(atoma_domain::Epoch::new(9))
            .await
            .unwrap();
        recorded(&engine, 1).await
    };
    let (answers, seen) = tokio::join!(join_all(calls), applied);
    assert!(answers.iter().all(Result::is_ok));
    // Of those that were left, one group before it, and one that may have been written while the test looked.
    assert!(seen <= 3 * 64, "{seen}");
}

/// The queue is bounded.
#[tokio::test]
async fn too_many_calls_are_refused_at_once() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, u64::MAX)]).await;
    let lock = other_writer(&database).await;
    let one = message(1, 1, 1);
    let many = vec![one.clone(); 9_000];
    let mut calls: Vec<_> = many.iter().map(|m| store.record_message(m)).collect();
    let mut refused = 0;
    for call in &mut calls {
        match futures::poll!(call) {
            Poll::Ready(Err(RecordError::Store(StoreError::Busy(_)))) => refused += 1,
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => {}
        }
    }
    assert!(refused > 0);
    let accepted = calls.len() - refused;
    lock.rollback().await.unwrap();
    let last = calls.remove(accepted - 1).await.unwrap();
    assert_eq!(Ok(last.num_total_messages), u64::try_from(accepted));
    store.record_message(&one).await.unwrap();
}

/// A call that waits behind a group longer than for a connection is taken back, and one that has its turn is not.
#[tokio::test]
async fn a_call_waits_for_its_turn_no_longer_than_for_a_connection() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    store.close().await;
    let options = StateOptions {
        connection_timeout: Duration::from_millis(500),
        busy_timeout: Duration::from_secs(60),
        ..StateOptions::default()
    };
    let store = SqliteState::open(database.path(), options).await.unwrap();
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let lock = other_writer(&database).await;
    let messages = messages(3);
    let mut first = store.record_message(&messages[0]);
    // Its group begins, and waits for the lock.
    for _ in 0..100 {
        assert!(futures::poll!(&mut first).is_pending());
        tokio::task::yield_now().await;
    }
    let late = join_all(messages[1..].iter().map(|late| store.record_message(late)));
    for refused in late.await {
        assert!(
            matches!(refused, Err(RecordError::Store(StoreError::Busy(_)))),
            "{refused:?}"
        );
    }
    assert!(futures::poll!(&mut first).is_pending());
    lock.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().num_total_messages, 2);
    assert_eq!(recorded(&store, 1).await, 2);
}

/// A program that embeds the store may end the runtime that it opened it on.
#[test]
fn calls_on_a_runtime_that_has_ended_are_refused() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let database = Database::new();
    let first = runtime();
    let store = first.block_on(async {
        let store = database.open().await;
        apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
        store
    });
    drop(first);
    let refused = runtime().block_on(store.record_message(&message(1, 1, 1)));
    assert!(matches!(
        refused,
        Err(RecordError::Store(StoreError::Unavailable(_)))
    ));
}
