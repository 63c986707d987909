//! Suite of the reservations of [`ServedWork`](atoma_domain::ports::ServedWork).

use atoma_domain::events::{ContractEvent, StackCreated};
use atoma_domain::journal::{Failure, RequestKey};
use atoma_domain::model::{Lease, NewMessage, NewReservation, ReservationChange, StackChoice};
use atoma_domain::ports::{
    Opened, Page, RecordError, ReservationError, ReservationFilter, ReserveError,
};
use atoma_domain::{PricePerMillion, ReservationId};

use super::Store;
use super::fixtures::*;
use super::journal::{open_at, unwrap_new};

/// 15 minutes.
const LEASE: u64 = 900_000;
/// An hour.
const LONGEST: u64 = 3_600_000;

/// The numbers of the reservations that are open at that time.
async fn listed(store: &impl Store, filter: &ReservationFilter, now: u64) -> Vec<u64> {
    let open = store.reservations(filter, Page::first(99), at(now)).await;
    open.unwrap().iter().map(|r| r.id.get()).collect()
}

async fn all(store: &impl Store, now: u64) -> Vec<u64> {
    listed(store, &ReservationFilter::default(), now).await
}

/// Size, computed, reserved and free units of a stack as the state reader shows them.
async fn shown(store: &impl Store, id: u64, now: u64) -> [u64; 3] {
    let stack = store.stacks_by_id(&[stack(id)]).await.unwrap().remove(0);
    [
        stack.already_computed_units.get(),
        stack.reserved_units(at(now)).get(),
        stack.free_units(at(now)).get(),
    ]
}

fn corrected(used: u64) -> ReservationChange {
    ReservationChange {
        num_compute_units: Some(units(used)),
        lease: None,
    }
}

pub async fn reservations_are_consumed_corrected_and_released(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    let of_another = NewReservation {
        owner: address(5),
        ..reservation(1, 1)
    };
    for unknown in [of_another, reservation(3, 1)] {
        let refused = store.reserve_units(&unknown, at(1)).await;
        assert!(matches!(refused, Err(ReserveError::NotFound)));
    }
    let first = reserve(&store, 1, 100).await;
    assert!(
        store
            .reserve_units(&reservation(1, 1), at(1))
            .await
            .is_err()
    );
    let change = store.change_reservation(first, corrected(30), at(1)).await;
    assert_eq!(change.unwrap().num_compute_units, units(30));
    let second = reserve(&store, 1, 70).await;
    assert_ne!(first, second);
    let too_many = store.change_reservation(first, corrected(31), at(1)).await;
    assert!(matches!(
        too_many,
        Err(ReservationError::Insufficient { wanted, free, .. })
            if (wanted, free) == (units(31), units(30))
    ));
    assert_eq!(shown(&store, 1, 1).await, [0, 100, 0]);
    // Nothing was recorded yet.
    assert_eq!(store.work_record(stack(1), node(1)).await.unwrap(), None);
    store.release_reservation(second, at(1)).await.unwrap();
    assert_eq!(shown(&store, 1, 1).await, [0, 30, 70]);

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
        let refused = store.record_message(&wrong).await;
        assert!(matches!(
            refused,
            Err(RecordError::OtherReservation { reservation, .. }) if reservation == first
        ));
    }
    let right = NewMessage {
        reservation: Some(first),
        ..message(1, 1, 10)
    };
    store.record_message(&right).await.unwrap();

    // A reservation ends once.
    for id in [first, second, ReservationId::new(u64::MAX)] {
        let released = store.release_reservation(id, at(1)).await;
        assert!(matches!(released, Err(ReservationError::NotFound(gone)) if gone == id));
        let changed = store.change_reservation(id, corrected(1), at(1)).await;
        assert!(matches!(changed, Err(ReservationError::NotFound(gone)) if gone == id));
    }
    reserve(&store, 1, 90).await;
    assert_eq!(shown(&store, 1, 1).await, [10, 90, 0]);
}

/// A dead holder blocks nothing: whatever it blocked ends its reservation.
pub async fn expired_reservations_end_in_the_write_that_they_block(store: impl Store) {
    let stacks = (1..=4).map(|id| bought(id, 1, 100)).collect();
    apply_events(&store, 1, stacks).await;
    for id in 1..=4 {
        store.record_message(&message(id, 1, 1)).await.unwrap();
        reserve(&store, id, 99).await;
    }
    let (last, after) = (LEASE, LEASE + 1);
    // A reservation.
    let again = async |now| store.reserve_units(&reservation(1, 99), at(now)).await;
    assert!(matches!(
        again(last).await,
        Err(ReserveError::Insufficient { .. })
    ));
    assert_eq!(shown(&store, 1, last).await, [1, 99, 0]);
    assert_eq!(shown(&store, 1, after).await, [1, 0, 99]);
    again(after).await.unwrap();

    // A settlement.
    for (id, action) in [(2, settle(2)), (3, claim_confidential(3))] {
        let wanted = reservation(id, 99);
        store.reserve_units(&wanted, at(after)).await.unwrap();
        let intent = new_intent(1, action);
        let expires = after + LEASE;
        assert_eq!(
            open_at(&store, intent.clone(), expires - 1).await,
            Opened::Refused(Failure::RequestsInProgress {
                stack_small_id: stack(id)
            })
        );
        unwrap_new(open_at(&store, intent, expires).await);
        assert!(all_on(&store, id).await.is_empty());
    }

    // A message.
    let now = after + 2 * LEASE;
    let wanted = reservation(4, 99);
    store.reserve_units(&wanted, at(now - LEASE)).await.unwrap();
    let served = NewMessage {
        recorded_at: at(now),
        ..message(4, 2, 99)
    };
    let recorded = store.record_message(&served).await.unwrap();
    assert_eq!(recorded.num_uncovered_units, units(0));
    assert!(all_on(&store, 4).await.is_empty());
}

/// The reservations on a stack that have not ended, even if their lease has expired.
async fn all_on(store: &impl Store, id: u64) -> Vec<u64> {
    let filter = ReservationFilter {
        stack: Some(stack(id)),
        ..ReservationFilter::default()
    };
    listed(store, &filter, 0).await
}

/// What was served under a lease that expired meanwhile is recorded as far as the stack has units left.
pub async fn a_message_outlives_its_lease(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let expired = reserve(&store, 1, 60).await;
    let other = store
        .reserve_units(&reservation(1, 80), at(LEASE + 1))
        .await;
    other.unwrap();
    let late = NewMessage {
        reservation: Some(expired),
        recorded_at: at(LEASE + 2),
        ..message(1, 1, 60)
    };
    let recorded = store.record_message(&late).await.unwrap();
    assert_eq!(recorded.already_computed_units, units(20));
    assert_eq!(recorded.num_uncovered_units, units(40));
    assert_eq!(shown(&store, 1, LEASE + 2).await, [20, 80, 0]);
}

pub async fn leases_are_renewed(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let id = reserve(&store, 1, 60).await;
    let renew = async |ms: Option<u64>, now| {
        let change = ReservationChange {
            num_compute_units: None,
            lease: ms.map(|ms| Lease::from_ms(ms).unwrap()),
        };
        let changed = store.change_reservation(id, change, at(now)).await;
        changed.map(|changed| changed.expires_at.get())
    };
    assert_eq!(renew(None, LEASE).await.unwrap(), 2 * LEASE);
    assert_eq!(
        renew(Some(LONGEST), LEASE + 1).await.unwrap(),
        LEASE + 1 + LONGEST
    );
    // A renewal of no given length shortens nothing; a given one can.
    assert_eq!(renew(None, LEASE + 2).await.unwrap(), LEASE + 1 + LONGEST);
    assert_eq!(renew(Some(5), LEASE + 2).await.unwrap(), LEASE + 7);
    assert_eq!(all(&store, LEASE + 6).await, [id.get()]);
    let late = renew(None, LEASE + 7).await;
    assert!(matches!(late, Err(ReservationError::NotFound(gone)) if gone == id));
}

/// A clock that was ahead for a while doesn't keep a stack reserved for longer than the longest lease.
pub async fn leases_from_the_future_are_shortened(store: impl Store) {
    const AHEAD: u64 = 30 * 24 * LONGEST;
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 1, 1)).await.unwrap();
    let made = store.reserve_units(&reservation(1, 99), at(AHEAD)).await;
    made.unwrap();
    let refused = Opened::Refused(Failure::RequestsInProgress {
        stack_small_id: stack(1),
    });
    let settled = async |now| open_at(&store, new_intent(1, settle(1)), now).await;
    assert_eq!(settled(5).await, refused);
    assert_eq!(settled(4 + LONGEST).await, refused);
    unwrap_new(settled(5 + LONGEST).await);
}

pub async fn reservations_are_listed_and_released_by_holder(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100), bought(2, 1, 100)]).await;
    let held = async |id, holder: &str, now| {
        let wanted = NewReservation {
            holder: Some(holder.parse().unwrap()),
            ..reservation(id, 10)
        };
        let made = store.reserve_units(&wanted, at(now)).await.unwrap();
        assert_eq!(made.holder, wanted.holder);
        assert_eq!(
            (made.stack_small_id, made.node_small_id),
            (stack(id), node(1))
        );
        assert_eq!(
            (made.created_at, made.expires_at),
            (at(now), at(now + LEASE))
        );
        made.id.get()
    };
    let ids = [
        held(1, "a", 1).await,
        held(2, "b", 1).await,
        held(2, "a", 2).await,
        reserve(&store, 2, 10).await.get(),
    ];
    let filter = |holder: Option<&str>, on: Option<u64>| ReservationFilter {
        holder: holder.map(|holder| holder.parse().unwrap()),
        stack: on.map(stack),
    };
    for (filter, expected) in [
        (filter(None, None), vec![ids[0], ids[1], ids[2], ids[3]]),
        (filter(Some("a"), None), vec![ids[0], ids[2]]),
        (filter(None, Some(2)), vec![ids[1], ids[2], ids[3]]),
        (filter(Some("a"), Some(2)), vec![ids[2]]),
        (filter(Some("c"), None), vec![]),
    ] {
        assert_eq!(listed(&store, &filter, 2).await, expected, "{filter:?}");
    }
    assert_eq!(all(&store, LEASE + 1).await, [ids[2]]);
    let page = Page {
        after: Some(ReservationId::new(ids[0])),
        limit: 2,
    };
    let page = store.reservations(&filter(None, None), page, at(2)).await;
    let page: Vec<u64> = page.unwrap().iter().map(|r| r.id.get()).collect();
    assert_eq!(page, ids[1..3]);

    let (a, c) = ("a".parse().unwrap(), "c".parse().unwrap());
    assert_eq!(store.release_held_by(&c, at(2)).await.unwrap(), 0);
    assert_eq!(store.release_held_by(&a, at(2)).await.unwrap(), 2);
    assert_eq!(all(&store, 2).await, [ids[1], ids[3]]);
    assert_eq!(shown(&store, 1, 2).await, [0, 0, 100]);
    assert_eq!(shown(&store, 2, 2).await, [0, 20, 80]);
}

fn bought_for_task_2(id: u64, selected: u64) -> ContractEvent {
    StackCreated {
        stack_id: object(id),
        stack_small_id: stack(id),
        owner: owner(),
        task_small_id: task(2),
        selected_node_id: node(selected),
        num_compute_units: units(100),
        price_per_one_million_compute_units: PricePerMillion::new(7),
    }
    .into()
}

/// Of an owner's stacks for a task or model, the fullest with enough units is taken.
pub async fn the_fullest_stack_with_enough_units_is_taken(store: impl Store) {
    // Stack 1 is of the operator's node 1, the others of a node of somebody else.
    let stacks = (1..=5).map(|id| bought_for_task_2(id, id.min(2))).collect();
    let nodes = vec![registered(1), task_registered(1), task_registered(2)];
    apply_events(&store, 1, [nodes, stacks].concat()).await;
    apply_events(&store, 1, vec![bought(99, 1, 1)]).await;
    let model = store.task(task(2)).await.unwrap().unwrap().model_name;
    let reserve = async |choice: StackChoice, used| {
        let wanted = NewReservation {
            stack: choice,
            ..reservation(0, used)
        };
        let made = store.reserve_units(&wanted, at(1)).await;
        made.map(|made| made.stack_small_id.get())
    };
    let by_task = || StackChoice::Task(task(2));
    let by_model = || StackChoice::Model(model.clone().unwrap());
    assert_eq!(reserve(by_task(), 1).await.unwrap(), 1);
    for nothing in [
        StackChoice::Task(task(9)),
        StackChoice::Model(String::from("none")),
    ] {
        assert!(matches!(
            reserve(nothing, 1).await,
            Err(ReserveError::NotFound)
        ));
    }

    let more = (11..=14).map(|id| bought_for_task_2(id, 1)).collect();
    apply_events(&store, 2, more).await;
    store.record_message(&message(11, 1, 30)).await.unwrap();
    store.record_message(&message(12, 1, 60)).await.unwrap();
    assert_eq!(reserve(by_task(), 40).await.unwrap(), 12);
    assert_eq!(reserve(by_model(), 40).await.unwrap(), 11);
    assert_eq!(reserve(by_model(), 99).await.unwrap(), 1);
    assert_eq!(reserve(by_task(), 30).await.unwrap(), 11);
    assert_eq!(reserve(by_task(), 100).await.unwrap(), 13);
    apply_events(&store, 3, vec![settled(14, 1, &[])]).await;
    let too_many = reserve(by_task(), 1).await;
    assert!(matches!(
        too_many,
        Err(ReserveError::Insufficient { free, .. }) if free == units(0)
    ));
    let closed = [1, 11, 12, 13].map(|id| settled(id, 1, &[]));
    apply_events(&store, 4, closed.to_vec()).await;
    assert!(matches!(
        reserve(by_task(), 1).await,
        Err(ReserveError::Locked { .. })
    ));
    let claimed = [1, 11, 12, 13, 14].map(|id| stack_claimed(id, 1));
    apply_events(&store, 5, claimed.to_vec()).await;
    assert!(matches!(
        reserve(by_task(), 1).await,
        Err(ReserveError::NotFound)
    ));
}

/// While a reservation is open, a repeated request gets it again.
pub async fn a_repeated_request_gets_its_reservation(store: impl Store) {
    apply_events(&store, 1, vec![bought(1, 1, 100)]).await;
    let keyed = |body| NewReservation {
        request: Some(RequestKey {
            scope: String::from("POST /reservations k"),
            body: hash(body),
        }),
        ..reservation(1, 60)
    };
    let first = store.reserve_units(&keyed(1), at(1)).await.unwrap();
    let again = store.reserve_units(&keyed(1), at(2)).await.unwrap();
    assert_eq!(again, first);
    let other = store.reserve_units(&keyed(2), at(2)).await;
    assert!(matches!(other, Err(ReserveError::OtherRequest)));
    store.release_reservation(first.id, at(3)).await.unwrap();
    let new = store.reserve_units(&keyed(2), at(4)).await.unwrap();
    assert!(new.id > first.id);
}

/// Sixteen services want parts of one stack at once: exactly as many win as fit.
pub async fn reservations_at_once_never_exceed_the_stack(store: impl Store) {
    for (round, part, size) in [(1, 7, 100), (2, 1, 16), (3, 100, 99), (4, 33, 99)] {
        apply_events(&store, round, vec![bought(round, 1, size)]).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            let wanted = reservation(round, part);
            tasks.spawn(async move {
                match store.reserve_units(&wanted, at(1)).await {
                    Ok(_) => 1_u64,
                    Err(ReserveError::Insufficient { .. }) => 0,
                    Err(other) => panic!("{other:?}"),
                }
            });
        }
        let won: u64 = tasks.join_all().await.into_iter().sum();
        let fitting = (size / part).min(16);
        assert_eq!(won, fitting);
        let [_, reserved, free] = shown(&store, round, 1).await;
        assert_eq!((reserved, free), (won * part, size - won * part));
    }
}
