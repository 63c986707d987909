//! The records as they are read, within bounds of time and memory.

use std::time::Duration;

use futures::{Stream, StreamExt as _};

use super::error::ImportError;
use super::refusal::NotTaken;
use super::row::EarlierRow;
use super::work::{Counting, EarlierWork};

/// The most stacks that are read. They are kept in memory, without their hashes.
const MOST_STACKS: usize = 1_000_000;

/// How long a database may take for an answer or the next row.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was read: for each stack, in ascending order, the work that was done or why it can't be taken.
#[derive(Debug)]
pub struct EarlierRecords(pub(super) Vec<(i64, Result<EarlierWork, NotTaken>)>);

/// Awaits an answer of the database, within bounds.
pub(super) async fn in_time<T>(
    source_name: &str,
    answer: impl Future<Output = T>,
) -> Result<T, ImportError> {
    within(PATIENCE, source_name, answer).await
}

async fn within<T>(
    limit: Duration,
    source_name: &str,
    answer: impl Future<Output = T>,
) -> Result<T, ImportError> {
    let answer = tokio::time::timeout(limit, answer).await;
    answer.map_err(|_| ImportError::Silent {
        source_name: source_name.to_owned(),
        seconds: limit.as_secs(),
    })
}

/// Makes records of rows as they come. Only one row's hashes are in memory at a time.
pub(super) async fn collect(
    mut rows: impl Stream<Item = Result<EarlierRow, sqlx::Error>> + Unpin,
    counting: Counting,
    source_name: &str,
    failed: impl Fn(sqlx::Error) -> ImportError,
) -> Result<EarlierRecords, ImportError> {
    let mut records = Vec::new();
    while let Some(row) = in_time(source_name, rows.next()).await? {
        let row = row.map_err(&failed)?;
        if records.len() == MOST_STACKS {
            return Err(ImportError::TooManyStacks {
                source_name: source_name.to_owned(),
                limit: MOST_STACKS,
            });
        }
        records.push((row.stack_small_id, EarlierWork::of(&row, counting)));
    }
    Ok(EarlierRecords(records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_silent_is_not_waited_for() {
        let silent = within(Duration::ZERO, "it", std::future::pending::<()>()).await;
        assert!(matches!(silent, Err(ImportError::Silent { .. })));
    }

    /// A table that never ends fills no memory.
    #[tokio::test]
    async fn more_stacks_than_anybody_has_are_refused() {
        let row = |stack_small_id| EarlierRow {
            stack_small_id,
            owner_address: None,
            stack_id: None,
            task_small_id: None,
            selected_node_id: None,
            num_compute_units: None,
            already_computed_units: None,
            is_closed: false,
            num_total_messages: None,
            hash_bytes: None,
            total_hash: None,
        };
        let failed = |error| ImportError::database("it", error);
        let rows = futures::stream::iter((0..).map(|id| Ok(row(id))));
        let refused = collect(rows, Counting::Exact, "it", failed).await;
        let limit = MOST_STACKS;
        assert!(
            matches!(refused, Err(ImportError::TooManyStacks { limit: told, .. }) if told == limit)
        );
    }
}
