//! Reservations against a model: whatever services do, and however many at once.

use std::collections::BTreeMap;

use atoma_domain::ReservationId;
use atoma_domain::model::{Lease, NewMessage, NewReservation, ReservationChange};
use atoma_domain::ports::{
    Page, ReservationError, ReservationFilter, ReserveError, ServedWork, StateReader,
};
use atoma_state::SqliteState;
use proptest::prelude::*;

use crate::suite::fixtures::*;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// One step of a service. Places choose among the reservations made so far.
#[derive(Clone, Debug)]
enum Step {
    Reserve {
        units: u64,
        lease: u64,
    },
    Change {
        place: usize,
        units: Option<u64>,
        lease: Option<u64>,
    },
    Release {
        place: usize,
    },
    Record {
        place: Option<usize>,
        units: u64,
    },
    Pass {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let units = 0..60_u64;
    let lease = 1..50_u64;
    prop_oneof![
        3 => (units.clone(), lease.clone())
            .prop_map(|(units, lease)| Step::Reserve { units, lease }),
        1 => (any::<usize>(), prop::option::of(units.clone()), prop::option::of(lease))
            .prop_map(|(place, units, lease)| Step::Change { place, units, lease }),
        1 => any::<usize>().prop_map(|place| Step::Release { place }),
        2 => (prop::option::of(any::<usize>()), units)
            .prop_map(|(place, units)| Step::Record { place, units }),
        1 => (0..40_u64).prop_map(|ms| Step::Pass { ms }),
    ]
}

/// What must be true of one stack.
#[derive(Debug, Default)]
struct Model {
    size: u64,
    computed: u64,
    messages: u64,
    /// Units and expiry.
    open: BTreeMap<ReservationId, (u64, u64)>,
    made: Vec<ReservationId>,
    now: u64,
}

impl Model {
    fn end_expired(&mut self) {
        let now = self.now;
        self.open.retain(|_, (_, expires_at)| *expires_at > now);
    }

    fn reserved(&self) -> u64 {
        self.open.values().map(|(units, _)| units).sum()
    }

    fn free(&self) -> u64 {
        self.size - self.computed - self.reserved()
    }

    fn at(&self, place: usize) -> ReservationId {
        match self.made.len() {
            0 => ReservationId::new(77),
            made => self.made[place % made],
        }
    }
}

async fn take(store: &SqliteState, model: &mut Model, step: Step) {
    model.end_expired();
    let now = at(model.now);
    match step {
        Step::Reserve { units: used, lease } => {
            let wanted = NewReservation {
                lease: Lease::from_ms(lease).unwrap(),
                ..reservation(1, used)
            };
            match store.reserve_units(&wanted, now).await {
                Ok(made) => {
                    assert!(used <= model.free());
                    model.open.insert(made.id, (used, model.now + lease));
                    model.made.push(made.id);
                }
                Err(ReserveError::Insufficient { free, .. }) => {
                    assert_eq!(free.get(), model.free());
                    assert!(used > model.free());
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        Step::Change {
            place,
            units: used,
            lease,
        } => {
            let id = model.at(place);
            let change = ReservationChange {
                num_compute_units: used.map(units),
                lease: lease.map(|ms| Lease::from_ms(ms).unwrap()),
            };
            let changed = store.change_reservation(id, change, now).await;
            match (changed, model.open.get(&id).copied()) {
                (Ok(after), Some((before, expires_at))) => {
                    let used = used.unwrap_or(before);
                    assert!(used <= model.free() + before);
                    let expires_at = match lease {
                        Some(lease) => model.now + lease,
                        None => expires_at.max(model.now + 900_000),
                    };
                    assert_eq!(after.expires_at, at(expires_at));
                    model.open.insert(id, (used, expires_at));
                }
                (Err(ReservationError::Insufficient { free, .. }), Some((before, _))) => {
                    assert_eq!(free.get(), model.free() + before);
                    assert!(used.unwrap() > free.get());
                }
                (Err(ReservationError::NotFound(_)), None) => {}
                (other, known) => panic!("{other:?} of {known:?}"),
            }
        }
        Step::Release { place } => {
            let id = model.at(place);
            let released = store.release_reservation(id, now).await;
            assert_eq!(released.is_ok(), model.open.remove(&id).is_some());
        }
        Step::Record { place, units: used } => {
            let id = place.map(|place| model.at(place));
            if let Some(id) = id {
                model.open.remove(&id);
            }
            model.messages += 1;
            let message = NewMessage {
                reservation: id,
                recorded_at: now,
                ..message(1, model.messages, used)
            };
            let covered = used.min(model.free());
            model.computed += covered;
            let recorded = store.record_message(&message).await.unwrap();
            assert_eq!(recorded.num_uncovered_units, units(used - covered));
            assert_eq!(recorded.already_computed_units, units(model.computed));
            assert_eq!(recorded.num_total_messages, model.messages);
        }
        Step::Pass { ms } => model.now += ms,
    }
}

/// The list and the stack show what the model has.
async fn check(store: &SqliteState, model: &mut Model) {
    model.end_expired();
    let now = at(model.now);
    let all = ReservationFilter::default();
    let listed = store.reservations(&all, Page::first(1000), now).await;
    let listed: BTreeMap<_, _> = listed
        .unwrap()
        .into_iter()
        .map(|open| {
            (
                open.id,
                (open.num_compute_units.get(), open.expires_at.get()),
            )
        })
        .collect();
    assert_eq!(listed, model.open);
    let shown = store.stacks_by_id(&[stack(1)]).await.unwrap().remove(0);
    assert_eq!(shown.already_computed_units, units(model.computed));
    assert_eq!(shown.reserved_units(now), units(model.reserved()));
    assert_eq!(shown.free_units(now), units(model.free()));
    assert_eq!(shown.num_total_messages, model.messages);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The units computed and reserved never exceed the stack, and every unit is accounted for.
    #[test]
    fn reservations_follow_the_model(
        size in 0..200_u64,
        steps in prop::collection::vec(step(), 1..40),
    ) {
        block_on(async {
            let store = SqliteState::open_temporary().await.unwrap();
            apply_events(&store, 1, vec![bought(1, 1, size)]).await;
            let mut model = Model { size, now: 1, ..Model::default() };
            for step in steps {
                take(&store, &mut model, step).await;
                check(&store, &mut model).await;
            }
        });
    }

    /// Services that want equal parts at once: exactly as many win as fit.
    #[test]
    fn equal_parts_at_once_win_as_often_as_they_fit(
        size in 0..500_u64,
        part in 1..100_u64,
        services in 1..24_u64,
    ) {
        let parts = vec![part; usize::try_from(services).unwrap()];
        let (won, _) = block_on(reserve_at_once(size, &parts));
        prop_assert_eq!(u64::try_from(won.len()).unwrap(), services.min(size / part));
    }

    /// Services that want different parts at once: together they never exceed the stack, and whoever lost
    /// would still not fit.
    #[test]
    fn different_parts_at_once_never_exceed_the_stack(
        size in 0..500_u64,
        parts in prop::collection::vec(0..200_u64, 1..24),
    ) {
        let (won, lost) = block_on(reserve_at_once(size, &parts));
        let taken: u64 = won.iter().sum();
        prop_assert!(taken <= size);
        prop_assert!(lost.iter().all(|part| *part > size - taken));
    }
}

/// The parts that were reserved, and those that were not, by services that all begin at once, each with
/// its own connection to the same file.
async fn reserve_at_once(size: u64, parts: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let open = async || SqliteState::open(&path, atoma_state::StateOptions::default()).await;
    let stores = [open().await.unwrap(), open().await.unwrap()];
    apply_events(&stores[0], 1, vec![bought(1, 1, size)]).await;
    let mut services = tokio::task::JoinSet::new();
    for (place, part) in parts.iter().copied().enumerate() {
        let store = stores[place % 2].clone();
        services.spawn(async move {
            match store.reserve_units(&reservation(1, part), at(1)).await {
                Ok(made) => {
                    assert_eq!(made.num_compute_units, units(part));
                    (part, true)
                }
                Err(ReserveError::Insufficient { .. }) => (part, false),
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) = services
        .join_all()
        .await
        .into_iter()
        .partition(|(_, won)| *won);
    let parts = |list: Vec<(u64, bool)>| list.into_iter().map(|(part, _)| part).collect();
    (parts(won), parts(lost))
}
