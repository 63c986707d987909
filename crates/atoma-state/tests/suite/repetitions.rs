//! Suite of repeated requests: messages and keys, and the reservations that they name.

use atoma_domain::journal::{
    EntryOutcome, PlannedEntry, PlannedRequest, REQUEST_KEY_LIFETIME_MS, Recalled, RequestKey,
};
use atoma_domain::model::{MessageWarning, NewMessage};
use atoma_domain::ports::{Opened, Page, RecordError, ReservationFilter, StoreError};
use atoma_domain::{ReservationId, TimestampMs};

use super::Store;
use super::fixtures::*;

const HOUR: u64 = 3_600_000;
/// From a clock that is 30 days ahead.
const AHEAD: u64 = 30 * 24 * HOUR;

fn named(id: &str, used: u64, reservation: Option<ReservationId>) -> NewMessage {
    NewMessage {
        id: Some(id.parse().unwrap()),
        reservation,
        ..message(1, 1, used)
    }
}

fn keyed(key: &str, recorded_at: TimestampMs) -> NewMessage {
    NewMessage {
        request: Some(request_key(key)),
        recorded_at,
        ..message(1, 1, 1)
    }
}

fn request_key(key: &str) -> RequestKey {
    RequestKey {
        scope: key.to_owned(),
        body: hash(1),
    }
}

async fn open_reservations(store: &impl Store) -> Vec<ReservationId> {
    let all = ReservationFilter::default();
    let open = store.reservations(&all, Page::first(9), at(1)).await;
    open.unwrap().iter().map(|open| open.id).collect()
}

/// The retry reserved anew before it repeated its message.
pub async fn a_repeated_message_ends_its_new_reservation(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    let first = reserve(&store, 1, 60).await;
    let recorded = store.record_message(&named("m", 50, Some(first))).await;
    assert_eq!(recorded.unwrap().warnings, []);
    let [second, third] = [reserve(&store, 1, 40).await, reserve(&store, 1, 5).await];
    let again = named("m", 50, Some(second));
    let would = store.would_record(&again).await.unwrap();
    assert_eq!(open_reservations(&store).await, [second, third]);
    let repeated = store.record_message(&again).await.unwrap();
    assert_eq!(repeated, would);
    assert!(repeated.is_repetition);
    assert_eq!(repeated.warnings, []);
    assert_eq!(open_reservations(&store).await, [third]);
    let stack_1 = store.stacks_by_id(&[stack(1)]).await.unwrap().remove(0);
    assert_eq!(stack_1.reserved_units(at(1)), units(5));

    // Of another stack it stays: the repetition is answered all the same.
    let other = reserve(&store, 2, 7).await;
    let repeated = store.record_message(&named("m", 50, Some(other))).await;
    let repeated = repeated.unwrap();
    assert!(repeated.is_repetition);
    assert_eq!(repeated.warnings, [MessageWarning::OtherReservation(other)]);
    assert_eq!(open_reservations(&store).await, [third, other]);
}

pub async fn a_repeated_message_with_other_units_is_reported(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let first = store.record_message(&named("m", 50, None)).await.unwrap();
    let repeated = store.record_message(&named("m", 51, None)).await.unwrap();
    let (recorded, repeated_units) = (units(50), units(51));
    let other_units = MessageWarning::OtherUnits {
        recorded,
        repeated: repeated_units,
    };
    assert_eq!(repeated.warnings, [other_units]);
    assert_eq!(
        repeated.already_computed_units,
        first.already_computed_units
    );
}

/// The true reservation stays open: the client should learn why.
pub async fn a_reservation_that_never_existed_is_reported(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let first = reserve(&store, 1, 10).await;
    let recorded = async |reservation| {
        let message = NewMessage {
            reservation: Some(reservation),
            ..message(1, 1, 1)
        };
        store.record_message(&message).await.unwrap()
    };
    for typo in [0, first.get() + 1, u64::MAX] {
        let typo = ReservationId::new(typo);
        let warned = recorded(typo).await;
        assert_eq!(warned.warnings, [MessageWarning::UnknownReservation(typo)]);
    }
    assert_eq!(open_reservations(&store).await, [first]);
    // One that was released is no typo.
    store.release_reservation(first, at(1)).await.unwrap();
    let late = recorded(first).await;
    assert_eq!(late.warnings, []);
    assert_eq!(late.num_total_messages, 4);
}

/// The answer was lost. Then the clock was ahead for a while, and other messages were recorded.
pub async fn a_clock_that_was_ahead_makes_no_message_new(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let first = store.record_message(&keyed("k", at(HOUR))).await.unwrap();
    for number in 0..5 {
        let other = keyed(&number.to_string(), at(AHEAD + number * HOUR));
        assert!(!store.record_message(&other).await.unwrap().is_repetition);
    }
    for now in [AHEAD + 6 * HOUR, 2 * HOUR] {
        let again = store.record_message(&keyed("k", at(now))).await.unwrap();
        assert!(again.is_repetition, "{now}");
        assert_eq!(again.num_total_messages, first.num_total_messages);
    }
    let other = NewMessage {
        request: Some(RequestKey {
            body: hash(2),
            ..request_key("k")
        }),
        ..keyed("k", at(2 * HOUR))
    };
    let refused = store.record_message(&other).await;
    assert!(matches!(refused, Err(RecordError::OtherRequest)));
}

/// Opens an intent under a key that is expected to be new.
async fn open_request(
    store: &impl Store,
    key: &str,
    task: u64,
    now: TimestampMs,
) -> Result<Vec<Opened>, StoreError> {
    let request = PlannedRequest {
        key: request_key(key),
        known: None,
        entries: vec![PlannedEntry {
            stack_small_id: None,
            node_small_id: None,
            warnings: Vec::new(),
            outcome: None,
        }],
    };
    let intents = [new_intent(1, subscribe(task))];
    store.open(&intents, Some(&request), now).await
}

/// The same for the requests of the journal.
pub async fn a_clock_that_was_ahead_forgets_no_request(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    open_request(&store, "k", 1, at(HOUR)).await.unwrap();
    for number in 0..5 {
        let now = at(AHEAD + number * HOUR);
        let opened = open_request(&store, &number.to_string(), 2 + number, now).await;
        opened.unwrap();
    }
    // The retry comes while the clock is ahead, and after it.
    for now in [AHEAD + 6 * HOUR, 2 * HOUR] {
        let recalled = store.recall(&request_key("k"), at(now)).await.unwrap();
        let Recalled::Entries(entries) = recalled else {
            panic!("{now}: {recalled:?}");
        };
        assert!(matches!(entries[0].outcome, EntryOutcome::Accepted(_)));
    }
    // And nothing opens under the key as if it were new.
    let again = open_request(&store, "k", 99, at(AHEAD + 6 * HOUR)).await;
    assert!(matches!(again, Err(StoreError::KnownRequest)), "{again:?}");
}

/// With time a key makes room for another request.
pub async fn an_old_key_can_be_used_again(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let first = store.record_message(&keyed("k", at(HOUR))).await.unwrap();
    let mut now = HOUR;
    while now <= HOUR + REQUEST_KEY_LIFETIME_MS {
        now += HOUR;
        let other = keyed(&now.to_string(), at(now));
        store.record_message(&other).await.unwrap();
    }
    let again = store.record_message(&keyed("k", at(now))).await.unwrap();
    assert!(!again.is_repetition);
    assert!(again.num_total_messages > first.num_total_messages);
}

/// The same for the requests of the journal.
pub async fn an_old_request_is_forgotten(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    open_request(&store, "k", 1, at(HOUR)).await.unwrap();
    let mut now = HOUR;
    while now <= HOUR + REQUEST_KEY_LIFETIME_MS {
        let recalled = store.recall(&request_key("k"), at(now)).await.unwrap();
        assert!(matches!(recalled, Recalled::Entries(_)), "{now}");
        now += HOUR;
        let other = open_request(&store, &now.to_string(), now, at(now)).await;
        other.unwrap();
    }
    // Nobody has used the key since, and the clock alone tells that the last hour has passed.
    let recalled = store.recall(&request_key("k"), at(now + HOUR)).await;
    assert_eq!(recalled.unwrap(), Recalled::Unknown);
    open_request(&store, "k", 2, at(now)).await.unwrap();
}

/// A second key of the same message, which is then used with another body.
pub async fn a_key_counts_also_if_its_message_is_a_repetition(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    for key in ["first", "second"] {
        let message = NewMessage {
            request: Some(request_key(key)),
            ..named("m", 1, None)
        };
        store.record_message(&message).await.unwrap();
    }
    for key in ["first", "second"] {
        let other = RequestKey {
            body: hash(2),
            ..request_key(key)
        };
        let reused = NewMessage {
            request: Some(other),
            ..named("n", 1, None)
        };
        let reused = store.record_message(&reused).await;
        assert!(
            matches!(reused, Err(RecordError::OtherRequest)),
            "{reused:?}"
        );
        let repeated = store.record_message(&keyed(key, at(1))).await.unwrap();
        assert_eq!(repeated.num_total_messages, 1);
    }
}
