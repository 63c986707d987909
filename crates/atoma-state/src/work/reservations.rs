//! The rows of reservations.

use atoma_domain::model::{Holder, Reservation};
use atoma_domain::ports::{Page, ReservationFilter, StoreError};
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId, StackSmallId, TimestampMs};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use crate::columns::{Cells, number, row_number};
use crate::error::statement_failed;

/// Starts a list; the filters follow, then the order.
macro_rules! listed {
    ($filter:literal) => {
        concat!(
            "SELECT * FROM reservations WHERE id > $1 AND expires_at > $2",
            $filter,
            " ORDER BY id LIMIT $3"
        )
    };
}

/// The reservations that are open at `now`, ascending. Skips those that can't be read, and fills the page
/// with others: they expire like all.
pub(super) async fn list(
    readers: &SqlitePool,
    filter: &ReservationFilter,
    page: Page<ReservationId>,
    now: TimestampMs,
) -> Result<Vec<Reservation>, StoreError> {
    let after = page.after.map_or(0, ReservationId::get);
    // No row has a number that SQLite never gives out.
    let mut after = row_number(after).unwrap_or(i64::MAX);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut listed = Vec::new();
    loop {
        let rows = rows_after(readers, filter, after, page.limit, now).await?;
        let is_last = rows.len() < limit;
        for row in &rows {
            after = row.try_get("id").map_err(statement_failed)?;
            if listed.len() < limit
                && let Ok(reservation) = read(row)
            {
                listed.push(reservation);
            }
        }
        if is_last || listed.len() >= limit {
            return Ok(listed);
        }
    }
}

/// The rows of at most `limit` open reservations above a row number, ascending.
async fn rows_after(
    readers: &SqlitePool,
    filter: &ReservationFilter,
    after: i64,
    limit: u32,
    now: TimestampMs,
) -> Result<Vec<SqliteRow>, StoreError> {
    let statement = match (&filter.holder, filter.stack) {
        (None, None) => listed!(""),
        (Some(_), None) => listed!(" AND holder = $4"),
        (None, Some(_)) => listed!(" AND stack_small_id = $4"),
        (Some(_), Some(_)) => listed!(" AND holder = $4 AND stack_small_id = $5"),
    };
    let mut query = sqlx::query(statement)
        .bind(after)
        .bind(number(now.get()))
        .bind(limit);
    if let Some(holder) = &filter.holder {
        query = query.bind(holder.as_str());
    }
    if let Some(stack) = filter.stack {
        query = query.bind(number(stack.get()));
    }
    query.fetch_all(readers).await.map_err(statement_failed)
}

/// The cells of a row of reservations.
pub(super) const fn cells(row: &SqliteRow) -> Cells<'_> {
    Cells::new(row, "reservations", "id")
}

/// The reservation in a row.
pub(super) fn read(row: &SqliteRow) -> Result<Reservation, StoreError> {
    let cells = cells(row);
    let holder = cells.optional_text("holder")?.map(str::parse::<Holder>);
    Ok(Reservation {
        id: ReservationId::new(cells.row_number("id")?),
        holder: holder
            .transpose()
            .map_err(|source| cells.corrupt("holder", source))?,
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        node_small_id: NodeSmallId::new(cells.number("node_small_id")?),
        num_compute_units: ComputeUnits::new(cells.number("num_compute_units")?),
        created_at: TimestampMs::new(cells.number("created_at")?),
        expires_at: TimestampMs::new(cells.number("expires_at")?),
    })
}
