//! What recording must know of a stack, and the units set aside of it.

use atoma_domain::journal::Failure;
use atoma_domain::model::ReservationId;
use atoma_domain::ports::{StoreError, WorkError};
use atoma_domain::{Address, ComputeUnits, NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;

use super::record::Record;
use crate::columns::{Cells, number, row_number};
use crate::store::unavailable;

/// What recording must know of a stack.
pub(super) struct KnownStack {
    pub(super) id: StackSmallId,
    pub(super) owner: Address,
    pub(super) selected_node: NodeSmallId,
    pub(super) size: ComputeUnits,
    pub(super) is_claimed: bool,
    pub(super) is_settled: bool,
}

impl KnownStack {
    /// Refuses what would enter the selected node's record after it was closed.
    pub(super) fn check_open(&self, record: &Record) -> Result<(), WorkError> {
        let stack_small_id = self.id;
        if self.is_claimed {
            return Err(WorkError::Refused(Failure::AlreadyClaimed {
                stack_small_id,
            }));
        }
        if self.is_settled || record.is_frozen {
            return Err(WorkError::Refused(Failure::AlreadySettling {
                stack_small_id,
            }));
        }
        Ok(())
    }
}

pub(super) async fn known_stack(
    connection: &mut SqliteConnection,
    id: StackSmallId,
) -> Result<KnownStack, WorkError> {
    let row = sqlx::query(
        "SELECT stack_small_id, owner_address, selected_node_id, num_compute_units, is_claimed, \
         EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
         AS is_settled FROM stacks s WHERE stack_small_id = ?",
    )
    .bind(number(id.get()))
    .fetch_optional(connection)
    .await
    .map_err(unavailable)?;
    let row = row.ok_or_else(|| unknown_stack(id))?;
    let cells = Cells::new(&row, "stacks", "stack_small_id");
    Ok(KnownStack {
        id,
        owner: cells.object_id("owner_address")?,
        selected_node: NodeSmallId::new(cells.number("selected_node_id")?),
        size: ComputeUnits::new(cells.number("num_compute_units")?),
        is_claimed: cells.flag("is_claimed")?,
        is_settled: cells.flag("is_settled")?,
    })
}

pub(super) fn unknown_stack(stack_small_id: StackSmallId) -> WorkError {
    WorkError::Refused(Failure::UnknownStack { stack_small_id })
}

/// An open reservation.
pub(super) struct Held {
    pub(super) stack: StackSmallId,
    pub(super) units: ComputeUnits,
}

pub(super) async fn open_reservation(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<Held, WorkError> {
    let row = sqlx::query("SELECT * FROM reservations WHERE id = ?")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    let row = row.ok_or(WorkError::UnknownReservation(id))?;
    let cells = Cells::new(&row, "reservations", "id");
    Ok(Held {
        stack: StackSmallId::new(cells.number("stack_small_id")?),
        units: ComputeUnits::new(cells.number("num_compute_units")?),
    })
}

pub(super) async fn remove_reservation(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM reservations WHERE id = ?")
        .bind(row_number(id.get()))
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}
