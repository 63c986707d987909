//! Reading the mirrored state.
//!
//! A page of several nodes' stacks first takes the page's keys of each node in index order, and joins
//! and sorts only those. With `node IN (…)` alone SQLite would join and sort every stack that the nodes
//! ever served, for each page.
//!
//! Pages are read on connections of their own, so that no number of lists delays a settlement.

use std::sync::LazyLock;

use async_trait::async_trait;
use atoma_domain::model::{
    Dispute, DueAttestation, Fill, OperatorNode, Settlement, SettlementInputs, Stack, Subscription,
    Task,
};
use atoma_domain::ports::{DisputeSide, Page, StackFilter, StackSnapshot, StateReader, StoreError};
use atoma_domain::{Epoch, NodeSmallId, StackSmallId, TaskSmallId};
use sqlx::sqlite::SqliteRow;

use crate::columns::{after, fill_level, key_set, number};
use crate::error::statement_failed;
use crate::packed;
use crate::rows;
use crate::store::SqliteState;
use crate::work;

/// Stacks with their selected node's record, and whether a ticket is open, as one [packed](crate::packed)
/// page, whose lines may be in any order. `$from` yields rows of stacks `s`. A damaged reservation is left
/// out, so that it costs no list.
macro_rules! stacks {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT group_concat(line, char(10)) FROM (SELECT concat_ws(',', \
             hex(s.stack_small_id), hex(s.stack_id), hex(s.owner_address), hex(s.task_small_id), \
             hex(s.selected_node_id), hex(s.num_compute_units), \
             hex(s.price_per_one_million_compute_units), hex(w.computed_units), \
             coalesce(CASE WHEN w.reserved_units > zeroblob(8) THEN \
             (SELECT group_concat(hex(r.num_compute_units) || hex(r.expires_at), '') \
              FROM reservations r WHERE r.stack_small_id = s.stack_small_id \
              AND length(r.num_compute_units) = 8 AND length(r.expires_at) = 8) END, ''), \
             coalesce(w.is_frozen, 0), hex(w.messages), hex(w.merkle_root), \
             coalesce(t.is_claimed = 0, 0), s.is_claimed) AS line \
             FROM ",
            $from,
            " LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             LEFT JOIN settlements t ON t.stack_small_id = s.stack_small_id ",
            $rest,
            ")"
        )
    };
}

/// Settlements with their attestations and whether they are in dispute. `$from` yields rows of
/// settlements `t`.
macro_rules! settlements {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT t.stack_small_id, s.stack_id, t.selected_node_id, \
             t.num_claimed_compute_units, t.settled_at, t.dispute_settled_at_epoch, \
             t.requested_attestation_nodes, t.committed_stack_proof, t.stack_merkle_leaf, \
             t.is_claimed, t.user_refund_amount, \
             (SELECT unhex(group_concat(hex(a.node_small_id), '' ORDER BY a.sequence)) \
              FROM attestations a WHERE a.stack_small_id = t.stack_small_id) AS attested_nodes, \
             EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = t.stack_small_id) \
             AS is_in_dispute \
             FROM ",
            $from,
            " LEFT JOIN stacks s ON s.stack_small_id = t.stack_small_id ",
            $rest
        )
    };
}

const STACKS_BY_ID: &str = stacks!(
    "stacks s",
    "WHERE s.stack_small_id IN (SELECT unhex(value) FROM json_each($1))"
);
const SETTLEMENTS_BY_ID: &str = settlements!(
    "settlements t",
    "WHERE t.stack_small_id IN (SELECT unhex(value) FROM json_each($1))"
);

/// A page of stacks.
const STACKS: &str = stacks!(
    "(SELECT DISTINCT unhex(value) AS id FROM json_each($1)) n CROSS JOIN stacks s",
    "WHERE s.stack_small_id IN (SELECT x.stack_small_id FROM stacks x \
     WHERE x.selected_node_id = n.id AND x.stack_small_id > $2 \
     ORDER BY x.stack_small_id LIMIT $3) \
     ORDER BY s.stack_small_id LIMIT $3"
);

/// The same of the one node $1, whose index has the page in order: nothing is sorted, and no key is looked up
/// twice.
const STACKS_OF_NODE: &str = stacks!(
    "stacks s",
    "WHERE s.selected_node_id = $1 AND s.stack_small_id > $2 \
     ORDER BY s.stack_small_id LIMIT $3"
);

/// A page of stacks that are filled beyond $4, from the levels of the index from $5 on.
static STACKS_BY_FILL: LazyLock<String> = LazyLock::new(|| {
    stacks!(
        "(SELECT DISTINCT unhex(value) AS id FROM json_each($1)) n CROSS JOIN stacks s",
        "WHERE s.stack_small_id IN ({keys}) ORDER BY s.stack_small_id LIMIT $3"
    )
    .replace("{keys}", &keys_by_fill("n.id"))
});

/// The same of the one node $1.
static STACKS_OF_NODE_BY_FILL: LazyLock<String> = LazyLock::new(|| {
    stacks!(
        "({keys}) page CROSS JOIN stacks s",
        "WHERE s.stack_small_id = page.stack_small_id"
    )
    .replace("{keys}", &keys_by_fill("$1"))
});

/// Selects the keys of a page by fill. Each level is in the order of the ids; SQLite merges them without
/// sorting, and stops when the page is full.
fn keys_by_fill(node: &str) -> String {
    let (less, fuller) = (0x0..0xC, 0xC0..=0xFF);
    let levels = less
        .map(|level| format!("{level:X}"))
        .chain(fuller.map(|level| format!("{level:X}")));
    let levels = levels.map(|level| {
        format!(
            "SELECT c.stack_small_id FROM work_records c WHERE c.node_small_id = {node} \
             AND c.fill_level = '{level}' AND '{level}' >= $5 \
             AND c.stack_small_id > $2 AND c.fill > $4"
        )
    });
    let levels = levels.collect::<Vec<_>>().join(" UNION ALL ");
    format!("{levels} ORDER BY 1 LIMIT $3")
}

fn ids<T>(ids: &[T], get: impl Fn(&T) -> u64) -> String {
    key_set(ids.iter().map(get))
}

/// The stacks of a packed page, ascending.
fn unpack(page: Option<&str>) -> Result<Vec<Stack>, StoreError> {
    let stacks = packed::lines(page).map(rows::stack);
    let mut stacks = stacks.collect::<Result<Vec<_>, _>>()?;
    stacks.sort_unstable_by_key(|stack| stack.stack_small_id);
    Ok(stacks)
}

fn collect<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

#[async_trait]
impl StateReader for SqliteState {
    async fn operator_nodes(&self) -> Result<Vec<OperatorNode>, StoreError> {
        let rows = sqlx::query(
            "SELECT node_small_id, node_badge_id, address FROM operator_nodes \
             WHERE address = (SELECT operator FROM ledger) ORDER BY node_small_id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(statement_failed)?;
        collect(&rows, rows::operator_node)
    }

    async fn tasks(&self, page: Page<TaskSmallId>) -> Result<Vec<Task>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM tasks WHERE task_small_id > $1 ORDER BY task_small_id LIMIT $2",
        )
        .bind(after(page.after.map(TaskSmallId::get)))
        .bind(page.limit)
        .fetch_all(&self.lists)
        .await
        .map_err(statement_failed)?;
        collect(&rows, rows::task)
    }

    async fn task(&self, id: TaskSmallId) -> Result<Option<Task>, StoreError> {
        let row = sqlx::query("SELECT * FROM tasks WHERE task_small_id = $1")
            .bind(number(id.get()))
            .fetch_optional(&self.readers)
            .await
            .map_err(statement_failed)?;
        row.as_ref().map(rows::task).transpose()
    }

    async fn subscriptions(
        &self,
        nodes: &[NodeSmallId],
        page: Page<(NodeSmallId, TaskSmallId)>,
    ) -> Result<Vec<Subscription>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM subscriptions \
             WHERE node_small_id IN (SELECT unhex(value) FROM json_each($1)) \
             AND (node_small_id, task_small_id) > ($2, $3) \
             ORDER BY node_small_id, task_small_id LIMIT $4",
        )
        .bind(ids(nodes, |id| id.get()))
        .bind(after(page.after.map(|(node, _)| node.get())))
        .bind(after(page.after.map(|(_, task)| task.get())))
        .bind(page.limit)
        .fetch_all(&self.lists)
        .await
        .map_err(statement_failed)?;
        collect(&rows, rows::subscription)
    }

    async fn stacks(
        &self,
        filter: StackFilter<'_>,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Stack>, StoreError> {
        let (one, filled) = (filter.nodes.len() == 1, filter.filled_beyond);
        let sql = match (one, filled.is_some()) {
            (true, false) => STACKS_OF_NODE,
            (true, true) => STACKS_OF_NODE_BY_FILL.as_str(),
            (false, false) => STACKS,
            (false, true) => STACKS_BY_FILL.as_str(),
        };
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let query = match filter.nodes {
            [node] => query.bind(number(node.get())),
            nodes => query.bind(ids(nodes, |id| id.get())),
        };
        let query = query
            .bind(after(page.after.map(StackSmallId::get)))
            .bind(page.limit);
        let query = match filled.map(Fill::threshold) {
            Some(beyond) => query.bind(number(beyond.get())).bind(fill_level(beyond)),
            None => query,
        };
        let page: Option<String> = query
            .fetch_one(&self.lists)
            .await
            .map_err(statement_failed)?;
        unpack(page.as_deref())
    }

    async fn stacks_by_id(&self, ids_wanted: &[StackSmallId]) -> Result<Vec<Stack>, StoreError> {
        let page: Option<String> = sqlx::query_scalar(STACKS_BY_ID)
            .bind(ids(ids_wanted, |id| id.get()))
            .fetch_one(&self.readers)
            .await
            .map_err(statement_failed)?;
        unpack(page.as_deref())
    }

    async fn snapshot_of(&self, wanted: &[StackSmallId]) -> Result<StackSnapshot, StoreError> {
        let keys = ids(wanted, |id| id.get());
        let mut snapshot = self.snapshot().await?;
        let stacks: Option<String> = sqlx::query_scalar(STACKS_BY_ID)
            .bind(&keys)
            .fetch_one(&mut *snapshot)
            .await
            .map_err(statement_failed)?;
        let settlements = sqlx::query(SETTLEMENTS_BY_ID)
            .bind(&keys)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(statement_failed)?;
        let tasks = sqlx::query(
            "SELECT * FROM tasks WHERE task_small_id IN (SELECT s.task_small_id FROM stacks s \
             WHERE s.stack_small_id IN (SELECT unhex(value) FROM json_each($1)))",
        )
        .bind(&keys)
        .fetch_all(&mut *snapshot)
        .await
        .map_err(statement_failed)?;
        snapshot.commit().await.map_err(statement_failed)?;
        Ok(StackSnapshot {
            stacks: unpack(stacks.as_deref())?,
            settlements: collect(&settlements, rows::settlement)?,
            tasks: collect(&tasks, rows::task)?,
        })
    }

    async fn settlement_inputs(
        &self,
        stack: StackSmallId,
    ) -> Result<Option<SettlementInputs>, StoreError> {
        work::settlement_inputs(&self.readers, stack).await
    }

    async fn settlements(
        &self,
        nodes: &[NodeSmallId],
        page: Page<StackSmallId>,
    ) -> Result<Vec<Settlement>, StoreError> {
        let rows = sqlx::query(settlements!(
            "(SELECT DISTINCT unhex(value) AS id FROM json_each($1)) n CROSS JOIN settlements t",
            "WHERE t.stack_small_id IN (SELECT x.stack_small_id FROM settlements x \
             WHERE x.selected_node_id = n.id AND x.stack_small_id > $2 \
             ORDER BY x.stack_small_id LIMIT $3) \
             ORDER BY t.stack_small_id LIMIT $3"
        ))
        .bind(ids(nodes, |id| id.get()))
        .bind(after(page.after.map(StackSmallId::get)))
        .bind(page.limit)
        .fetch_all(&self.lists)
        .await
        .map_err(statement_failed)?;
        collect(&rows, rows::settlement)
    }

    async fn settlements_by_id(
        &self,
        ids_wanted: &[StackSmallId],
    ) -> Result<Vec<Settlement>, StoreError> {
        let rows = sqlx::query(SETTLEMENTS_BY_ID)
            .bind(ids(ids_wanted, |id| id.get()))
            .fetch_all(&self.readers)
            .await
            .map_err(statement_failed)?;
        collect(&rows, rows::settlement)
    }

    async fn due_attestations(
        &self,
        nodes: &[NodeSmallId],
        now: Epoch,
        page: Page<(Epoch, StackSmallId)>,
    ) -> Result<Vec<DueAttestation>, StoreError> {
        self.next_due_attestations(nodes, now, page).await
    }

    async fn disputes(
        &self,
        nodes: &[NodeSmallId],
        side: DisputeSide,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Dispute>, StoreError> {
        let statement = match side {
            DisputeSide::Defendant => {
                "SELECT * FROM disputes \
                 WHERE defendant_node_id IN (SELECT unhex(value) FROM json_each($1)) \
                 AND stack_small_id > $2 ORDER BY stack_small_id LIMIT $3"
            }
            DisputeSide::Plaintiff => {
                "SELECT * FROM disputes \
                 WHERE plaintiff_node_id IN (SELECT unhex(value) FROM json_each($1)) \
                 AND stack_small_id > $2 ORDER BY stack_small_id LIMIT $3"
            }
        };
        let rows = sqlx::query(statement)
            .bind(ids(nodes, |id| id.get()))
            .bind(after(page.after.map(StackSmallId::get)))
            .bind(page.limit)
            .fetch_all(&self.lists)
            .await
            .map_err(statement_failed)?;
        collect(&rows, rows::dispute)
    }
}

#[cfg(test)]
mod tests;
