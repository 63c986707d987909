//! An inference service that uses a daemon's use cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::{Failure, RequestKey};
use atoma_domain::model::{Lease, Reservation, ReservationChange, StackChoice};
use atoma_domain::ports::{Clock, Page, ReservationFilter};
use atoma_domain::{ComputeUnits, Digest, Hash32, StackSmallId, TimestampMs};
use atoma_operator::{Ports, ServedMessage, WantedUnits};

use super::fail_points::FailPoints;
use super::generation::{Generation, Site};
use super::world::World;

/// The units of every reservation and message.
pub(crate) const UNITS: ComputeUnits = ComputeUnits::new(400);

/// A clock that the test sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetClock(pub(crate) Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(self.0.load(Ordering::Relaxed))
    }
}

/// A daemon on this clock, which serves what the one before it mirrored.
pub(crate) fn begin(world: &World, site: &Site, clock: &SetClock) -> Generation {
    let points = FailPoints::new(&world.network);
    let daemon = Generation::start_behind(site, points, |ports| Ports {
        clock: Arc::new(clock.clone()),
        ..ports.clone()
    });
    daemon.run(daemon.adopt_earlier_mirror());
    daemon
}

pub(crate) fn key(path: &str, stack: StackSmallId) -> RequestKey {
    RequestKey {
        scope: format!("POST {path} {stack}"),
        body: Hash32::of(&[&stack.get().to_le_bytes()]),
    }
}

pub(crate) async fn reserve_from(
    daemon: &Generation,
    stack: StackSmallId,
    purchase: Option<Digest>,
) -> Result<Reservation, Failure> {
    let operator = daemon.operator.with_key(key("/reservations", stack));
    let wanted = WantedUnits {
        owner: daemon.points.network().buyer(),
        stack: StackChoice::Stack(stack),
        num_compute_units: UNITS,
        holder: Some(format!("for-{stack}").parse().unwrap()),
        lease: Lease::default(),
        purchase,
    };
    operator.reserve(wanted).await
}

pub(crate) async fn reserve(daemon: &Generation, stack: StackSmallId) -> Result<(), Failure> {
    reserve_from(daemon, stack, None).await.map(drop)
}

/// The open reservations of a stack.
pub(crate) async fn open(daemon: &Generation, stack: StackSmallId) -> Vec<Reservation> {
    let filter = ReservationFilter {
        stack: Some(stack),
        ..ReservationFilter::default()
    };
    let open = daemon.operator.reservations(&filter, Page::first(9)).await;
    open.unwrap()
}

pub(crate) async fn served(daemon: &Generation, stack: StackSmallId) -> ServedMessage {
    ServedMessage {
        stack_small_id: stack,
        node_small_id: None,
        message_hash: Hash32::of(&[&stack.get().to_le_bytes()]),
        num_compute_units: UNITS,
        reservation: open(daemon, stack).await.first().map(|open| open.id),
        id: None,
    }
}

pub(crate) async fn record_by_id(daemon: &Generation, stack: StackSmallId) -> Result<(), Failure> {
    let served = ServedMessage {
        id: Some("m-1".parse().unwrap()),
        ..served(daemon, stack).await
    };
    daemon.operator.record_message(served).await.map(drop)
}

pub(crate) async fn record_by_key(daemon: &Generation, stack: StackSmallId) -> Result<(), Failure> {
    let operator = daemon.operator.with_key(key("/stack_messages", stack));
    let served = served(daemon, stack).await;
    operator.record_message(served).await.map(drop)
}

pub(crate) async fn renew(daemon: &Generation, stack: StackSmallId) -> Result<(), Failure> {
    let id = open(daemon, stack).await[0].id;
    let change = ReservationChange {
        num_compute_units: Some(ComputeUnits::new(100)),
        lease: Some(Lease::LONGEST),
    };
    let changed = daemon.operator.change_reservation(id, change).await;
    changed.map(drop)
}

pub(crate) async fn release(daemon: &Generation, stack: StackSmallId) -> Result<(), Failure> {
    match open(daemon, stack).await.first() {
        Some(open) => daemon.operator.release_reservation(open.id).await,
        // It was released before the crash.
        None => Ok(()),
    }
}

pub(crate) async fn release_by_holder(
    daemon: &Generation,
    stack: StackSmallId,
) -> Result<(), Failure> {
    let holder = format!("for-{stack}").parse().unwrap();
    daemon.operator.release_held_by(&holder).await.map(drop)
}

/// Computed and reserved units, and the number of messages.
pub(crate) async fn state(daemon: &Generation, stack: StackSmallId) -> [u64; 3] {
    let found = daemon.ports.state.stacks_by_id(&[stack]).await.unwrap();
    let [stack] = found.as_slice() else {
        panic!("{found:?}");
    };
    [
        stack.already_computed_units.get(),
        stack.reserved_units(TimestampMs::new(0)).get(),
        stack.num_total_messages,
    ]
}

/// The digest of the transaction that bought a stack.
pub(crate) async fn purchase_of(daemon: &Generation, stack: StackSmallId) -> Digest {
    let mut stream = daemon.ports.source.follow(None).await.unwrap();
    loop {
        let steps = stream.next_steps(100).await.unwrap();
        let transactions = steps.into_iter().filter_map(|step| step.transaction);
        for transaction in transactions {
            let bought = transaction.events.iter().any(|event| {
                matches!(event, ContractEvent::StackCreated(bought) if bought.stack_small_id == stack)
            });
            if bought {
                return transaction.digest;
            }
        }
    }
}
