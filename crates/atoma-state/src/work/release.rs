//! Ending reservations.

use std::collections::BTreeSet;

use atoma_domain::model::{Holder, Lease};
use atoma_domain::ports::{ReservationError, StoreError};
use atoma_domain::{ReservationId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::reservations::{self, RecordKey};
use crate::batch::Batch;
use crate::columns::{number, row_number};
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
        .statement(
            "DELETE FROM reservations WHERE expires_at <= $1 \
             RETURNING id, stack_small_id, node_small_id",
        )
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
    let ended = sqlx::query(
        "DELETE FROM reservations WHERE id = $1 RETURNING id, stack_small_id, node_small_id",
    )
    .bind(row_number(id.get()))
    .fetch_all(&mut *connection)
    .await
    .map_err(statement_failed)?;
    if ended.is_empty() {
        return Err(ReservationError::NotFound(id));
    }
    Ok(give_back(connection, &ended).await?)
}

/// Ends the reservations of a holder, and returns how many were open.
pub(super) async fn release_held_by(
    connection: &mut SqliteConnection,
    holder: &Holder,
    now: TimestampMs,
) -> Result<u64, StoreError> {
    end_expired(connection, now).await?;
    let rows = sqlx::query(
        "DELETE FROM reservations WHERE holder = $1 RETURNING id, stack_small_id, node_small_id",
    )
    .bind(holder.as_str())
    .fetch_all(&mut *connection)
    .await
    .map_err(statement_failed)?;
    give_back(connection, &rows).await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// Corrects the reserved units in the records of ended reservations: the sum of those that are left. It
/// reads nothing else of either, because a damaged row must not fail the writes of all other stacks.
async fn give_back(
    connection: &mut SqliteConnection,
    ended: &[SqliteRow],
) -> Result<(), StoreError> {
    let records: Result<BTreeSet<_>, _> = ended.iter().map(RecordKey::read).collect();
    for record in records? {
        let reserved = reservations::reserved_units(connection, &record).await?;
        sqlx::query(
            "UPDATE work_records SET reserved_units = $1 \
             WHERE stack_small_id = $2 AND node_small_id = $3",
        )
        .bind(number(reserved.get()))
        .bind(record.stack)
        .bind(record.node)
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    }
    Ok(())
}
