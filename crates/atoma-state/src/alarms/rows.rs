//! Rows of alarms.

use std::time::Duration;

use atoma_domain::alarms::{Alarm, AlarmKey, AlarmKind, AlarmState};
use atoma_domain::ports::{Page, StoreError};
use atoma_domain::{AlarmId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number, optional_number, row_number};
use crate::error::{out_of_range, statement_failed};

/// A selection of alarms.
macro_rules! alarms {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, subject, state, summary, deadline, since, acknowledged_at, absent_since, \
             resolved_at, told_at FROM alarms ",
            $rest
        )
    };
}

/// The open alarms, and those that were told of within this time or, as the clock was set back, after now.
pub(super) async fn watched(
    connection: &mut SqliteConnection,
    spacing: Duration,
    now: TimestampMs,
) -> Result<Vec<Alarm>, StoreError> {
    let spacing = u64::try_from(spacing.as_millis()).unwrap_or(u64::MAX);
    let rows = sqlx::query(alarms!(
        "WHERE state <> 'resolved' UNION SELECT id, kind, subject, state, summary, deadline, since, \
         acknowledged_at, absent_since, resolved_at, told_at FROM alarms WHERE told_at > $1"
    ))
    .bind(number(now.get().saturating_sub(spacing)))
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    read_known(&rows)
}

/// The number of the next alarm. The newest alarm is never deleted, so its number is not given out again.
pub(super) async fn next_id(connection: &mut SqliteConnection) -> Result<AlarmId, StoreError> {
    let row = sqlx::query("SELECT coalesce(max(id), 0) + 1 AS id FROM alarms")
        .fetch_one(connection)
        .await
        .map_err(statement_failed)?;
    Cells::new(&row, "alarms", "id")
        .row_number("id")
        .map(AlarmId::new)
}

/// One alarm.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    id: AlarmId,
) -> Result<Option<Alarm>, StoreError> {
    let Some(id) = row_number(id.get()) else {
        return Ok(None);
    };
    let row = sqlx::query(alarms!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
    let alarm = row.as_ref().map(read).transpose()?;
    Ok(alarm.flatten())
}

/// A page of alarms, newest first.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    state: Option<AlarmState>,
    page: Page<AlarmId>,
) -> Result<Vec<Alarm>, StoreError> {
    let before = page.after.and_then(|id| row_number(id.get()));
    let before = before.unwrap_or(i64::MAX);
    let query = match state {
        Some(state) => sqlx::query(alarms!(
            "WHERE id < $1 AND state = $3 ORDER BY id DESC LIMIT $2"
        ))
        .bind(before)
        .bind(page.limit)
        .bind(state.name()),
        None => sqlx::query(alarms!("WHERE id < $1 ORDER BY id DESC LIMIT $2"))
            .bind(before)
            .bind(page.limit),
    };
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    read_known(&rows)
}

/// Inserts an alarm, or replaces the one with its number.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    alarm: &Alarm,
) -> Result<(), StoreError> {
    let time = |at: Option<TimestampMs>| optional_number(at.map(TimestampMs::get));
    sqlx::query(
        "INSERT INTO alarms (id, kind, subject, state, summary, deadline, since, acknowledged_at, \
         absent_since, resolved_at, told_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, summary = excluded.summary, \
         deadline = excluded.deadline, acknowledged_at = excluded.acknowledged_at, \
         absent_since = excluded.absent_since, resolved_at = excluded.resolved_at, \
         told_at = excluded.told_at",
    )
    .bind(row_number(alarm.id.get()).ok_or_else(|| out_of_range("the number of an alarm"))?)
    .bind(alarm.key.kind.code())
    .bind(alarm.key.subject.to_string())
    .bind(alarm.state.name())
    .bind(&alarm.summary)
    .bind(time(alarm.deadline))
    .bind(number(alarm.since.get()))
    .bind(time(alarm.acknowledged_at))
    .bind(time(alarm.absent_since))
    .bind(time(alarm.resolved_at))
    .bind(time(alarm.told_at))
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}

/// Deletes resolved alarms but for the newest. The newest alarm of all stays in any case.
pub(super) async fn forget_old(
    connection: &mut SqliteConnection,
    most: u32,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM alarms WHERE state = 'resolved' AND id <= \
         (SELECT id FROM alarms WHERE state = 'resolved' ORDER BY id DESC LIMIT 1 OFFSET $1)",
    )
    .bind(most)
    .execute(connection)
    .await
    .map_err(statement_failed)?;
    Ok(())
}

/// The alarms of kinds that this version knows: an alarm of another version's is nothing that could be observed.
fn read_known(rows: &[SqliteRow]) -> Result<Vec<Alarm>, StoreError> {
    let alarms = rows.iter().map(|row| read(row).transpose());
    alarms.flatten().collect()
}

/// The alarm of a row; `None` if its kind is another version's.
fn read(row: &SqliteRow) -> Result<Option<Alarm>, StoreError> {
    let cells = Cells::new(row, "alarms", "id");
    let Some(kind) = AlarmKind::from_code(cells.text("kind")?) else {
        return Ok(None);
    };
    let time = |column| {
        let time = cells.optional_number(column)?;
        Ok::<_, StoreError>(time.map(TimestampMs::new))
    };
    let state = cells.text("state")?;
    let unknown = || cells.corrupt("state", format!("`{state}` is no state of an alarm"));
    Ok(Some(Alarm {
        id: AlarmId::new(cells.row_number("id")?),
        key: AlarmKey {
            kind,
            subject: cells
                .text("subject")?
                .parse()
                .map_err(|problem: String| cells.corrupt("subject", problem))?,
        },
        state: AlarmState::from_name(state).ok_or_else(unknown)?,
        summary: cells.text("summary")?.to_owned(),
        deadline: time("deadline")?,
        since: TimestampMs::new(cells.number("since")?),
        acknowledged_at: time("acknowledged_at")?,
        absent_since: time("absent_since")?,
        resolved_at: time("resolved_at")?,
        told_at: time("told_at")?,
    }))
}
