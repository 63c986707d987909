//! Reading the mirrored state.
//!
//! A page of several nodes' stacks first takes the page's keys of each node in index order, and joins
//! and sorts only those. With `node IN (…)` alone SQLite would join and sort every stack that the nodes
//! ever served, for each page.
//!
//! Pages are read on connections of their own, so that no number of lists delays a settlement.

use std::borrow::Cow;
use std::collections::BTreeSet;

use async_trait::async_trait;
use atoma_domain::model::{
    Dispute, DueAttestation, Fill, NodeKey, OperatorNode, Settlement, SettlementInputs, Stack,
    Subscription, Task,
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
             hex(s.stack_small_id || s.owner_address || s.task_small_id || s.selected_node_id \
              || s.num_compute_units || s.price_per_one_million_compute_units \
              || coalesce(s.stack_id, x'')), \
             hex(w.computed_units || w.messages || coalesce(w.merkle_root, x'')), \
             coalesce(CASE WHEN w.reserved_units > zeroblob(8) THEN \
             (SELECT group_concat(hex(r.num_compute_units) || hex(r.expires_at), '') \
              FROM reservations r WHERE r.stack_small_id = s.stack_small_id \
              AND length(r.num_compute_units) = 8 AND length(r.expires_at) = 8) END, ''), \
             coalesce(w.is_frozen, 0) || coalesce(t.is_claimed = 0, 0) || s.is_claimed) AS line \
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

/// A page of stacks, whose keys are merged.
const STACKS_OF_KEYS: &str = stacks!(
    "({keys} ORDER BY 1 LIMIT $3) page CROSS JOIN stacks s",
    "WHERE s.stack_small_id = page.stack_small_id"
);

/// A page of stacks of many nodes. A page of each is sorted.
const STACKS_OF_MANY_NODES: &str = stacks!(
    "(SELECT unhex(value) AS id FROM json_each($1)) n CROSS JOIN stacks s",
    "WHERE s.stack_small_id IN ({keys} ORDER BY 1 LIMIT $3) ORDER BY s.stack_small_id LIMIT $3"
);

/// A page of the stacks of the one node $1, whose index has them in order: no key is looked up twice.
const STACKS_OF_NODE: &str = stacks!(
    "stacks s",
    "WHERE s.selected_node_id = $1 AND s.stack_small_id > $2 \
     ORDER BY s.stack_small_id LIMIT $3"
);

/// Up to how many nodes it is faster to merge their keys than to sort a page of each. With the levels of the
/// fill, these are fewer parts than SQLite's limit of 500.
const FEW: usize = 4;

/// The statement for a page of stacks of that many nodes, $1, which are filled beyond $4 if the level of that
/// fill is given.
fn stacks_statement(nodes: usize, level: Option<&str>) -> Cow<'static, str> {
    if nodes == 1 && level.is_none() {
        return Cow::Borrowed(STACKS_OF_NODE);
    }
    let (page, nodes) = match nodes {
        1 => (STACKS_OF_KEYS, vec![String::from("$1")]),
        2..=FEW => {
            let nodes = (0..nodes).map(|node| format!("unhex(json_extract($1, '$[{node}]'))"));
            (STACKS_OF_KEYS, nodes.collect())
        }
        _ => (STACKS_OF_MANY_NODES, vec![String::from("n.id")]),
    };
    let keys = nodes.iter().flat_map(|node| keys(node, level));
    let keys = keys.collect::<Vec<_>>().join(" UNION ALL ");
    Cow::Owned(page.replace("{keys}", &keys))
}

/// Selects the keys of a node's stacks after $2. Each part is in the order of the ids; SQLite merges them without
/// sorting, and stops when the page is full.
fn keys(node: &str, level: Option<&str>) -> Vec<String> {
    let Some(lowest) = level else {
        return vec![format!(
            "SELECT x.stack_small_id FROM stacks x \
             WHERE x.selected_node_id = {node} AND x.stack_small_id > $2"
        )];
    };
    let (less, fuller) = (0x0..0xC, 0xC0..=0xFF);
    let levels = less
        .map(|level| format!("{level:X}"))
        .chain(fuller.map(|level| format!("{level:X}")));
    let levels = levels.filter(|level| level.as_str() >= lowest);
    let keys = levels.map(|level| {
        format!(
            "SELECT c.stack_small_id FROM work_records c WHERE c.node_small_id = {node} \
             AND c.fill_level = '{level}' AND c.stack_small_id > $2 AND c.fill > $4"
        )
    });
    keys.collect()
}

fn ids<T>(ids: &[T], get: impl Fn(&T) -> u64) -> String {
    key_set(ids.iter().map(get))
}

fn collect<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

impl SqliteState {
    /// The stacks of a packed page, ascending.
    async fn unpack(&self, page: Option<&str>) -> Result<Vec<Stack>, StoreError> {
        let stacks: Result<Vec<_>, _> = packed::lines(page).map(rows::stack).collect();
        match stacks {
            Ok(mut stacks) => {
                stacks.sort_unstable_by_key(|stack| stack.stack_small_id);
                Ok(stacks)
            }
            Err(damaged) => Err(self.damaged_column(damaged).await),
        }
    }

    /// The error with the column that is damaged. A packed row only shows that one of several is.
    async fn damaged_column(&self, error: StoreError) -> StoreError {
        let StoreError::Corrupt { row, .. } = &error else {
            return error;
        };
        let Ok(stack) = row.parse() else { return error };
        let row = sqlx::query(
            "SELECT s.*, w.computed_units, w.messages, w.merkle_root FROM stacks s \
             LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             WHERE s.stack_small_id = $1",
        )
        .bind(number(stack))
        .fetch_optional(&self.readers)
        .await;
        match row {
            Ok(Some(row)) => rows::check_stack(&row).err().unwrap_or(error),
            _ => error,
        }
    }
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

    async fn node_keys(
        &self,
        nodes: &[NodeSmallId],
        page: Page<NodeSmallId>,
    ) -> Result<Vec<NodeKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM node_keys \
             WHERE node_small_id IN (SELECT unhex(value) FROM json_each($1)) AND node_small_id > $2 \
             ORDER BY node_small_id LIMIT $3",
        )
        .bind(ids(nodes, |id| id.get()))
        .bind(after(page.after.map(NodeSmallId::get)))
        .bind(page.limit)
        .fetch_all(&self.lists)
        .await
        .map_err(statement_failed)?;
        collect(&rows, rows::node_key)
    }

    async fn stacks(
        &self,
        filter: StackFilter<'_>,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Stack>, StoreError> {
        let nodes: BTreeSet<_> = filter.nodes.iter().map(|node| node.get()).collect();
        let beyond = filter.filled_beyond.map(Fill::threshold);
        let level = beyond.map(fill_level);
        let sql = stacks_statement(nodes.len(), level.as_deref());
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let query = match nodes.first() {
            Some(node) if nodes.len() == 1 => query.bind(number(*node)),
            _ => query.bind(key_set(nodes)),
        };
        let query = query
            .bind(after(page.after.map(StackSmallId::get)))
            .bind(page.limit);
        let query = match beyond {
            Some(beyond) => query.bind(number(beyond.get())),
            None => query,
        };
        let page: Option<String> = query
            .fetch_one(&self.lists)
            .await
            .map_err(statement_failed)?;
        self.unpack(page.as_deref()).await
    }

    async fn stacks_by_id(&self, ids_wanted: &[StackSmallId]) -> Result<Vec<Stack>, StoreError> {
        let page: Option<String> = sqlx::query_scalar(STACKS_BY_ID)
            .bind(ids(ids_wanted, |id| id.get()))
            .fetch_one(&self.readers)
            .await
            .map_err(statement_failed)?;
        self.unpack(page.as_deref()).await
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
            stacks: self.unpack(stacks.as_deref()).await?,
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
