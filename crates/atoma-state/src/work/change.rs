//! Renewing and correcting a reservation.

use atoma_domain::model::{Lease, Reservation, ReservationChange};
use atoma_domain::ports::{ReservationError, StoreError};
use atoma_domain::{ReservationId, TimestampMs};

use super::loaded::Loaded;
use super::needs::Needs;
use super::operation::Operation;
use super::record::StoredRecord;
use crate::columns::row_number;

/// Changes an open reservation.
pub(super) struct Change {
    pub(super) id: ReservationId,
    pub(super) change: ReservationChange,
    pub(super) now: TimestampMs,
}

impl Operation for Change {
    type Answer = Reservation;
    type Error = ReservationError;

    fn now(&self) -> TimestampMs {
        self.now
    }

    fn needs(&self, needs: &mut Needs) {
        needs.reservation(self.id).stack_of(self.id);
    }

    fn run(&self, loaded: &mut Loaded) -> Result<Reservation, ReservationError> {
        loaded.end_expired(self.now);
        let not_found = ReservationError::NotFound(self.id);
        let Some(id) = row_number(self.id.get()) else {
            return Err(not_found);
        };
        let before = loaded.reservations.get(id)?.ok_or(not_found)?;
        let expires_at = match self.change.lease {
            Some(lease) => lease.end(self.now),
            None => before.expires_at.max(Lease::default().end(self.now)),
        };
        let units = self.change.num_compute_units;
        let after = Reservation {
            num_compute_units: units.unwrap_or(before.num_compute_units),
            expires_at,
            ..before.clone()
        };
        if after.num_compute_units != before.num_compute_units {
            let record = corrected(loaded, &before, &after)?;
            loaded.records.save_reserved(record);
        }
        loaded.reservations.update(id, &after);
        Ok(after)
    }
}

/// The record with the units exchanged.
fn corrected(
    loaded: &Loaded,
    before: &Reservation,
    after: &Reservation,
) -> Result<StoredRecord, ReservationError> {
    let id = before.stack_small_id;
    let stack = loaded.stack(id)?.ok_or_else(|| StoreError::Missing {
        what: format!("stack {id} of reservation {}", before.id),
    })?;
    let mut record = loaded.records.load(&stack, before.node_small_id)?;
    record.release(before.num_compute_units)?;
    let (wanted, free) = (after.num_compute_units, record.free_units(stack.size));
    if wanted > free {
        return Err(ReservationError::Insufficient {
            stack: id,
            wanted,
            free,
        });
    }
    record.reserve(wanted)?;
    Ok(record)
}
