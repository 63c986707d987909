//! Suite of [`ServedWork`](atoma_domain::ports::ServedWork).

use atoma_domain::journal::{Action, AttemptOutcome, Failure, REQUEST_KEY_LIFETIME_MS, RequestKey};
use atoma_domain::model::{NewMessage, RecordedMessage};
use atoma_domain::ports::{Page, RecordError, ReservationFilter, ReserveError, StateReader};
use atoma_domain::settlement::StackAccumulator;

use super::Store;
use super::fixtures::*;
use super::journal::{open, unwrap_new};

async fn computed(store: &impl StateReader, id: u64) -> u64 {
    let found = store.stacks_by_id(&[stack(id)]).await.unwrap();
    found[0].already_computed_units.get()
}

pub async fn messages_add_up_to_the_contracts_root(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    let unknown = store.record_message(&message(2, 1, 1)).await;
    assert!(matches!(unknown, Err(RecordError::UnknownStack(id)) if id == stack(2)));
    assert_eq!(store.work_record(stack(1), node(1)).await.unwrap(), None);
    let mut expected = StackAccumulator::new();
    for number in 0..20 {
        expected.append(hash(number)).unwrap();
        let summary = store.record_message(&message(1, number, 2)).await.unwrap();
        assert_eq!(Some(summary.merkle_root), expected.root());
        assert_eq!(summary.num_total_messages, number + 1);
        assert_eq!(summary.already_computed_units, units(2 * (number + 1)));
    }
    let record = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    assert_eq!(record.accumulator, expected);
    assert_eq!(record.computed_units, units(40));
    assert!(!record.is_frozen);
    let listed = &store.stacks_by_id(&[stack(1)]).await.unwrap()[0];
    assert_eq!(listed.merkle_root, expected.root());
    assert_eq!(listed.num_total_messages, 20);
    assert_eq!(listed.already_computed_units, units(40));

    // Another node's record of the same stack is separate.
    let other = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 77, 3)
    };
    let summary = store.record_message(&other).await.unwrap();
    assert_eq!(summary.merkle_root, hash(77));
    assert_eq!(computed(&store, 1).await, 40);
    let record = store.work_record(stack(1), node(2)).await.unwrap().unwrap();
    assert_eq!(record.computed_units, units(3));
}

/// Served work is never lost: units beyond the stack are not added, and are reported.
pub async fn units_never_exceed_the_stack(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, u64::MAX)]).await;
    let record = async |message: NewMessage| {
        let recorded = store.record_message(&message).await.unwrap();
        let computed = recorded.already_computed_units.get();
        (computed, recorded.num_uncovered_units.get())
    };
    assert_eq!(record(message(1, 1, 40)).await, (40, 0));
    let held = reserve(&store, 1, 50).await;
    let refused = store.reserve_units(&reservation(1, u64::MAX), at(1)).await;
    assert!(matches!(
        refused,
        Err(ReserveError::Insufficient { wanted, free })
            if (wanted, free) == (units(u64::MAX), units(10))
    ));
    // What others have reserved stays theirs.
    assert_eq!(record(message(1, 2, 11)).await, (50, 1));
    // A message that ends a reservation may use its units.
    let under = NewMessage {
        reservation: Some(held),
        ..message(1, 3, 61)
    };
    assert_eq!(record(under).await, (100, 11));
    assert_eq!(record(message(1, 4, 7)).await, (100, 7));
    assert_eq!(record(message(1, 5, 0)).await, (100, 0));
    let own = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    assert_eq!(own.accumulator.messages(), 5);
    assert_eq!(computed(&store, 1).await, 100);

    // Only the stack's size limits other nodes' records.
    let other = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 9, 101)
    };
    assert_eq!(record(other).await, (100, 1));

    // Sums beyond 64 bits are capped, not wrapped.
    assert_eq!(record(message(2, 1, u64::MAX - 1)).await, (u64::MAX - 1, 0));
    let (sum, uncovered) = record(message(2, 2, u64::MAX)).await;
    assert_eq!((sum, uncovered), (u64::MAX, u64::MAX - 1));
    assert_eq!(computed(&store, 2).await, u64::MAX);
}

/// A repeated message is reported, not recorded twice, whatever happened to the stack since.
pub async fn a_message_is_recorded_once_under_its_id(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    let named = |id: u64, number, used| NewMessage {
        id: Some("m-1".parse().unwrap()),
        ..message(id, number, used)
    };
    let first = store.record_message(&named(1, 1, 90)).await.unwrap();
    store.record_message(&message(1, 2, 5)).await.unwrap();
    let repeated = RecordedMessage {
        is_repetition: true,
        ..first
    };
    let again = async || store.record_message(&named(1, 1, 90)).await.unwrap();
    assert_eq!(again().await, repeated);
    let would = store.would_record(&named(1, 1, 90)).await;
    assert_eq!(would.unwrap(), repeated);
    let other = store.record_message(&named(1, 3, 90)).await;
    assert!(matches!(other, Err(RecordError::OtherMessage { stack: s, .. }) if s == stack(1)));

    // The id is unique for its stack and node.
    store.record_message(&named(2, 3, 1)).await.unwrap();
    let by_another = NewMessage {
        node_small_id: Some(node(2)),
        ..named(1, 4, 1)
    };
    let attesting = store.record_message(&by_another).await.unwrap();
    assert_eq!(
        (attesting.num_total_messages, attesting.is_repetition),
        (1, false)
    );

    // It outlives the settlement and every key.
    apply_events(&store, 2, vec![settled(1, 1, &[])]).await;
    assert_eq!(again().await, repeated);
    let late = NewMessage {
        recorded_at: at(u64::MAX),
        ..named(1, 1, 90)
    };
    assert_eq!(store.record_message(&late).await.unwrap(), repeated);
    let record = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    assert_eq!(record.accumulator.messages(), 2);
}

/// A key counts for a whole request, for seven days.
pub async fn a_message_is_recorded_once_under_its_key(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let keyed = |body, recorded_at, id: Option<&str>| NewMessage {
        request: Some(RequestKey {
            scope: String::from("POST /stack_messages k"),
            body: hash(body),
        }),
        id: id.map(|id| id.parse().unwrap()),
        recorded_at: at(recorded_at),
        ..message(1, 1, 5)
    };
    let last = 1 + REQUEST_KEY_LIFETIME_MS;
    let first = store.record_message(&keyed(1, 1, None)).await.unwrap();
    for now in [1, last] {
        let again = store.record_message(&keyed(1, now, None)).await.unwrap();
        assert_eq!(again.num_total_messages, first.num_total_messages);
        assert!(again.is_repetition);
        let other = store.record_message(&keyed(2, now, None)).await;
        assert!(matches!(other, Err(RecordError::OtherRequest)));
    }
    let later = store.record_message(&keyed(2, last + 1, Some("m"))).await;
    assert!(!later.unwrap().is_repetition);
    // The key expires, the id does not.
    let much_later = keyed(3, 2 * last + 9, Some("m"));
    assert!(
        store
            .record_message(&much_later)
            .await
            .unwrap()
            .is_repetition
    );
    let record = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    assert_eq!(record.accumulator.messages(), 2);
}

/// What a dry run says is what happens, and it changes nothing.
pub async fn a_dry_run_records_and_reserves_nothing(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let named = NewMessage {
        id: Some("m".parse().unwrap()),
        ..message(1, 1, 5)
    };
    let would = store.would_record(&named).await.unwrap();
    assert_eq!(store.work_record(stack(1), node(1)).await.unwrap(), None);
    assert_eq!(store.record_message(&named).await.unwrap(), would);

    let wanted = reservation(1, 7);
    let would = store.would_reserve(&wanted, at(3)).await.unwrap();
    let all = ReservationFilter::default();
    let open = store.reservations(&all, Page::first(9), at(3)).await;
    assert_eq!(open.unwrap(), []);
    assert_eq!(store.reserve_units(&wanted, at(3)).await.unwrap(), would);
}

/// A claim by its ticket needs no record: one that is begun later is closed nevertheless.
pub async fn a_stack_being_claimed_takes_no_first_message(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let by_ticket = Action::ClaimConfidentialStack {
        stack_small_id: stack(1),
        num_claimed_compute_units: Some(units(5)),
    };
    let opened = open(&store, new_intent(1, by_ticket)).await;
    let intent = unwrap_new(opened);
    let refused = async || {
        let recorded = store.record_message(&message(1, 1, 1)).await;
        assert!(matches!(recorded, Err(RecordError::InSettlement(_))));
        let reserved = store.reserve_units(&reservation(1, 1), at(1)).await;
        assert!(matches!(reserved, Err(ReserveError::Locked { .. })));
    };
    refused().await;
    // An attester's record is its own.
    let attesting = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 1, 1)
    };
    store.record_message(&attesting).await.unwrap();
    let attempt = bare_attempt(1, &[intent.id.get()]);
    store.record_attempt(&attempt, None, at(2)).await.unwrap();
    refused().await;
    let dead = AttemptOutcome::Dead {
        reason: String::from("test"),
    };
    let dead = concluded(attempt.digest(), &dead);
    store.conclude(&dead, at(3)).await.unwrap();
    let failure = Failure::ShuttingDown {};
    store.fail(intent.id, &failure, at(4)).await.unwrap();
    store.record_message(&message(1, 1, 1)).await.unwrap();
}

pub async fn settlement_closes_the_selected_nodes_record_alone(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    apply_events(&store, 2, vec![settled(1, 1, &[2])]).await;
    let late = store.record_message(&message(1, 2, 1)).await;
    assert!(matches!(late, Err(RecordError::InSettlement(id)) if id == stack(1)));
    let reserved = store.reserve_units(&reservation(1, 1), at(1)).await;
    assert!(matches!(reserved, Err(ReserveError::Locked { stack: id }) if id == stack(1)));
    let attesting = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 1, 1)
    };
    store.record_message(&attesting).await.unwrap();
    let own = store.work_record(stack(1), node(1)).await.unwrap().unwrap();
    let other = store.work_record(stack(1), node(2)).await.unwrap().unwrap();
    assert!(own.is_frozen && !other.is_frozen);
    assert_eq!(own.accumulator, other.accumulator);
}

pub async fn claimed_stacks_take_no_work(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), stack_claimed(1, 1)]).await;
    let late = store.record_message(&message(1, 2, 1)).await;
    assert!(matches!(late, Err(RecordError::Claimed(id)) if id == stack(1)));
    let reserved = store.reserve_units(&reservation(1, 1), at(1)).await;
    assert!(matches!(reserved, Err(ReserveError::Locked { stack: id }) if id == stack(1)));
}

/// Sixteen writers reserve and record side by side until the stack is full.
pub async fn many_writers_lose_nothing(store: impl Store) {
    const WRITERS: u64 = 16;
    const ROUNDS: u64 = 12;
    let size = WRITERS * ROUNDS / 2;
    apply_events(&store, 1, vec![bought(1, 1, size), bought(2, 1, 1 << 40)]).await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut served = 0_u64;
            for round in 0..ROUNDS {
                let number = writer * ROUNDS + round;
                store.record_message(&message(2, number, 1)).await.unwrap();
                let held = match store.reserve_units(&reservation(1, 1), at(1)).await {
                    Ok(held) => held.id,
                    Err(ReserveError::Insufficient { .. }) => continue,
                    Err(other) => panic!("{other:?}"),
                };
                let message = NewMessage {
                    reservation: Some(held),
                    ..message(1, number, 1)
                };
                store.record_message(&message).await.unwrap();
                served += 1;
            }
            served
        });
    }
    let served: u64 = tasks.join_all().await.into_iter().sum();
    assert_eq!(served, size);
    assert_eq!(computed(&store, 1).await, size);
    let record = store.work_record(stack(2), node(1)).await.unwrap().unwrap();
    assert_eq!(record.accumulator.messages(), WRITERS * ROUNDS);
    assert_eq!(record.computed_units, units(WRITERS * ROUNDS));
}

/// The inputs equal what the single reads return, for the selected node alone.
pub async fn settlement_inputs_are_task_record_and_subscribers(store: impl Store) {
    let inputs = async |id| store.settlement_inputs(stack(id)).await.unwrap();
    assert_eq!(inputs(1).await, None);

    // The task is older than the mirror, and nothing is served.
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    let bare = inputs(1).await.unwrap();
    assert_eq!(bare.task_small_id, task(1));
    assert_eq!((bare.task, bare.record), (None, None));
    assert_eq!(bare.subscribers, []);

    let offers = vec![
        subscribed(2, 1, 7),
        subscribed(1, 1, 7),
        subscribed(3, 2, 7),
    ];
    apply_events(&store, 2, [vec![task_registered(1)], offers].concat()).await;
    store.record_message(&message(1, 1, 5)).await.unwrap();
    let others = NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 2, 9)
    };
    store.record_message(&others).await.unwrap();
    let whole = inputs(1).await.unwrap();
    assert_eq!(whole.task, store.task(task(1)).await.unwrap());
    assert!(whole.task.is_some());
    let record = store.work_record(stack(1), node(1)).await.unwrap();
    assert_eq!(whole.record, record);
    assert_eq!(record.unwrap().computed_units, units(5));
    assert_eq!(whole.subscribers, [node(2), node(1)]);
    assert_eq!(inputs(2).await.unwrap().record, None);

    // The ticket closes the record.
    apply_events(&store, 3, vec![settled(1, 1, &[])]).await;
    let settled = inputs(1).await.unwrap();
    assert!(settled.record.unwrap().is_frozen);
}
