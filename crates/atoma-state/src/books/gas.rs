//! The gas of the journal's attempts, divided among their intents.

use atoma_domain::books::{GasLine, divide_gas};
use atoma_domain::ports::{Page, Period, StoreError};
use atoma_domain::{Epoch, Mist, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number, row_number};
use crate::error::statement_failed;

/// The parts of attempts. `$attempts` selects the numbers of the attempts.
macro_rules! parts {
    ($attempts:literal) => {
        concat!(
            "SELECT a.id, a.digest, a.concluded_at, a.gas_used, a.gas_returned, b.epoch, i.node_small_id, \
             i.stack_small_id, s.task_small_id FROM attempts a \
             JOIN attempt_intents p ON p.attempt = a.id \
             JOIN intents i ON i.id = p.intent \
             LEFT JOIN stacks s ON s.stack_small_id = i.stack_small_id \
             LEFT JOIN book_transactions b ON b.transaction_digest = a.digest \
             WHERE a.gas_used IS NOT NULL AND a.id IN (",
            $attempts,
            ") ORDER BY a.id, p.place"
        )
    };
}

/// A page of attempts, with all their parts.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    period: Period,
    page: Page<u64>,
) -> Result<Vec<(u64, GasLine)>, StoreError> {
    let Some(after) = row_number(page.after.unwrap_or_default()) else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(parts!(
        "SELECT id FROM attempts WHERE gas_used IS NOT NULL \
         AND concluded_at >= $1 AND concluded_at < $2 AND id > $3 ORDER BY id LIMIT $4"
    ))
    .bind(number(period.from.get()))
    .bind(number(period.until.get()))
    .bind(after)
    .bind(page.limit)
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    lines(&rows)
}

/// The parts of the stack's intents.
pub(super) async fn of_stack(
    connection: &mut SqliteConnection,
    stack: StackSmallId,
) -> Result<Vec<GasLine>, StoreError> {
    let rows = sqlx::query(parts!(
        "SELECT p.attempt FROM intents i JOIN attempt_intents p ON p.intent = i.id \
         WHERE i.stack_small_id = $1"
    ))
    .bind(number(stack.get()))
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    let lines = lines(&rows)?.into_iter().map(|(_, line)| line);
    Ok(lines.filter(|line| line.stack == Some(stack)).collect())
}

/// Divides each attempt's gas among its rows, which follow each other.
fn lines(rows: &[SqliteRow]) -> Result<Vec<(u64, GasLine)>, StoreError> {
    let mut lines: Vec<(u64, GasLine)> = Vec::with_capacity(rows.len());
    for row in rows {
        lines.push(line(row)?);
    }
    for attempt in lines.chunk_by_mut(|(one, _), (other, _)| one == other) {
        let Some((_, whole)) = attempt.first().copied() else {
            continue;
        };
        let parts = u64::try_from(attempt.len()).unwrap_or(u64::MAX);
        let used = divide_gas(whole.used, parts);
        let returned = divide_gas(whole.returned, parts);
        for ((_, line), part) in attempt.iter_mut().zip(used.zip(returned)) {
            (line.used, line.returned) = part;
        }
    }
    Ok(lines)
}

/// A part, with the whole gas of its attempt.
fn line(row: &SqliteRow) -> Result<(u64, GasLine), StoreError> {
    let cells = Cells::new(row, "attempts", "id");
    let line = GasLine {
        digest: cells.digest("digest")?,
        concluded_at: TimestampMs::new(cells.number("concluded_at")?),
        epoch: cells.optional_number("epoch")?.map(Epoch::new),
        node: cells
            .optional_number("node_small_id")?
            .map(NodeSmallId::new),
        stack: cells
            .optional_number("stack_small_id")?
            .map(StackSmallId::new),
        task: cells
            .optional_number("task_small_id")?
            .map(TaskSmallId::new),
        used: Mist::new(cells.number("gas_used")?),
        returned: Mist::new(cells.number("gas_returned")?),
    };
    Ok((cells.row_number("id")?, line))
}
