//! Units set aside for requests in progress.

use atoma_domain::model::ReservationId;
use atoma_domain::ports::{StoreError, WorkError};
use atoma_domain::{ComputeUnits, StackSmallId};
use sqlx::SqliteConnection;

use crate::columns::{Cells, number, row_number};
use crate::error::unavailable;

/// A reservation that is neither consumed nor released.
pub(super) struct OpenReservation {
    pub(super) stack: StackSmallId,
    pub(super) units: ComputeUnits,
}

/// Loads an open reservation.
///
/// # Errors
/// [`WorkError::UnknownReservation`] when there is none of that number.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<OpenReservation, WorkError> {
    let row = sqlx::query("SELECT * FROM reservations WHERE id = $1")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    let row = row.ok_or(WorkError::UnknownReservation(id))?;
    let cells = Cells::new(&row, "reservations", "id");
    Ok(OpenReservation {
        stack: StackSmallId::new(cells.number("stack_small_id")?),
        units: ComputeUnits::new(cells.number("num_compute_units")?),
    })
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    stack: StackSmallId,
    units: ComputeUnits,
) -> Result<ReservationId, StoreError> {
    let row = sqlx::query(
        "INSERT INTO reservations (stack_small_id, num_compute_units) VALUES ($1, $2) \
         RETURNING id",
    )
    .bind(number(stack.get()))
    .bind(number(units.get()))
    .fetch_one(connection)
    .await
    .map_err(unavailable)?;
    let id = Cells::new(&row, "reservations", "id").row_number("id")?;
    Ok(ReservationId::new(id))
}

pub(super) async fn update(
    connection: &mut SqliteConnection,
    id: ReservationId,
    units: ComputeUnits,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE reservations SET num_compute_units = $1 WHERE id = $2")
        .bind(number(units.get()))
        .bind(row_number(id.get()))
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM reservations WHERE id = $1")
        .bind(row_number(id.get()))
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}
