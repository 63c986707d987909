//! Renewing and correcting a reservation.

use atoma_domain::model::{Lease, Reservation, ReservationChange};
use atoma_domain::ports::{ReservationError, StoreError};
use atoma_domain::{ReservationId, TimestampMs};
use sqlx::SqliteConnection;

use super::record::StoredRecord;
use super::stack::ServedStack;
use super::{release, reservations};

/// Changes an open reservation.
pub(super) async fn change(
    connection: &mut SqliteConnection,
    id: ReservationId,
    change: ReservationChange,
    now: TimestampMs,
) -> Result<Reservation, ReservationError> {
    release::end_expired(connection, now).await?;
    let before = reservations::load(connection, id).await?;
    let before = before.ok_or(ReservationError::NotFound(id))?;
    let expires_at = match change.lease {
        Some(lease) => lease.end(now),
        None => before.expires_at.max(Lease::default().end(now)),
    };
    let after = Reservation {
        num_compute_units: change.num_compute_units.unwrap_or(before.num_compute_units),
        expires_at,
        ..before.clone()
    };
    if after.num_compute_units != before.num_compute_units {
        correct(connection, &before, &after).await?;
    }
    reservations::update(connection, &after).await?;
    Ok(after)
}

/// Exchanges the units in the record.
async fn correct(
    connection: &mut SqliteConnection,
    before: &Reservation,
    after: &Reservation,
) -> Result<(), ReservationError> {
    let id = before.stack_small_id;
    let stack = ServedStack::load(connection, id).await?;
    let stack = stack.ok_or_else(|| StoreError::Missing {
        what: format!("stack {id} of reservation {}", before.id),
    })?;
    let mut record = StoredRecord::load(connection, &stack, before.node_small_id).await?;
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
    Ok(record.save_reserved(connection).await?)
}
