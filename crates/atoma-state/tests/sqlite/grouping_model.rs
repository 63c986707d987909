//! Calls that are written in groups: their answers and the database are as if each had been written alone.

use atoma_domain::events::{ContractEvent, StackCreated};
use atoma_domain::journal::{REQUEST_KEY_LIFETIME_MS, RequestKey};
use atoma_domain::model::{Lease, NewMessage, NewReservation, ReservationChange, StackChoice};
use atoma_domain::ports::ServedWork;
use atoma_domain::{ReservationId, TimestampMs};
use atoma_state::SqliteState;
use futures::future::join_all;
use proptest::prelude::*;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// A call of a service.
#[derive(Clone, Debug)]
enum Call {
    Record(NewMessage),
    Reserve(NewReservation, TimestampMs),
    Change(ReservationId, ReservationChange, TimestampMs),
    Release(ReservationId, TimestampMs),
    ReleaseHeld(TimestampMs),
}

/// What it was told.
async fn answer(store: &SqliteState, call: &Call) -> String {
    match call {
        Call::Record(message) => format!("{:?}", store.record_message(message).await),
        Call::Reserve(wanted, now) => format!("{:?}", store.reserve_units(wanted, *now).await),
        Call::Change(id, change, now) => {
            format!("{:?}", store.change_reservation(*id, *change, *now).await)
        }
        Call::Release(id, now) => format!("{:?}", store.release_reservation(*id, *now).await),
        Call::ReleaseHeld(now) => {
            let holder = "gpu".parse().unwrap();
            format!("{:?}", store.release_held_by(&holder, *now).await)
        }
    }
}

/// Mostly a few milliseconds, sometimes a clock that jumps.
fn time() -> impl Strategy<Value = TimestampMs> {
    prop_oneof![
        6 => 1_000..1_060_u64,
        1 => Just(1_000 + 3_600_000),
        1 => (0..3_u64).prop_map(|n| 1_000 + n * (REQUEST_KEY_LIFETIME_MS + 1)),
        1 => 1..30_u64,
    ]
    .prop_map(at)
}

fn key() -> impl Strategy<Value = Option<RequestKey>> {
    let key = (0..3_u64, 0..2_u64).prop_map(|(scope, body)| RequestKey {
        scope: format!("key \"{scope}\" ü"),
        body: hash(body),
    });
    prop::option::weighted(0.3, key)
}

/// Few ids, so that calls meet.
fn reservation_id() -> impl Strategy<Value = ReservationId> {
    prop_oneof![6 => 1..9_u64, 1 => Just(0), 1 => Just(u64::MAX)].prop_map(ReservationId::new)
}

fn record() -> impl Strategy<Value = Call> {
    let what = (
        1..6_u64,
        0..4_u64,
        0..40_u64,
        prop::option::weighted(0.2, 1..3_u64),
    );
    let named = prop::option::weighted(0.5, reservation_id());
    let id = prop::option::weighted(0.5, 0..4_u64);
    (what, named, id, key(), time()).prop_map(|(what, reservation, id, request, recorded_at)| {
        let (stack, number, used, by) = what;
        Call::Record(NewMessage {
            node_small_id: by.map(node),
            reservation,
            id: id.map(|id| format!("m-{id}").parse().unwrap()),
            request,
            recorded_at,
            ..message(stack, number, used)
        })
    })
}

fn reserve() -> impl Strategy<Value = Call> {
    let choice = prop_oneof![
        3 => (1..6_u64).prop_map(|id| StackChoice::Stack(stack(id))),
        2 => (1..4_u64).prop_map(|id| StackChoice::Task(task(id))),
        1 => Just(StackChoice::Model(String::from("model 2"))),
    ];
    let lease = prop_oneof![1..60_u64, Just(900_000)];
    (choice, 0..40_u64, lease, any::<bool>(), key(), time()).prop_map(
        |(stack, used, lease, is_held, request, now)| {
            let wanted = NewReservation {
                stack,
                holder: is_held.then(|| "gpu".parse().unwrap()),
                lease: Lease::from_ms(lease).unwrap(),
                request,
                ..reservation(1, used)
            };
            Call::Reserve(wanted, now)
        },
    )
}

fn change() -> impl Strategy<Value = Call> {
    let (used, lease) = (prop::option::of(0..60_u64), prop::option::of(1..60_u64));
    (reservation_id(), used, lease, time()).prop_map(|(id, used, lease, now)| {
        let change = ReservationChange {
            num_compute_units: used.map(units),
            lease: lease.map(|ms| Lease::from_ms(ms).unwrap()),
        };
        Call::Change(id, change, now)
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => record(),
        4 => reserve(),
        2 => change(),
        2 => (reservation_id(), time()).prop_map(|(id, now)| Call::Release(id, now)),
        1 => time().prop_map(Call::ReleaseHeld),
    ]
}

/// A stack of a task whose model has a name.
fn bought_for_model(id: u64, size: u64) -> ContractEvent {
    let ContractEvent::StackCreated(event) = bought(id, 1, size) else {
        unreachable!("it is a purchase");
    };
    StackCreated {
        task_small_id: task(2),
        ..event
    }
    .into()
}

/// Five stacks: the third is in settlement, the last one is not in the mirror.
async fn prepared(database: &Database) -> SqliteState {
    let store = database.open().await;
    let events = vec![
        registered(1),
        task_registered(1),
        task_registered(2),
        bought(1, 1, 60),
        bought(2, 1, 200),
        bought(3, 1, 100),
        bought_for_model(4, 90),
        settled(3, 1, &[2]),
    ];
    apply_events(&store, 1, events).await;
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_group_is_as_its_calls_one_by_one(
        groups in prop::collection::vec(prop::collection::vec(call(), 1..12), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (together, alone) = (Database::new(), Database::new());
            let (grouped, single) = (prepared(&together).await, prepared(&alone).await);
            for group in &groups {
                // All are queued before the first one runs.
                let answers = join_all(group.iter().map(|call| answer(&grouped, call))).await;
                let mut expected = Vec::new();
                for call in group {
                    expected.push(answer(&single, call).await);
                }
                assert_eq!(answers, expected);
                assert_eq!(together.dump().await, alone.dump().await);
            }
        });
    }
}
