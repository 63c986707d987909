//! Ending reservations.

use std::collections::BTreeMap;

use atoma_domain::model::{Holder, Lease, Reservation};
use atoma_domain::ports::{ReservationError, StoreError};
use atoma_domain::{ReservationId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::record::StoredRecord;
use super::reservations;
use crate::batch::Batch;
use crate::columns::number;
use crate::error::statement_failed;

/// Until when a lease can run at most. One that runs longer was made while the clock was ahead.
pub(crate) const LATEST_EXPIRY: Lease = Lease::LONGEST;

/// Ends the reservations whose lease has expired, and gives their units back. Every write that an
/// expired reservation could block calls this first, so that nothing depends on a timer. Shortens a
/// lease to [`LATEST_EXPIRY`] if it runs longer.
pub(crate) async fn end_expired(
    connection: &mut SqliteConnection,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let latest = number(LATEST_EXPIRY.end(now).get());
    let mut writes = Batch::new();
    writes
        .statement("UPDATE reservations SET expires_at = $1 WHERE expires_at > $1")
        .bind(latest);
    writes
        .statement("DELETE FROM reservations WHERE expires_at <= $1 RETURNING *")
        .bind(number(now.get()));
    let mut rows = writes.query(connection).await?;
    // The first statement returns no rows.
    rows.next();
    give_back(connection, &rows.next()).await
}

/// Ends a reservation.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    id: ReservationId,
    now: TimestampMs,
) -> Result<(), ReservationError> {
    end_expired(connection, now).await?;
    let open = reservations::load(connection, id).await?;
    let open = open.ok_or(ReservationError::NotFound(id))?;
    reservations::delete(connection, id).await?;
    let (stack, node) = (open.stack_small_id, open.node_small_id);
    let mut record = StoredRecord::load(connection, stack, node).await?;
    record.release(open.num_compute_units)?;
    Ok(record.save_reserved(connection).await?)
}

/// Ends the reservations of a holder, and returns how many were open.
pub(super) async fn release_held_by(
    connection: &mut SqliteConnection,
    holder: &Holder,
    now: TimestampMs,
) -> Result<u64, StoreError> {
    end_expired(connection, now).await?;
    let rows = sqlx::query("DELETE FROM reservations WHERE holder = $1 RETURNING *")
        .bind(holder.as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(statement_failed)?;
    give_back(connection, &rows).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Takes the units of ended reservations from those reserved in their records.
async fn give_back(
    connection: &mut SqliteConnection,
    ended: &[SqliteRow],
) -> Result<(), StoreError> {
    let mut by_record: BTreeMap<_, Vec<Reservation>> = BTreeMap::new();
    for row in ended {
        let ended = reservations::read(row)?;
        let record = (ended.stack_small_id, ended.node_small_id);
        by_record.entry(record).or_default().push(ended);
    }
    for ((stack, node), ended) in by_record {
        let mut record = StoredRecord::load(connection, stack, node).await?;
        for reservation in ended {
            record.release(reservation.num_compute_units)?;
        }
        record.save_reserved(connection).await?;
    }
    Ok(())
}
