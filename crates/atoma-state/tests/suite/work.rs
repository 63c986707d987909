//! Suite of [`ServedWork`](atoma_domain::ports::ServedWork).

use atoma_domain::journal::Failure;
use atoma_domain::model::{NewMessage, ReservationId};
use atoma_domain::ports::{StateReader, WorkError};
use atoma_domain::settlement::StackAccumulator;

use super::Store;
use super::fixtures::*;

fn refused<T: std::fmt::Debug>(result: Result<T, WorkError>) -> Failure {
    match result {
        Err(WorkError::Refused(failure)) => failure,
        other => panic!("not refused: {other:?}"),
    }
}

async fn computed(store: &impl StateReader, id: u64) -> u64 {
    let found = store.stacks_by_id(&[stack(id)]).await.unwrap();
    found[0].already_computed_units.get()
}

pub async fn messages_add_up_to_the_contracts_root(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 1000)]).await;
    assert_eq!(
        refused(store.record_message(&message(2, 1, 1)).await),
        Failure::UnknownStack {
            stack_small_id: stack(2)
        }
    );
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

pub async fn units_never_exceed_the_stack(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, u64::MAX)]).await;
    let overflow = |asked: u64, free: u64| Failure::StackOverflow {
        stack_small_id: stack(1),
        num_compute_units: units(asked),
        free_compute_units: units(free),
    };
    store.record_message(&message(1, 1, 40)).await.unwrap();
    let held = store
        .reserve_units(stack(1), owner(), units(50))
        .await
        .unwrap();
    assert_eq!(
        refused(store.record_message(&message(1, 2, 11)).await),
        overflow(11, 10)
    );
    assert_eq!(
        refused(
            store
                .reserve_units(stack(1), owner(), units(u64::MAX))
                .await
        ),
        overflow(u64::MAX, 10)
    );
    assert_eq!(
        refused(store.correct_reservation(held, units(61)).await),
        overflow(61, 60)
    );
    // A message that consumes a reservation may use its units.
    let under = |used| NewMessage {
        reservation: Some(held),
        ..message(1, 3, used)
    };
    assert_eq!(
        refused(store.record_message(&under(61)).await),
        overflow(61, 60)
    );
    store.record_message(&under(60)).await.unwrap();
    assert_eq!(
        refused(store.record_message(&message(1, 4, 1)).await),
        overflow(1, 0)
    );
    store.record_message(&message(1, 4, 0)).await.unwrap();
    assert_eq!(computed(&store, 1).await, 100);

    // Only the stack's size limits other nodes' records.
    let other = |used| NewMessage {
        node_small_id: Some(node(2)),
        ..message(1, 9, used)
    };
    assert_eq!(
        refused(store.record_message(&other(101)).await),
        overflow(101, 100)
    );
    store.record_message(&other(100)).await.unwrap();

    // Sums beyond 64 bits are refused, not wrapped.
    store
        .record_message(&message(2, 1, u64::MAX - 1))
        .await
        .unwrap();
    let failure = refused(store.record_message(&message(2, 2, u64::MAX)).await);
    assert!(matches!(failure, Failure::StackOverflow { .. }));
    store.record_message(&message(2, 2, 1)).await.unwrap();
    assert_eq!(computed(&store, 2).await, u64::MAX);
}

pub async fn reservations_are_consumed_corrected_and_released(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    for (id, by) in [(1, address(5)), (3, owner())] {
        assert_eq!(
            refused(store.reserve_units(stack(id), by, units(1)).await),
            Failure::UnknownStack {
                stack_small_id: stack(id)
            }
        );
    }
    let first = store
        .reserve_units(stack(1), owner(), units(100))
        .await
        .unwrap();
    refused(store.reserve_units(stack(1), owner(), units(1)).await);
    store.correct_reservation(first, units(30)).await.unwrap();
    let second = store
        .reserve_units(stack(1), owner(), units(70))
        .await
        .unwrap();
    assert_ne!(first, second);
    // Nothing was recorded yet.
    assert_eq!(store.work_record(stack(1), node(1)).await.unwrap(), None);
    store.release_reservation(second).await.unwrap();

    let wrong_stack = NewMessage {
        reservation: Some(first),
        ..message(2, 1, 1)
    };
    let wrong_node = NewMessage {
        node_small_id: Some(node(2)),
        reservation: Some(first),
        ..message(1, 1, 1)
    };
    for wrong in [wrong_stack, wrong_node] {
        let error = store.record_message(&wrong).await.unwrap_err();
        assert!(matches!(error, WorkError::UnknownReservation(id) if id == first));
    }
    let right = NewMessage {
        reservation: Some(first),
        ..message(1, 1, 10)
    };
    store.record_message(&right).await.unwrap();

    // A reservation is released once.
    for id in [first, second, ReservationId::new(u64::MAX)] {
        let spent = NewMessage {
            reservation: Some(id),
            ..message(1, 1, 1)
        };
        assert!(matches!(
            store.record_message(&spent).await,
            Err(WorkError::UnknownReservation(_))
        ));
        assert!(matches!(
            store.release_reservation(id).await,
            Err(WorkError::UnknownReservation(_))
        ));
        assert!(matches!(
            store.correct_reservation(id, units(1)).await,
            Err(WorkError::UnknownReservation(_))
        ));
    }
    store
        .reserve_units(stack(1), owner(), units(90))
        .await
        .unwrap();
    assert_eq!(computed(&store, 1).await, 10);
}

pub async fn settlement_closes_the_selected_nodes_record_alone(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    apply_events(&store, 2, vec![settled(1, 1, &[2])]).await;
    let closed = Failure::AlreadySettling {
        stack_small_id: stack(1),
    };
    assert_eq!(
        refused(store.record_message(&message(1, 2, 1)).await),
        closed
    );
    assert_eq!(
        refused(store.reserve_units(stack(1), owner(), units(1)).await),
        closed
    );
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
    let closed = Failure::AlreadyClaimed {
        stack_small_id: stack(1),
    };
    assert_eq!(
        refused(store.record_message(&message(1, 2, 1)).await),
        closed
    );
    assert_eq!(
        refused(store.reserve_units(stack(1), owner(), units(1)).await),
        closed
    );
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
                let held = match store.reserve_units(stack(1), owner(), units(1)).await {
                    Ok(held) => held,
                    Err(WorkError::Refused(Failure::StackOverflow { .. })) => continue,
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
