//! A row that other software wrote, or that is damaged, costs nothing but itself.

use atoma_domain::journal::{Failure, RequestKey};
use atoma_domain::model::NewMessage;
use atoma_domain::ports::{
    Journal, JournalFilter, JournalKey, Opened, Page, ReservationFilter, ServedWork, StateReader,
    Stock, StoreError,
};
use atoma_domain::{IntentId, TimestampMs};
use atoma_state::SqliteState;

use crate::raw::Database;
use crate::suite::fixtures::*;
use crate::suite::journal::{attempt, succeeded, unwrap_new};

/// Opens intents of tasks 1 to `count`, and concludes an attempt for each.
async fn concluded_intents(store: &SqliteState, count: u64) -> Vec<IntentId> {
    let mut ids = Vec::new();
    for number in 1..=count {
        let intents = [new_intent(1, subscribe(number))];
        let opened = store.open(&intents, None, at(1)).await.unwrap();
        let id = unwrap_new(opened[0].clone()).id;
        let sent = attempt(number, &[id]);
        store.record_attempt(&sent, None, at(2)).await.unwrap();
        let done = concluded(sent.digest(), &succeeded());
        store.conclude(&done, at(3)).await.unwrap();
        ids.push(id);
    }
    ids
}

/// The start loads the coins of recent attempts, and what was spent.
#[tokio::test]
async fn an_attempt_does_not_stop_the_start() {
    let database = Database::new();
    let store = database.open().await;
    concluded_intents(&store, 2).await;
    let coins = store.recent_gas_coins().await.unwrap();
    assert!(!coins.is_empty());
    let spent = store.gas_spent(at(0), at(9)).await.unwrap();
    assert_eq!(spent.len(), 2);
    database
        .run(
            "PRAGMA ignore_check_constraints = ON; DROP TRIGGER attempts_never_change; \
             DROP TRIGGER attempts_keep_their_outcome; \
             UPDATE attempts SET gas = '7' WHERE id = 2; \
             UPDATE attempts SET gas_used = x'ff' WHERE id = 2",
        )
        .await
        .unwrap();
    assert!(!store.recent_gas_coins().await.unwrap().is_empty());
    // What it may have spent at most counts, so that the cap holds.
    let with_budget = store.gas_spent(at(0), at(9)).await.unwrap();
    assert_eq!(with_budget[0], spent[0]);
    assert_eq!(with_budget[1].gas, attempt(2, &[]).gas_budget);
    let unreadable = store.unreadable().await.unwrap();
    assert!(
        unreadable[0].contains("attempts.gas of row 2"),
        "{unreadable:?}"
    );
}

/// Of a batch, only the intent that needs its key is refused.
#[tokio::test]
async fn an_intent_that_holds_a_key_does_not_fail_a_batch() {
    let database = Database::new();
    let store = database.open().await;
    let claims = [1, 2, 3].map(|id| new_intent(1, claim(id)));
    store.open(&claims[..1], None, at(1)).await.unwrap();
    database
        .run("DROP TRIGGER intents_never_change; UPDATE intents SET action = '{}'")
        .await
        .unwrap();
    let opened = store.open(&claims, None, at(2)).await.unwrap();
    assert!(
        matches!(
            opened.as_slice(),
            [
                Opened::Refused(Failure::Internal { .. }),
                Opened::New(_),
                Opened::New(_)
            ]
        ),
        "{opened:?}"
    );
}

/// Neither does a stack of the mirror.
#[tokio::test]
async fn a_stack_does_not_fail_a_batch() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 10), bought(2, 1, 10)]).await;
    for id in [1, 2] {
        store.record_message(&message(id, 1, 1)).await.unwrap();
    }
    database
        .run(
            "PRAGMA ignore_check_constraints = ON; \
             UPDATE stacks SET is_claimed = 7 WHERE stack_small_id = x'0000000000000001'",
        )
        .await
        .unwrap();
    let wanted = [1, 2].map(|id| new_intent(1, settle(id)));
    let opened = store.open(&wanted, None, at(2)).await.unwrap();
    assert!(
        matches!(
            opened.as_slice(),
            [Opened::Refused(Failure::Internal { .. }), Opened::New(_)]
        ),
        "{opened:?}"
    );
}

/// A list skips it and fills its pages with others; asked for by its number, it is an error.
#[tokio::test]
async fn an_intent_is_skipped_in_lists() {
    let database = Database::new();
    let store = database.open().await;
    let ids = concluded_intents(&store, 5).await;
    database
        .run(
            "DROP TRIGGER intents_never_change; \
             UPDATE intents SET action = '{}' WHERE id IN (2, 4)",
        )
        .await
        .unwrap();
    let filter = JournalFilter::default();
    let mut listed = Vec::new();
    let mut page = Page::first(2);
    loop {
        let part = store.list(&filter, page).await.unwrap();
        listed.extend(part.iter().map(|record| record.intent.id));
        // A part page is the last one.
        if part.len() < 2 {
            break;
        }
        page.after = listed.last().copied();
    }
    assert_eq!(listed, [ids[4], ids[2], ids[0]]);
    let found = store.find(JournalKey::Id(ids[1])).await;
    assert!(matches!(found, Err(StoreError::Corrupt { .. })));
    let unreadable = store.unreadable().await.unwrap();
    // What is final hides nothing that is signed.
    assert_eq!(store.take_stock().await.unwrap(), Stock::default());
    let of_row = |row: u64| {
        let what = format!("intents.action of row {row}");
        unreadable.iter().any(|sentence| sentence.contains(&what))
    };
    assert!(of_row(2) && of_row(4), "{unreadable:?}");
}

/// It ends like all others, whatever can't be read of it, and is skipped in lists.
#[tokio::test]
async fn a_reservation_fails_no_write_of_served_work() {
    const AFTER: TimestampMs = TimestampMs::new(900_001);
    for damage in [
        // Holders are visible ASCII.
        "UPDATE reservations SET holder = 'with space' WHERE id = 1",
        "UPDATE reservations SET num_compute_units = x'01' WHERE id = 1",
        "UPDATE reservations SET node_small_id = x'01' WHERE id = 1",
        // Its record is damaged.
        "UPDATE work_records SET peaks = x'01' WHERE stack_small_id = x'0000000000000001'",
    ] {
        let database = Database::new();
        let store = database.open().await;
        apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
        for id in [1, 2] {
            store.record_message(&message(id, 1, 1)).await.unwrap();
        }
        for id in [1, 2, 2] {
            reserve(&store, id, 10).await;
        }
        let statements = format!("PRAGMA ignore_check_constraints = ON; {damage}");
        database.run(&statements).await.unwrap();
        let all = ReservationFilter::default();
        let listed = store.reservations(&all, Page::first(2), at(1)).await;
        assert!(listed.unwrap().iter().any(|open| open.id.get() == 2));
        let both = store.stacks_by_id(&[stack(1), stack(2)]).await;
        assert_eq!(both.unwrap().len(), 2, "{damage}");

        let late = NewMessage {
            recorded_at: AFTER,
            ..message(2, 2, 1)
        };
        let recorded = store.record_message(&late).await;
        assert!(recorded.is_ok(), "{damage}: {recorded:?}");
        let reserved = store.reserve_units(&reservation(2, 98), AFTER).await;
        assert!(reserved.is_ok(), "{damage}: {reserved:?}");
        let shown = store.stacks_by_id(&[stack(2)]).await.unwrap();
        assert_eq!(shown[0].reserved_units(AFTER), units(98), "{damage}");
        // The key clock may be damaged as well.
        let clock = "PRAGMA ignore_check_constraints = ON; \
                     INSERT INTO key_clock VALUES (1, x'01', x'01')";
        database.run(clock).await.unwrap();
        let keyed = NewMessage {
            request: Some(RequestKey {
                scope: String::from("k"),
                body: hash(1),
            }),
            ..late
        };
        let recorded = store.record_message(&keyed).await;
        assert!(recorded.is_ok(), "{damage}: {recorded:?}");
    }
}

/// The work is done: the message is recorded, and the reservation ends.
#[tokio::test]
async fn a_message_may_name_a_reservation_that_can_not_be_read() {
    let database = Database::new();
    let store = database.open().await;
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let id = reserve(&store, 1, 100).await;
    database
        .run("UPDATE reservations SET holder = 'with space'")
        .await
        .unwrap();
    let under = NewMessage {
        reservation: Some(id),
        ..message(1, 1, 100)
    };
    let recorded = store.record_message(&under).await.unwrap();
    assert_eq!(recorded.num_uncovered_units, units(0));
    let shown = store.stacks_by_id(&[stack(1)]).await.unwrap();
    assert_eq!(shown[0].reserved_units(at(1)), units(0));
}
