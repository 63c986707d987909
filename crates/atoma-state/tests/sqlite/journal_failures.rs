//! A journal write that fails has changed nothing, whichever statement failed; and how long an
//! idempotency key is remembered.

use atoma_domain::Hash32;
use atoma_domain::journal::{
    Attempt, EntryOutcome, Failure, NewIntent, PlannedEntry, PlannedRequest,
    REQUEST_KEY_LIFETIME_MS, Recalled, RequestKey,
};
use atoma_domain::ports::{
    Journal, JournalFilter, Opened, Page, RecordError, ServedWork, StoreError,
};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;
use crate::suite::journal::{aborted, attempt, succeeded, unwrap_new};

/// A request of two parts under a key. The first part was refused before the request was opened.
fn request(scope: &str) -> PlannedRequest {
    let entry = |id, outcome| PlannedEntry {
        stack_small_id: Some(stack(id)),
        node_small_id: None,
        warnings: vec![String::from("look")],
        outcome,
    };
    let refused = Failure::UnknownStack {
        stack_small_id: stack(9),
    };
    PlannedRequest {
        key: RequestKey {
            scope: scope.to_owned(),
            body: Hash32::of(&[b"body"]),
        },
        known: None,
        entries: vec![
            entry(9, Some(EntryOutcome::Refused(refused))),
            entry(1, None),
        ],
    }
}

/// Makes statements of that kind fail, as if the database were full or broken.
async fn inject(database: &Database, failing: &str) {
    let trigger = format!(
        "CREATE TRIGGER injected BEFORE {failing} BEGIN SELECT RAISE(ABORT, 'injected'); END"
    );
    database.run(&trigger).await.unwrap();
}

/// A store with a signed attempt for one claim, and another claim to open.
async fn with_signed_attempt(database: &Database) -> (SqliteState, Attempt, NewIntent) {
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10), bought(2, 1, 10)]).await;
    let first = store
        .open(&[new_intent(1, claim(1))], None, at(1))
        .await
        .unwrap();
    let sent = attempt(1, &[unwrap_new(first[0].clone()).id]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    (store, sent, new_intent(1, claim(2)))
}

/// Intent and request are stored together: a client that repeats the request under its key never finds
/// the key unknown while the intent is under way.
#[tokio::test]
async fn a_request_that_cannot_be_remembered_opens_nothing() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let before = database.dump().await;
    inject(&database, "INSERT ON requests").await;
    let wanted = [new_intent(1, settle(1))];
    let failed = store.open(&wanted, Some(&request("key")), at(1)).await;
    assert!(matches!(failed, Err(StoreError::Rejected(_))));
    assert_eq!(database.dump().await, before);
    assert_eq!(
        store.recall(&request("key").key, at(1)).await.unwrap(),
        Recalled::Unknown
    );
    // The record is not frozen, and the same request succeeds later.
    store.record_message(&message(1, 2, 1)).await.unwrap();
    database.run("DROP TRIGGER injected").await.unwrap();
    let opened = store.open(&wanted, Some(&request("key")), at(2)).await;
    assert!(matches!(opened.unwrap()[..], [Opened::New(_)]));
}

/// Whichever statement fails: no attempt is stored without its intents, and no outcome without theirs.
#[tokio::test]
async fn an_attempt_or_outcome_that_cannot_be_written_whole_is_not_written() {
    let database = Database::new();
    let (store, sent, next) = with_signed_attempt(&database).await;
    let opened = store.open(&[next], None, at(3)).await.unwrap();
    let next = attempt(2, &[unwrap_new(opened[0].clone()).id]);
    let next = Attempt {
        badge: None,
        gas: Vec::new(),
        ..next
    };
    let done = concluded(sent.digest(), &succeeded());
    let before = database.dump().await;
    for failing in [
        "UPDATE OF status ON intents",
        "INSERT ON attempts",
        "INSERT ON attempt_intents",
        "UPDATE OF status ON attempts",
    ] {
        inject(&database, failing).await;
        let together = store.record_attempt(&next, Some(&done), at(4)).await;
        assert!(
            matches!(together, Err(StoreError::Rejected(_))),
            "{failing}: {together:?}"
        );
        assert_eq!(database.dump().await, before, "{failing}");
        if failing.starts_with("UPDATE") {
            let alone = store.conclude(&done, at(4)).await;
            assert!(matches!(alone, Err(StoreError::Rejected(_))));
            assert_eq!(database.dump().await, before, "{failing}");
        }
        database.run("DROP TRIGGER injected").await.unwrap();
    }
    store
        .record_attempt(&next, Some(&done), at(5))
        .await
        .unwrap();
}

/// An intent fails together with the thaw of its record.
#[tokio::test]
async fn a_failure_that_cannot_thaw_the_record_is_not_written() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10), bought(2, 1, 10)]).await;
    let mut ids = Vec::new();
    for id in [1, 2] {
        store.record_message(&message(id, 1, 1)).await.unwrap();
        let opened = store.open(&[new_intent(1, settle(id))], None, at(1)).await;
        ids.push(unwrap_new(opened.unwrap()[0].clone()).id);
    }
    let sent = attempt(1, &[ids[0]]);
    store.record_attempt(&sent, None, at(2)).await.unwrap();
    let refused = concluded(sent.digest(), &aborted());
    let failure = Failure::ShuttingDown {};
    let before = database.dump().await;
    inject(&database, "UPDATE OF is_frozen ON work_records").await;
    let concluded = store.conclude(&refused, at(3)).await;
    assert!(matches!(concluded, Err(StoreError::Rejected(_))));
    let failed = store.fail(ids[1], &failure, at(3)).await;
    assert!(matches!(failed, Err(StoreError::Rejected(_))));
    assert_eq!(database.dump().await, before);
    database.run("DROP TRIGGER injected").await.unwrap();
    store.conclude(&refused, at(4)).await.unwrap();
    store.fail(ids[1], &failure, at(4)).await.unwrap();
    for id in [1, 2] {
        store.record_message(&message(id, 2, 1)).await.unwrap();
    }
}

/// Another version of the daemon may have written an action that this one can't read. Whatever was
/// signed for it is concluded all the same, and its record is thawed or stays frozen.
#[tokio::test]
async fn intents_move_even_if_their_actions_cannot_be_read() {
    let database = Database::new();
    let store = database.open().await;
    let bought: Vec<_> = (1..=3).map(|id| bought(id, 1, 10)).collect();
    apply_events(&store, 1, bought).await;
    let mut ids = Vec::new();
    for id in 1..=3 {
        store.record_message(&message(id, 1, 1)).await.unwrap();
        let opened = store.open(&[new_intent(1, settle(id))], None, at(1)).await;
        ids.push(unwrap_new(opened.unwrap()[0].clone()).id);
    }
    database
        .run(
            "DROP TRIGGER intents_never_change; \
             UPDATE intents SET action = '{\"kind\": \"of a later version\"}'",
        )
        .await
        .unwrap();
    for (id, outcome) in [(ids[0], succeeded()), (ids[1], aborted())] {
        let sent = attempt(id.get(), &[id]);
        store.record_attempt(&sent, None, at(2)).await.unwrap();
        let conclusion = concluded(sent.digest(), &outcome);
        store.conclude(&conclusion, at(3)).await.unwrap();
    }
    let failure = Failure::ShuttingDown {};
    store.fail(ids[2], &failure, at(3)).await.unwrap();
    let settled = store.record_message(&message(1, 2, 1)).await;
    assert!(
        matches!(settled, Err(RecordError::InSettlement(_))),
        "{settled:?}"
    );
    for id in [2, 3] {
        store.record_message(&message(id, 2, 1)).await.unwrap();
    }
}

/// One damaged row stops neither a start nor the others' recovery. The intents of an attempt that can't be
/// read are set aside with it: signing for them again could do it twice.
#[tokio::test]
async fn rows_that_cannot_be_read_are_set_aside() {
    let database = Database::new();
    let store = database.open().await;
    let mut ids = Vec::new();
    for number in 1..=4 {
        let opened = store
            .open(&[new_intent(1, subscribe(number))], None, at(1))
            .await;
        ids.push(unwrap_new(opened.unwrap()[0].clone()).id);
    }
    for (number, id) in [(1, ids[0]), (2, ids[1])] {
        let sent = bare_attempt(number, &[id.get()]);
        store.record_attempt(&sent, None, at(2)).await.unwrap();
    }
    assert_eq!(
        store.take_stock().await.unwrap().unreadable,
        Vec::<String>::new()
    );
    database
        .run(&format!(
            "DROP TRIGGER intents_never_change; DROP TRIGGER attempts_never_change; \
             UPDATE attempts SET gas = '7' WHERE id = 2; \
             UPDATE intents SET action = '{{}}' WHERE id = {}",
            ids[2]
        ))
        .await
        .unwrap();
    let stock = store.take_stock().await.unwrap();
    let left = stock.unfinished.iter().map(|open| open.intent.id);
    assert_eq!(left.collect::<Vec<_>>(), [ids[0], ids[3]]);
    let unreadable = stock.unreadable;
    assert_eq!(unreadable.len(), 2, "{unreadable:?}");
    assert!(
        unreadable[0].contains("attempts.gas of row 2"),
        "{unreadable:?}"
    );
    assert!(
        unreadable[1].contains("intents.action of row 3"),
        "{unreadable:?}"
    );
}

/// A program without foreign keys may leave such a row behind. Waiting for its attempt to be concluded
/// would never end.
#[tokio::test]
async fn a_version_claimed_by_no_attempt_is_reported() {
    let database = Database::new();
    let (store, sent, next) = with_signed_attempt(&database).await;
    let opened = store.open(&[next], None, at(3)).await.unwrap();
    let next = attempt(2, &[unwrap_new(opened[0].clone()).id]);
    let done = concluded(sent.digest(), &succeeded());
    store.conclude(&done, at(4)).await.unwrap();
    let badge = next.badge.as_ref().unwrap();
    database
        .run(&format!(
            "PRAGMA foreign_keys = OFF; \
             INSERT INTO signed_versions VALUES ('{}', '{}', x'{}')",
            badge.object_id(),
            badge.version(),
            "5a".repeat(32),
        ))
        .await
        .unwrap();
    let reported = store.record_attempt(&next, None, at(5)).await;
    assert!(
        matches!(
            reported,
            Err(StoreError::Corrupt {
                table: "signed_versions",
                ..
            })
        ),
        "{reported:?}"
    );
}

/// A call that is cancelled has written everything or nothing, and leaves no lock.
#[tokio::test]
async fn a_cancelled_write_is_whole_or_nothing() {
    let database = Database::new();
    let (store, mut sent, _) = with_signed_attempt(&database).await;
    let mut written = 0;
    for polls in 0..24 {
        let opened = store
            .open(&[new_intent(1, subscribe(polls))], None, at(3))
            .await;
        let id = unwrap_new(opened.unwrap()[0].clone()).id;
        let next = Attempt {
            badge: None,
            gas: Vec::new(),
            ..attempt(100 + polls, &[id])
        };
        let done = concluded(sent.digest(), &succeeded());
        {
            let mut step = store.record_attempt(&next, Some(&done), at(4));
            for _ in 0..polls {
                tokio::select! {
                    biased;
                    _ = &mut step => break,
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        // Queues behind the cancelled call.
        let again = store.record_attempt(&next, Some(&done), at(4)).await;
        let before = matches!(again, Err(StoreError::Transition { .. }));
        assert!(before || again.is_ok(), "{again:?}");
        written += u64::from(before);
        let open = store.unfinished().await.unwrap();
        let open: Vec<_> = open.into_iter().filter_map(|o| o.attempt).collect();
        assert_eq!(open, std::slice::from_ref(&next));
        sent = next;
    }
    assert!(written < 24, "the first call was never polled");
}

/// A key is remembered for seven days to the millisecond, then another request can use it.
#[tokio::test]
async fn a_key_is_known_for_its_lifetime() {
    let database = Database::new();
    let store = database.open().await;
    let first = request("key");
    let born = 5;
    let opened = store
        .open(&[new_intent(1, claim(1))], Some(&first), at(born))
        .await
        .unwrap();
    let id = unwrap_new(opened[0].clone()).id;
    let last = at(born + REQUEST_KEY_LIFETIME_MS);
    let after = at(born + REQUEST_KEY_LIFETIME_MS + 1);

    let Recalled::Entries(entries) = store.recall(&first.key, last).await.unwrap() else {
        panic!("the key is forgotten too early");
    };
    assert_eq!(entries.len(), 2);
    assert!(matches!(entries[0].outcome, EntryOutcome::Refused(_)));
    assert_eq!(entries[1].outcome, EntryOutcome::Accepted(id));
    assert_eq!(entries[1].warnings, ["look"]);
    let other_body = RequestKey {
        body: Hash32::of(&[b"another"]),
        ..first.key.clone()
    };
    assert_eq!(
        store.recall(&other_body, last).await.unwrap(),
        Recalled::OtherBody
    );
    let again = store
        .open(&[new_intent(1, claim(2))], Some(&first), last)
        .await;
    assert!(matches!(again, Err(StoreError::KnownRequest)));
    // The refused call opened nothing.
    let listed = store.list(&JournalFilter::default(), Page::first(9)).await;
    assert_eq!(listed.unwrap().len(), 1);

    // Only the clock says that the time has passed: it may be ahead, and the same request stays known.
    let recalled = store.recall(&first.key, after).await.unwrap();
    assert!(matches!(recalled, Recalled::Entries(_)), "{recalled:?}");
    assert_eq!(
        store.recall(&other_body, after).await.unwrap(),
        Recalled::Unknown
    );
    let reused = PlannedRequest {
        key: other_body.clone(),
        ..request("key")
    };
    let opened = store
        .open(&[new_intent(1, claim(2))], Some(&reused), after)
        .await
        .unwrap();
    unwrap_new(opened[0].clone());
    assert!(matches!(
        store.recall(&other_body, after).await.unwrap(),
        Recalled::Entries(_)
    ));
    assert_eq!(
        store.recall(&first.key, after).await.unwrap(),
        Recalled::OtherBody
    );
}
