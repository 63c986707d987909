//! Sums over the database, for metrics.

use std::collections::BTreeMap;

use async_trait::async_trait;
use atoma_domain::journal::IntentStatus;
use atoma_domain::model::{NodeFigures, StackPhase, StackSums, StoreFigures};
use atoma_domain::ports::{Figures, StoreError};
use atoma_domain::{ComputeUnits, Epoch, NodeSmallId};
use futures::TryStreamExt as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::claimed_sums;
use crate::columns::{Cells, key_set, number};
use crate::due_attestations;
use crate::error::statement_failed;
use crate::reconciliation;
use crate::store::SqliteState;

/// The unclaimed stacks of some nodes, with what their phase and worth depend on.
const UNCLAIMED: &str = "SELECT s.stack_small_id, s.selected_node_id, \
     s.price_per_one_million_compute_units, k.security_level, w.computed_units, \
     t.num_claimed_compute_units, t.dispute_settled_at_epoch, \
     EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = s.stack_small_id) AS is_in_dispute \
     FROM stacks s \
     LEFT JOIN tasks k ON k.task_small_id = s.task_small_id \
     LEFT JOIN work_records w \
     ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
     LEFT JOIN settlements t ON t.stack_small_id = s.stack_small_id \
     WHERE s.is_claimed = 0 \
     AND s.selected_node_id IN (SELECT unhex(value) FROM json_each($1))";

const DISPUTES: &str = "SELECT stack_small_id, defendant_node_id, plaintiff_node_id FROM disputes \
     WHERE resolved_at_epoch IS NULL \
     AND (defendant_node_id IN (SELECT unhex(value) FROM json_each($1)) \
     OR plaintiff_node_id IN (SELECT unhex(value) FROM json_each($1)))";

#[async_trait]
impl Figures for SqliteState {
    async fn figures(&self, nodes: &[NodeSmallId], now: Epoch) -> Result<StoreFigures, StoreError> {
        // One state for all of it, so that a claimed stack is counted once.
        let mut snapshot = self.lists.begin().await.map_err(statement_failed)?;
        let connection = &mut *snapshot;
        let mut sums: BTreeMap<_, _> = nodes
            .iter()
            .map(|node| (*node, NodeFigures::default()))
            .collect();
        add_claimed(connection, nodes, &mut sums).await?;
        add_unclaimed(connection, nodes, now, &mut sums).await?;
        add_attestations(connection, now, &mut sums).await?;
        add_disputes(connection, nodes, &mut sums).await?;
        Ok(StoreFigures {
            intents: intents(connection).await?,
            nodes: sums,
            differences: reconciliation::counts(connection).await?,
            database_bytes: size(connection).await?,
        })
    }
}

type NodeSums = BTreeMap<NodeSmallId, NodeFigures>;

async fn add_claimed(
    connection: &mut SqliteConnection,
    nodes: &[NodeSmallId],
    sums: &mut NodeSums,
) -> Result<(), StoreError> {
    for (node, claimed) in claimed_sums::read(connection, nodes).await? {
        if let Some(figures) = sums.get_mut(&node) {
            figures.stacks.insert(StackPhase::Claimed, claimed);
        }
    }
    Ok(())
}

async fn add_unclaimed(
    connection: &mut SqliteConnection,
    nodes: &[NodeSmallId],
    now: Epoch,
    sums: &mut NodeSums,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(UNCLAIMED)
        .bind(key_set(nodes.iter().map(|node| node.get())))
        .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(statement_failed)? {
        let (node, phase, stack) = unclaimed(&row, now)?;
        if let Some(figures) = sums.get_mut(&node) {
            let sum = figures.stacks.entry(phase).or_default();
            *sum = sum.plus(stack);
        }
    }
    Ok(())
}

fn unclaimed(
    row: &SqliteRow,
    now: Epoch,
) -> Result<(NodeSmallId, StackPhase, StackSums), StoreError> {
    let cells = Cells::new(row, "stacks", "stack_small_id");
    let claimed = cells.optional_number("num_claimed_compute_units")?;
    let claimable_from = cells.optional_number("dispute_settled_at_epoch")?;
    let stack = claimed_sums::of_stack(&cells, claimed.map(ComputeUnits::new))?;
    let phase = StackPhase::of_unclaimed(
        now,
        claimable_from.map(Epoch::new),
        cells.flag("is_in_dispute")?,
    );
    let node = NodeSmallId::new(cells.number("selected_node_id")?);
    Ok((node, phase, stack))
}

async fn add_attestations(
    connection: &mut SqliteConnection,
    now: Epoch,
    sums: &mut NodeSums,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(due_attestations::FROM_EPOCH)
        .bind(number(now.get()))
        .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(statement_failed)? {
        let cells = Cells::new(&row, "settlements", "stack_small_id");
        let is_safe = cells.number("dispute_settled_at_epoch")? > now.get();
        for node in due_attestations::missing(&cells)? {
            if let Some(figures) = sums.get_mut(&node) {
                if is_safe {
                    figures.attestations_due += 1;
                } else {
                    figures.attestations_overdue += 1;
                }
            }
        }
    }
    Ok(())
}

async fn add_disputes(
    connection: &mut SqliteConnection,
    nodes: &[NodeSmallId],
    sums: &mut NodeSums,
) -> Result<(), StoreError> {
    let rows = sqlx::query(DISPUTES)
        .bind(key_set(nodes.iter().map(|node| node.get())))
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    for row in &rows {
        let cells = Cells::new(row, "disputes", "stack_small_id");
        let node = |column| cells.number(column).map(NodeSmallId::new);
        if let Some(defendant) = sums.get_mut(&node("defendant_node_id")?) {
            defendant.disputes_against += 1;
        }
        if let Some(plaintiff) = sums.get_mut(&node("plaintiff_node_id")?) {
            plaintiff.disputes_raised += 1;
        }
    }
    Ok(())
}

/// How many intents have each status.
async fn intents(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<IntentStatus, u64>, StoreError> {
    // Each half is answered by an index of these statuses.
    let rows = sqlx::query(
        "SELECT status, count(*) AS intents FROM intents \
         WHERE status IN ('queued', 'submitted') GROUP BY status \
         UNION ALL SELECT status, count(*) FROM intents \
         WHERE status IN ('succeeded', 'failed') GROUP BY status",
    )
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    let mut counts: BTreeMap<_, _> = IntentStatus::ALL.map(|status| (status, 0)).into();
    for row in &rows {
        let cells = Cells::new(row, "intents", "status");
        // The schema allows no other.
        if let Some(status) = IntentStatus::from_name(cells.text("status")?) {
            counts.insert(status, cells.row_number("intents")?);
        }
    }
    Ok(counts)
}

async fn size(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
    )
    .fetch_one(connection)
    .await
    .map_err(statement_failed)?;
    Cells::new(&row, "pragma_page_count", "bytes").row_number("bytes")
}
