//! Settlements that miss attestations: how many, and which.

use atoma_domain::model::{DueAttestation, DueNode, attests_from, missing_attesters};
use atoma_domain::ports::{Page, StoreError};
use atoma_domain::settlement::is_commitment_over;
use atoma_domain::{Epoch, Hash32, NodeSmallId, StackSmallId, TaskSmallId};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, after, key_set, number};
use crate::error::statement_failed;
use crate::store::SqliteState;

/// Tickets `t` that may miss attestations, with further `$columns`, as far as `$rest` allows. Those in dispute are left
/// out, because their funds are frozen.
macro_rules! tickets {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT t.stack_small_id, t.dispute_settled_at_epoch, t.requested_attestation_nodes, \
             (SELECT unhex(group_concat(hex(a.node_small_id), '')) FROM attestations a \
              WHERE a.stack_small_id = t.stack_small_id) AS attested_nodes",
            $columns,
            " FROM settlements t \
             WHERE t.is_claimed = 0 AND length(t.requested_attestation_nodes) > 0 \
             AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = t.stack_small_id) ",
            $rest
        )
    };
}

/// Those from epoch $1 on, of whatever nodes.
pub(crate) const FROM_EPOCH: &str = tickets!("", "AND t.dispute_settled_at_epoch >= $1");

/// Those that ask for a node of $1, after the epoch $2 and the stack $3, in the order of their index. The list of
/// nodes may contain the bytes of a node across two others, so the rows must be looked at once more.
const OF_NODES: &str = tickets!(
    ", t.committed_stack_proof, \
     (SELECT n.node_small_id FROM operator_nodes n \
      WHERE n.node_small_id = t.selected_node_id AND n.address = (SELECT operator FROM ledger WHERE id = 1)) AS own_selected_node_id, \
     (SELECT s.task_small_id FROM stacks s WHERE s.stack_small_id = t.stack_small_id) AS task_small_id, \
     (SELECT unhex(group_concat(hex(w.node_small_id) || hex(w.merkle_root), '')) FROM work_records w \
      WHERE w.stack_small_id = t.stack_small_id AND w.merkle_root IS NOT NULL) AS records",
    "AND (t.dispute_settled_at_epoch, t.stack_small_id) > ($2, $3) \
     AND EXISTS (SELECT 1 FROM json_each($1) n \
     WHERE instr(t.requested_attestation_nodes, unhex(n.value)) > 0) \
     ORDER BY t.dispute_settled_at_epoch, t.stack_small_id"
);

fn nodes(cells: &Cells<'_>, column: &'static str) -> Result<Vec<NodeSmallId>, StoreError> {
    let numbers = cells.numbers(column)?;
    Ok(numbers.into_iter().map(NodeSmallId::new).collect())
}

/// The nodes that a row of `tickets!` misses.
pub(crate) fn missing(cells: &Cells<'_>) -> Result<Vec<NodeSmallId>, StoreError> {
    let requested = nodes(cells, "requested_attestation_nodes")?;
    Ok(missing_attesters(
        &requested,
        &nodes(cells, "attested_nodes")?,
    ))
}

/// A row of [`OF_NODES`]; `None` if it asks for none of the nodes any more.
fn due(row: &SqliteRow, of: &[NodeSmallId]) -> Result<Option<DueAttestation>, StoreError> {
    let cells = Cells::new(row, "settlements", "stack_small_id");
    let mut missing = missing(&cells)?;
    missing.retain(|node| of.contains(node));
    if missing.is_empty() {
        return Ok(None);
    }
    let requested = cells.numbers("requested_attestation_nodes")?.len();
    let committed = cells.bytes("committed_stack_proof")?;
    let records = cells.optional_bytes("records")?.unwrap_or_default();
    let selected = cells.optional_number("own_selected_node_id")?;
    let selected = selected.map(NodeSmallId::new);
    let root_of = |node: NodeSmallId| -> Option<Hash32> {
        records.chunks(40).find_map(|record| {
            let (id, root) = record.split_first_chunk()?;
            (u64::from_be_bytes(*id) == node.get()).then(|| Hash32::try_from(root).ok())?
        })
    };
    let nodes = missing.into_iter().map(|node_small_id| DueNode {
        node_small_id,
        record_agrees: attests_from(node_small_id, selected)
            .find_map(root_of)
            .map(|root| is_commitment_over(&root, &committed, requested)),
    });
    let task_small_id = cells.optional_number("task_small_id")?;
    Ok(Some(DueAttestation {
        stack_small_id: StackSmallId::new(cells.number("stack_small_id")?),
        task_small_id: task_small_id.map(TaskSmallId::new),
        claimable_from_epoch: Epoch::new(cells.number("dispute_settled_at_epoch")?),
        nodes: nodes.collect(),
    }))
}

impl SqliteState {
    /// The next attestations of these nodes that are due in epoch `now` or later.
    pub(crate) async fn next_due_attestations(
        &self,
        of: &[NodeSmallId],
        now: Epoch,
        page: Page<(Epoch, StackSmallId)>,
    ) -> Result<Vec<DueAttestation>, StoreError> {
        // Without a stack, the first of the epoch.
        let (epoch, stack) = match page.after {
            Some((epoch, stack)) if epoch >= now => (epoch, Some(stack)),
            _ => (now, None),
        };
        let mut rows = sqlx::query(OF_NODES)
            .bind(key_set(of.iter().map(|node| node.get())))
            .bind(number(epoch.get()))
            .bind(after(stack.map(StackSmallId::get)))
            .fetch(&self.lists);
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = rows.try_next().await.map_err(statement_failed)?
        {
            found.extend(due(&row, of)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    /// A page begins where the one before ended, and ends when it is full.
    #[tokio::test]
    async fn a_page_is_read_in_the_order_of_an_index() {
        let store = SqliteState::open_temporary().await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {OF_NODES}"));
        let plan = sqlx::query(explain).fetch_all(&store.lists).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let by_index = "SEARCH t USING INDEX settlements_that_are_unclaimed \
                        ((dispute_settled_at_epoch,stack_small_id)>(?,?))";
        assert!(steps.iter().any(|step| step == by_index), "{steps:?}");
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")
                || (step.starts_with("SCAN")
                    && !step.contains("json_each")
                    && !step.contains("SCAN n "))),
            "{steps:?}"
        );
    }
}
