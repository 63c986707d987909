//! Reading the books. `events/booked.rs` writes them.

pub(crate) mod charges;
mod gas;
mod rows;

use std::collections::HashMap;

use async_trait::async_trait;
use atoma_domain::StackSmallId;
use atoma_domain::books::{BookEntry, BookedTransaction, GasLine, StackRecords};
use atoma_domain::ports::{BookMarks, BookRecords, Page, Period, StoreError};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, bytes_set, number, row_number};
use crate::error::statement_failed;
use crate::store::SqliteState;

/// Entries with what their amounts depend on. `$from` yields rows of entries `e`.
macro_rules! entries {
    ($condition:literal) => {
        concat!(
            "SELECT e.*, s.owner_address, s.task_small_id, s.selected_node_id, \
             s.num_compute_units AS size, s.price_per_one_million_compute_units, k.security_level, \
             CASE WHEN e.kind = 'claimed' THEN \
             (SELECT unhex(group_concat(hex(a.node_small_id), '' ORDER BY a.sequence)) \
              FROM attestations a WHERE a.stack_small_id = e.stack_small_id) END AS attested_nodes \
             FROM book_entries e \
             LEFT JOIN stacks s ON s.stack_small_id = e.stack_small_id \
             LEFT JOIN tasks k ON k.task_small_id = s.task_small_id WHERE ",
            $condition,
            " ORDER BY e.transaction_digest, e.event_index"
        )
    };
}

#[async_trait]
impl BookRecords for SqliteState {
    async fn book_marks(&self) -> Result<BookMarks, StoreError> {
        let mut connection = self.lists.acquire().await.map_err(statement_failed)?;
        let charges = charges::history(&mut connection).await?;
        let rows = sqlx::query("SELECT after_sequence FROM book_gaps")
            .fetch_all(&mut *connection)
            .await
            .map_err(statement_failed)?;
        let gaps = rows.iter().map(|row| {
            let cells = Cells::new(row, "book_gaps", "after_sequence");
            cells.row_number("after_sequence")
        });
        let last = sqlx::query(
            "SELECT sequence, contract_version FROM book_transactions ORDER BY sequence DESC LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await
        .map_err(statement_failed)?;
        let last_version = match &last {
            Some(row) => Cells::new(row, "book_transactions", "sequence")
                .optional_number("contract_version")?,
            None => None,
        };
        let repairs =
            sqlx::query("SELECT coalesce(max(sequence), 0) AS sequence FROM mirror_differences")
                .fetch_one(&mut *connection)
                .await
                .map_err(statement_failed)?;
        let repairs = Cells::new(&repairs, "mirror_differences", "sequence");
        Ok(BookMarks {
            charges,
            repairs: repairs.row_number("sequence")?,
            last_version,
            gaps: gaps.collect::<Result<_, _>>()?,
        })
    }

    async fn book_transactions(
        &self,
        page: Page<u64>,
    ) -> Result<Vec<BookedTransaction>, StoreError> {
        let Some(after) = row_number(page.after.unwrap_or_default()) else {
            return Ok(Vec::new());
        };
        let mut snapshot = self.lists.begin().await.map_err(statement_failed)?;
        let rows = sqlx::query(
            "SELECT * FROM book_transactions WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        )
        .bind(after)
        .bind(page.limit)
        .fetch_all(&mut *snapshot)
        .await
        .map_err(statement_failed)?;
        let mut transactions = transactions(&rows)?;
        let digests = bytes_set(transactions.iter().map(|booked| booked.digest.as_bytes()));
        let rows = sqlx::query(entries!(
            "e.transaction_digest IN (SELECT unhex(value) FROM json_each($1))"
        ))
        .bind(digests)
        .fetch_all(&mut *snapshot)
        .await
        .map_err(statement_failed)?;
        fill(&mut transactions, &rows)?;
        Ok(transactions)
    }

    async fn stack_records(&self, stack: StackSmallId) -> Result<StackRecords, StoreError> {
        let mut snapshot = self.lists.begin().await.map_err(statement_failed)?;
        let rows = sqlx::query(
            "SELECT * FROM book_transactions WHERE transaction_digest IN \
             (SELECT transaction_digest FROM book_entries WHERE stack_small_id = $1) \
             ORDER BY sequence",
        )
        .bind(number(stack.get()))
        .fetch_all(&mut *snapshot)
        .await
        .map_err(statement_failed)?;
        let mut transactions = transactions(&rows)?;
        let rows = sqlx::query(entries!("e.stack_small_id = $1"))
            .bind(number(stack.get()))
            .fetch_all(&mut *snapshot)
            .await
            .map_err(statement_failed)?;
        fill(&mut transactions, &rows)?;
        let gas = gas::of_stack(&mut snapshot, stack).await?;
        Ok(StackRecords { transactions, gas })
    }

    async fn gas_lines(
        &self,
        period: Period,
        page: Page<u64>,
    ) -> Result<Vec<(u64, GasLine)>, StoreError> {
        let mut connection: sqlx::pool::PoolConnection<_> =
            self.lists.acquire().await.map_err(statement_failed)?;
        let connection: &mut SqliteConnection = &mut connection;
        gas::page(connection, period, page).await
    }
}

/// Transactions without their entries.
fn transactions(rows: &[SqliteRow]) -> Result<Vec<BookedTransaction>, StoreError> {
    rows.iter().map(rows::transaction).collect()
}

/// Gives each transaction its entries, which come in their order.
fn fill(transactions: &mut [BookedTransaction], rows: &[SqliteRow]) -> Result<(), StoreError> {
    let mut entries: HashMap<_, Vec<BookEntry>> = HashMap::new();
    for row in rows {
        let (digest, entry) = rows::entry(row)?;
        entries.entry(digest).or_default().push(entry);
    }
    for transaction in transactions {
        transaction.entries = entries.remove(&transaction.digest).unwrap_or_default();
    }
    Ok(())
}
