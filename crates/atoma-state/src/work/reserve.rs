//! Choosing a stack and reserving units of it.

use atoma_domain::model::{NewReservation, Reservation, StackChoice};
use atoma_domain::ports::{ReserveError, StoreError};
use atoma_domain::{Address, ComputeUnits, ReservationId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::record::{StoredRecord, free_units};
use super::stack::{ServedStack, served_stacks};
use super::{release, reservations};
use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// Reserves units under the write lock, or returns the open reservation of the same request.
pub(super) async fn reserve(
    connection: &mut SqliteConnection,
    wanted: &NewReservation,
    now: TimestampMs,
) -> Result<Reservation, ReserveError> {
    release::end_expired(connection, now).await?;
    if let Some(request) = &wanted.request
        && let Some((open, is_same)) = reservations::of_request(connection, request).await?
    {
        return is_same.then_some(open).ok_or(ReserveError::OtherRequest);
    }
    let candidates = matching(connection, wanted.owner, &wanted.stack).await?;
    let stack = choose(candidates, wanted.num_compute_units)?;
    let mut record = StoredRecord::load(connection, &stack, stack.selected_node).await?;
    record.reserve(wanted.num_compute_units)?;
    record.save_reserved(connection).await?;
    let reservation = Reservation {
        id: ReservationId::new(0),
        holder: wanted.holder.clone(),
        stack_small_id: stack.id,
        node_small_id: stack.selected_node,
        num_compute_units: wanted.num_compute_units,
        created_at: now,
        expires_at: wanted.lease.end(now),
    };
    let request = wanted.request.as_ref();
    Ok(reservations::insert(connection, reservation, request).await?)
}

/// Selects an owner's stacks, with the units in the selected node's record.
macro_rules! stacks_of_owner {
    ($($condition:expr),+) => {
        concat!(
            "SELECT ",
            served_stacks!(),
            ", w.computed_units, w.reserved_units, coalesce(w.is_frozen, 0) AS is_frozen \
             FROM stacks s LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             WHERE s.owner_address = $1 AND ",
            $($condition,)+
            " ORDER BY s.stack_small_id"
        )
    };
}

/// The condition that one of the operator's nodes can still serve the stack `s`.
macro_rules! served_here {
    () => {
        "s.is_claimed = 0 AND s.selected_node_id IN (SELECT n.node_small_id FROM operator_nodes n \
         WHERE n.address = (SELECT operator FROM ledger)) AND s.task_small_id "
    };
}

/// The owner's stacks that match a choice, ascending.
async fn matching(
    connection: &mut SqliteConnection,
    owner: Address,
    choice: &StackChoice,
) -> Result<Vec<Candidate>, StoreError> {
    let owner = owner.as_bytes().to_vec();
    let query = match choice {
        StackChoice::Stack(id) => sqlx::query(stacks_of_owner!("s.stack_small_id = $2"))
            .bind(owner)
            .bind(number(id.get())),
        StackChoice::Task(id) => sqlx::query(stacks_of_owner!(served_here!(), "= $2"))
            .bind(owner)
            .bind(number(id.get())),
        StackChoice::Model(name) => sqlx::query(stacks_of_owner!(
            served_here!(),
            "IN (SELECT k.task_small_id FROM tasks k WHERE k.model_name = $2)"
        ))
        .bind(owner)
        .bind(name),
    };
    let rows = query.fetch_all(connection).await;
    let rows = rows.map_err(statement_failed)?;
    rows.iter().map(Candidate::read).collect()
}

/// A stack that matches a choice.
struct Candidate {
    stack: ServedStack,
    is_open: bool,
    free: ComputeUnits,
}

impl Candidate {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let stack = ServedStack::read(row)?;
        let cells = Cells::new(row, "stacks", "stack_small_id");
        let units = |column| {
            let units = cells.optional_number(column)?;
            Ok::<_, StoreError>(ComputeUnits::new(units.unwrap_or(0)))
        };
        let (computed, reserved) = (units("computed_units")?, units("reserved_units")?);
        Ok(Self {
            is_open: !stack.is_claimed && !stack.is_closed(cells.flag("is_frozen")?),
            free: free_units(stack.size, computed, reserved),
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
