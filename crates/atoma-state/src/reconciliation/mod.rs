//! Comparing the mirror with the contract, and repairing it.
//!
//! `mirrored.rs` reads an entry as the mirror has it, `repair.rs` writes it as the contract has it, and `record.rs` records
//! what differed. One database transaction does all three, so what is compared is what is repaired.

mod mirrored;
mod record;
mod repair;

use async_trait::async_trait;
use atoma_domain::contract::EntriesRead;
use atoma_domain::ports::{
    Compared, EventCursor, MirrorRepair, Progress, Repair, StoreError, UnexplainedChange,
};
use atoma_domain::reconciliation::{Cause, Difference, compare, is_comparable};
use atoma_domain::{NodeSmallId, StackSmallId, TimestampMs};
use sqlx::SqliteConnection;

use crate::books::charges;
use crate::columns::{Cells, after, key_set, number};
use crate::error::statement_failed;
use crate::events::progress;
use crate::store::SqliteState;
use record::Found;

pub(crate) use record::counts;

#[async_trait]
impl MirrorRepair for SqliteState {
    async fn mirrored_version(&self) -> Result<u64, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(statement_failed)?;
        let progress = progress::read(&mut connection).await?;
        Ok(progress.contract_version.unwrap_or_default())
    }

    async fn reconcile(
        &self,
        read: &EntriesRead,
        repair: Repair,
        explained: &[UnexplainedChange],
        now: TimestampMs,
    ) -> Result<Compared, StoreError> {
        let mut transaction = self.write().await?;
        let progress = progress::read(&mut transaction).await?;
        let version = progress.contract_version.unwrap_or_default();
        let mut found = Compared::default();
        for entry in &read.entries {
            if !is_comparable(entry, read, version) {
                if read.counters.has_given(entry.key) {
                    found.open.push(entry.key);
                }
                continue;
            }
            let mirrored = mirrored::read(&mut transaction, entry.key).await?;
            let differences = compare(&mirrored, entry);
            found.compared = found.compared.saturating_add(1);
            if let (Repair::Mirror(_), false) = (repair, differences.is_empty()) {
                repair::entry(&mut transaction, entry, &progress, now).await?;
            }
            found.differences.extend(differences);
        }
        let Repair::Mirror(cause) = repair else {
            transaction.rollback().await?;
            return Ok(found);
        };
        let of = Found {
            cause,
            contract_version: read.counters.version,
            covered: progress.covered,
            now,
        };
        record::all(&mut transaction, &found.differences, &of).await?;
        charges::note(&mut transaction, &read.counters).await?;
        if found.open.is_empty() {
            forget(&mut transaction, explained).await?;
        }
        transaction.commit().await?;
        Ok(found)
    }

    async fn rebuild(
        &self,
        read: &EntriesRead,
        cursor: &EventCursor,
        now: TimestampMs,
    ) -> Result<Option<Vec<Difference>>, StoreError> {
        let mut transaction = self.write().await?;
        let before = progress::read(&mut transaction).await?;
        if before.contract_version > Some(read.counters.version) {
            transaction.rollback().await?;
            return Ok(None);
        }
        let mut differences = Vec::new();
        for entry in &read.entries {
            let mirrored = mirrored::read(&mut transaction, entry.key).await?;
            let differs = compare(&mirrored, entry);
            if !differs.is_empty() {
                repair::entry(&mut transaction, entry, &before, now).await?;
            }
            differences.extend(differs);
        }
        let of = Found {
            cause: Cause::Rebuilt,
            contract_version: read.counters.version,
            covered: before.covered,
            now,
        };
        record::all(&mut transaction, &differences, &of).await?;
        charges::note(&mut transaction, &read.counters).await?;
        for statement in [
            "INSERT OR IGNORE INTO book_gaps (after_sequence) \
             SELECT coalesce(max(sequence), 0) FROM book_transactions",
            "DELETE FROM events_set_aside",
            "DELETE FROM unexplained_changes",
        ] {
            sqlx::query(statement)
                .execute(&mut *transaction)
                .await
                .map_err(statement_failed)?;
        }
        let after = Progress {
            cursor: Some(cursor.clone()),
            contract_version: Some(read.counters.version),
            set_aside: 0,
            ..before
        };
        progress::write(&mut transaction, &after).await?;
        transaction.commit().await?;
        Ok(Some(differences))
    }

    async fn unexplained_changes(&self, limit: u32) -> Result<Vec<UnexplainedChange>, StoreError> {
        let rows = sqlx::query(
            "SELECT object_id, contract_version FROM unexplained_changes \
             ORDER BY contract_version, object_id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(statement_failed)?;
        rows.iter()
            .map(|row| {
                let cells = Cells::new(row, "unexplained_changes", "object_id");
                Ok(UnexplainedChange {
                    object: cells.object_id("object_id")?,
                    contract_version: cells.number("contract_version")?,
                })
            })
            .collect()
    }

    async fn open_stacks(
        &self,
        last: Option<(NodeSmallId, StackSmallId)>,
        limit: u32,
    ) -> Result<Vec<(NodeSmallId, StackSmallId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT selected_node_id, stack_small_id FROM stacks WHERE is_claimed = 0 \
             AND (selected_node_id, stack_small_id) > ($1, $2) \
             ORDER BY selected_node_id, stack_small_id LIMIT $3",
        )
        .bind(after(last.map(|(node, _)| node.get())))
        .bind(after(last.map(|(_, stack)| stack.get())))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(statement_failed)?;
        rows.iter()
            .map(|row| {
                let cells = Cells::new(row, "stacks", "stack_small_id");
                let node = NodeSmallId::new(cells.number("selected_node_id")?);
                let stack = StackSmallId::new(cells.number("stack_small_id")?);
                Ok((node, stack))
            })
            .collect()
    }

    async fn missing_stacks(
        &self,
        stacks: &[StackSmallId],
    ) -> Result<Vec<StackSmallId>, StoreError> {
        let rows = sqlx::query(
            "SELECT unhex(value) AS stack_small_id FROM json_each($1) \
             WHERE NOT EXISTS (SELECT 1 FROM stacks s WHERE s.stack_small_id = unhex(value))",
        )
        .bind(key_set(stacks.iter().map(|stack| stack.get())))
        .fetch_all(&self.readers)
        .await
        .map_err(statement_failed)?;
        rows.iter()
            .map(|row| {
                let cells = Cells::new(row, "stacks", "stack_small_id");
                cells.number("stack_small_id").map(StackSmallId::new)
            })
            .collect()
    }
}

/// Forgets changes that are explained now, unless they were changed again since they were read.
async fn forget(
    connection: &mut SqliteConnection,
    explained: &[UnexplainedChange],
) -> Result<(), StoreError> {
    for change in explained {
        sqlx::query(
            "DELETE FROM unexplained_changes WHERE object_id = $1 AND contract_version = $2",
        )
        .bind(change.object.as_bytes())
        .bind(number(change.contract_version))
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    }
    Ok(())
}
