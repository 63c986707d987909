//! Recording differences.

use std::collections::BTreeMap;

use atoma_domain::contract::EntryKey;
use atoma_domain::ports::StoreError;
use atoma_domain::reconciliation::{Cause, Difference};
use atoma_domain::{CheckpointNumber, NodeSmallId, TimestampMs};
use sqlx::SqliteConnection;

use crate::columns::{Cells, number, optional_number};
use crate::error::statement_failed;

/// How many differences are kept, the newest ones.
const MOST: u32 = 10_000;
/// How long a value may be, in characters.
const LONGEST: usize = 4_000;

/// When and why differences were found.
pub(super) struct Found {
    pub(super) cause: Cause,
    pub(super) contract_version: u64,
    pub(super) covered: Option<CheckpointNumber>,
    pub(super) now: TimestampMs,
}

/// Records differences, and counts them.
pub(super) async fn all(
    connection: &mut SqliteConnection,
    differences: &[Difference],
    found: &Found,
) -> Result<(), StoreError> {
    if differences.is_empty() {
        return Ok(());
    }
    let cut = |value: &Option<String>| -> Option<String> {
        value
            .as_ref()
            .map(|value| value.chars().take(LONGEST).collect())
    };
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for difference in differences {
        let (entry, small_id) = named(difference.key);
        sqlx::query(
            "INSERT INTO mirror_differences (kind, entry, small_id, subscriber_small_id, mirrored, \
             on_chain, cause, contract_version, covered, found_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(difference.kind.name())
        .bind(entry)
        .bind(number(small_id))
        .bind(optional_number(difference.subscriber.map(NodeSmallId::get)))
        .bind(cut(&difference.mirrored))
        .bind(cut(&difference.on_chain))
        .bind(found.cause.name())
        .bind(number(found.contract_version))
        .bind(optional_number(found.covered.map(CheckpointNumber::get)))
        .bind(number(found.now.get()))
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
        let count = counts.entry(difference.kind.name()).or_default();
        *count = count.saturating_add(1);
    }
    sqlx::query(
        "DELETE FROM mirror_differences WHERE sequence <= \
         (SELECT max(sequence) FROM mirror_differences) - $1",
    )
    .bind(MOST)
    .execute(&mut *connection)
    .await
    .map_err(statement_failed)?;
    let before = self::counts(connection).await?;
    for (kind, count) in counts {
        let count = before
            .get(kind)
            .copied()
            .unwrap_or_default()
            .saturating_add(count);
        sqlx::query(
            "INSERT OR REPLACE INTO mirror_difference_counts (kind, count) VALUES ($1, $2)",
        )
        .bind(kind)
        .bind(number(count))
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    }
    Ok(())
}

/// How many differences of each kind were ever repaired.
pub(crate) async fn counts(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = sqlx::query("SELECT kind, count FROM mirror_difference_counts")
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    rows.iter()
        .map(|row| {
            let cells = Cells::new(row, "mirror_difference_counts", "kind");
            Ok((cells.text("kind")?.to_owned(), cells.number("count")?))
        })
        .collect()
}

/// The name of a key's kind in the database, and its small id.
const fn named(key: EntryKey) -> (&'static str, u64) {
    match key {
        EntryKey::Node(node) => ("node", node.get()),
        EntryKey::Task(task) => ("task", task.get()),
        EntryKey::Stack(stack) => ("stack", stack.get()),
    }
}
