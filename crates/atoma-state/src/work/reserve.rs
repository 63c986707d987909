//! Choosing a stack and reserving units of it.

use atoma_domain::model::{NewReservation, Reservation};
use atoma_domain::ports::{ReserveError, StoreError};
use atoma_domain::{ComputeUnits, ReservationId, TimestampMs};

use super::loaded::Loaded;
use super::needs::Needs;
use super::operation::Operation;
use super::record::free_units;
use super::stack::ServedStack;

/// Reserves units, or returns the open reservation of the same request.
pub(super) struct Reserve {
    pub(super) wanted: NewReservation,
    pub(super) now: TimestampMs,
}

impl Operation for Reserve {
    type Answer = Reservation;
    type Error = ReserveError;

    fn now(&self) -> TimestampMs {
        self.now
    }

    fn needs(&self, needs: &mut Needs) {
        needs.choice(self.wanted.owner, &self.wanted.stack);
        if let Some(request) = &self.wanted.request {
            needs.reservation_key(&request.scope);
        }
    }

    fn run(&self, loaded: &mut Loaded) -> Result<Reservation, ReserveError> {
        let (wanted, now) = (&self.wanted, self.now);
        loaded.end_expired(now);
        let request = wanted.request.as_ref();
        if let Some(request) = request
            && let Some((open, is_same)) = loaded.reservations.of_request(request)?
        {
            return is_same.then_some(open).ok_or(ReserveError::OtherRequest);
        }
        let matching = loaded.matching(wanted.owner, &wanted.stack)?;
        let candidates: Result<Vec<_>, _> = matching
            .into_iter()
            .map(|stack| Candidate::new(loaded, stack))
            .collect();
        let stack = choose(candidates?, wanted.num_compute_units)?;
        let mut record = loaded.records.load(&stack, stack.selected_node)?;
        record.reserve(wanted.num_compute_units)?;
        let reservation = Reservation {
            id: ReservationId::new(0),
            holder: wanted.holder.clone(),
            stack_small_id: stack.id,
            node_small_id: stack.selected_node,
            num_compute_units: wanted.num_compute_units,
            created_at: now,
            expires_at: wanted.lease.end(now),
        };
        let reservation = loaded.reservations.insert(reservation, request)?;
        loaded.records.save_reserved(record);
        Ok(reservation)
    }
}

/// A stack that matches a choice.
struct Candidate {
    stack: ServedStack,
    is_open: bool,
    free: ComputeUnits,
}

impl Candidate {
    fn new(loaded: &Loaded, stack: ServedStack) -> Result<Self, StoreError> {
        let filled = loaded.records.filled(&stack, stack.selected_node)?;
        Ok(Self {
            is_open: !stack.is_claimed && !filled.is_draining && !stack.is_closed(filled.is_frozen),
            free: free_units(stack.size, filled.computed, filled.reserved),
            stack,
        })
    }
}

/// The fullest open stack that has enough free units.
fn choose(candidates: Vec<Candidate>, wanted: ComputeUnits) -> Result<ServedStack, ReserveError> {
    let first = candidates.first().ok_or(ReserveError::NotFound)?.stack.id;
    let open: Vec<_> = candidates.into_iter().filter(|c| c.is_open).collect();
    let most = open.iter().map(|candidate| candidate.free).max();
    let free = most.ok_or(ReserveError::Locked { stack: first })?;
    let enough = open
        .into_iter()
        .filter(|candidate| candidate.free >= wanted);
    let fullest = enough.min_by_key(|candidate| candidate.free);
    let fullest = fullest.ok_or(ReserveError::Insufficient { wanted, free })?;
    Ok(fullest.stack)
}
