//! The rows of reservations.

use atoma_domain::journal::RequestKey;
use atoma_domain::model::{Holder, Reservation};
use atoma_domain::ports::{Page, ReservationFilter, StoreError};
use atoma_domain::{ComputeUnits, NodeSmallId, ReservationId, StackSmallId, TimestampMs};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use crate::columns::{Cells, number, row_number};
use crate::error::statement_failed;

/// An open or expired reservation; `None` if it has ended.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<Option<Reservation>, StoreError> {
    let row = sqlx::query("SELECT * FROM reservations WHERE id = $1")
        .bind(row_number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
    row.as_ref().map(read).transpose()
}

/// The reservation made under that request's scope, with the hash of the request's body.
pub(super) async fn of_request(
    connection: &mut SqliteConnection,
    request: &RequestKey,
) -> Result<Option<(Reservation, bool)>, StoreError> {
    let row = sqlx::query("SELECT * FROM reservations WHERE request_scope = $1")
        .bind(&request.scope)
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
    row.map(|row| {
        let body = Cells::new(&row, TABLE, "id").optional_hash("request_body")?;
        Ok((read(&row)?, body == Some(request.body)))
    })
    .transpose()
}

/// Inserts a reservation and gives it its number.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    reservation: Reservation,
    request: Option<&RequestKey>,
) -> Result<Reservation, StoreError> {
    let row = sqlx::query(
        "INSERT INTO reservations (stack_small_id, node_small_id, num_compute_units, holder, \
         created_at, expires_at, request_scope, request_body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(number(reservation.stack_small_id.get()))
    .bind(number(reservation.node_small_id.get()))
    .bind(number(reservation.num_compute_units.get()))
    .bind(reservation.holder.as_ref().map(Holder::as_str))
    .bind(number(reservation.created_at.get()))
    .bind(number(reservation.expires_at.get()))
    .bind(request.map(|request| request.scope.as_str()))
    .bind(request.map(|request| request.body.as_bytes().to_vec()))
    .fetch_one(connection)
    .await
    .map_err(statement_failed)?;
    let id = Cells::new(&row, TABLE, "id").row_number("id")?;
    Ok(Reservation {
        id: ReservationId::new(id),
        ..reservation
    })
}

/// Saves units and expiry.
pub(super) async fn update(
    connection: &mut SqliteConnection,
    reservation: &Reservation,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE reservations SET num_compute_units = $1, expires_at = $2 WHERE id = $3")
        .bind(number(reservation.num_compute_units.get()))
        .bind(number(reservation.expires_at.get()))
        .bind(row_number(reservation.id.get()))
        .execute(connection)
        .await
        .map_err(statement_failed)?;
    Ok(())
}

/// Which record counts a reservation: the stored bytes, which need not be valid ids.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    pub(super) stack: Vec<u8>,
    pub(super) node: Vec<u8>,
}

impl RecordKey {
    /// Reads the columns `id`, `stack_small_id` and `node_small_id` of a reservation.
    pub(super) fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let cells = Cells::new(row, TABLE, "id");
        Ok(Self {
            stack: cells.bytes("stack_small_id")?,
            node: cells.bytes("node_small_id")?,
        })
    }
}

/// The sum of a record's reservations. One whose units can't be read counts as none.
pub(super) async fn reserved_units(
    connection: &mut SqliteConnection,
    record: &RecordKey,
) -> Result<ComputeUnits, StoreError> {
    let rows = sqlx::query(
        "SELECT id, num_compute_units FROM reservations \
         WHERE stack_small_id = $1 AND node_small_id = $2",
    )
    .bind(&record.stack)
    .bind(&record.node)
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    let units = rows.iter().filter_map(|row| {
        let cells = Cells::new(row, TABLE, "id");
        cells.number("num_compute_units").ok()
    });
    // Together they fit into a stack.
    Ok(ComputeUnits::new(units.fold(0, u64::saturating_add)))
}

/// Ends a reservation of a stack; returns the units that stay reserved in its record. `None` if it has
/// ended before, or belongs to another stack.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    id: ReservationId,
    stack: StackSmallId,
) -> Result<Option<ComputeUnits>, StoreError> {
    let ended = sqlx::query(
        "DELETE FROM reservations WHERE id = $1 AND stack_small_id = $2 \
         RETURNING id, stack_small_id, node_small_id",
    )
    .bind(row_number(id.get()))
    .bind(number(stack.get()))
    .fetch_optional(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let Some(ended) = ended else {
        return Ok(None);
    };
    let record = RecordKey::read(&ended)?;
    reserved_units(connection, &record).await.map(Some)
}

/// What is left of a reservation.
pub(super) enum Trace {
    /// It is there.
    Present,
    /// It has ended.
    Ended,
    /// Its number was never given out.
    None,
}

/// Looks for a reservation, also one that has ended.
pub(super) async fn trace(
    connection: &mut SqliteConnection,
    id: ReservationId,
) -> Result<Trace, StoreError> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM reservations WHERE id = $1) AS is_present, \
         EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'reservations' AND seq >= $1) \
         AND $1 > 0 AS was_given",
    )
    // SQLite never gives out its largest row number.
    .bind(row_number(id.get()).unwrap_or(i64::MAX))
    .fetch_one(connection)
    .await
    .map_err(statement_failed)?;
    let cells = Cells::new(&row, TABLE, "is_present");
    Ok(
        match (cells.flag("is_present")?, cells.flag("was_given")?) {
            (true, _) => Trace::Present,
            (false, true) => Trace::Ended,
            (false, false) => Trace::None,
        },
    )
}

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

const TABLE: &str = "reservations";

pub(super) fn read(row: &SqliteRow) -> Result<Reservation, StoreError> {
    let cells = Cells::new(row, TABLE, "id");
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
