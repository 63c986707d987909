//! What the autopilot reads and remembers.

use async_trait::async_trait;
use atoma_domain::autopilot::{AutopilotState, UnpaidStack, UnpaidTicket};
use atoma_domain::model::missing_attesters;
use atoma_domain::ports::{AutopilotStore, Page, StoreError};
use atoma_domain::{
    ComputeUnits, Epoch, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId, TimestampMs,
    with_causes,
};
use tracing::error;

use crate::columns::{Cells, after, json, key_set, number};
use crate::error::statement_failed;
use crate::packed::{Fields, lines};
use crate::store::SqliteState;

/// Unclaimed stacks `s` with their selected node's record and their ticket, as one [packed](crate::packed) page, whose
/// lines may be in any order: those of node $1 after the stack $2, by the index of unclaimed stacks. A damaged reservation is
/// left out, as in lists.
const UNPAID_STACKS: &str = "SELECT group_concat(line, char(10)) FROM (SELECT concat_ws(',', \
             hex(s.stack_small_id || s.task_small_id || s.selected_node_id || s.num_compute_units \
              || s.price_per_one_million_compute_units), \
             hex(w.computed_units || w.messages || coalesce(w.recorded_at, x'')), \
             coalesce(CASE WHEN w.reserved_units > zeroblob(8) THEN \
             (SELECT hex(max(r.expires_at)) FROM reservations r \
              WHERE r.stack_small_id = s.stack_small_id AND length(r.expires_at) = 8) END, ''), \
             hex(t.num_claimed_compute_units || t.dispute_settled_at_epoch || t.settled_at), \
             coalesce(hex(t.requested_attestation_nodes), ''), \
             coalesce(CASE WHEN t.requested_attestation_nodes <> x'' THEN \
             (SELECT group_concat(hex(a.node_small_id), '') FROM attestations a \
              WHERE a.stack_small_id = s.stack_small_id) END, ''), \
             coalesce(w.is_draining, 0) || coalesce(w.is_frozen, 0) || (t.stack_small_id IS NOT NULL \
              AND EXISTS (SELECT 1 FROM disputes d WHERE d.stack_small_id = s.stack_small_id))) AS line \
             FROM stacks s LEFT JOIN work_records w \
             ON w.stack_small_id = s.stack_small_id AND w.node_small_id = s.selected_node_id \
             LEFT JOIN settlements t ON t.stack_small_id = s.stack_small_id AND t.is_claimed = 0 \
             WHERE s.is_claimed = 0 AND s.selected_node_id = $1 AND s.stack_small_id > $2 \
             ORDER BY s.stack_small_id LIMIT $3)";

#[async_trait]
impl AutopilotStore for SqliteState {
    async fn unpaid_stacks(
        &self,
        node: NodeSmallId,
        page: Page<StackSmallId>,
    ) -> Result<Vec<UnpaidStack>, StoreError> {
        let packed: Option<String> = sqlx::query_scalar(UNPAID_STACKS)
            .bind(number(node.get()))
            .bind(after(page.after.map(StackSmallId::get)))
            .bind(page.limit)
            .fetch_one(&self.lists)
            .await
            .map_err(statement_failed)?;
        // One damaged stack must not keep the others unpaid.
        let mut stacks: Vec<_> = lines(packed.as_deref())
            .filter_map(|line| {
                unpaid_stack(line)
                    .inspect_err(
                        |error| error!(%node, error = with_causes(error), "a stack can't be read"),
                    )
                    .ok()
            })
            .collect();
        stacks.sort_by_key(|stack| stack.stack_small_id);
        Ok(stacks)
    }

    async fn set_draining(
        &self,
        stacks: &[StackSmallId],
        is_draining: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let updated = sqlx::query(
            "UPDATE work_records SET is_draining = $2 \
             WHERE stack_small_id IN (SELECT unhex(value) FROM json_each($1)) \
             AND node_small_id = (SELECT s.selected_node_id FROM stacks s \
             WHERE s.stack_small_id = work_records.stack_small_id)",
        )
        .bind(key_set(stacks.iter().map(|stack| stack.get())))
        .bind(is_draining)
        .execute(&mut *transaction)
        .await
        .map(drop)
        .map_err(statement_failed);
        transaction.end(updated).await
    }

    async fn end_draining(&self) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let updated = sqlx::query("UPDATE work_records SET is_draining = 0 WHERE is_draining = 1")
            .execute(&mut *transaction)
            .await
            .map(drop)
            .map_err(statement_failed);
        transaction.end(updated).await
    }

    async fn autopilot_state(&self) -> Result<AutopilotState, StoreError> {
        let row = sqlx::query("SELECT id, state FROM autopilot")
            .fetch_optional(&self.lists)
            .await
            .map_err(statement_failed)?;
        let state = row.map(|row| Cells::new(&row, "autopilot", "id").json("state"));
        Ok(state.transpose()?.unwrap_or_default())
    }

    async fn set_autopilot_state(&self, state: &AutopilotState) -> Result<(), StoreError> {
        let state = json("the state of the autopilot", state)?;
        let mut transaction = self.write().await?;
        let written = sqlx::query(
            "INSERT INTO autopilot (id, state) VALUES (1, $1) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        )
        .bind(state)
        .execute(&mut *transaction)
        .await
        .map(drop)
        .map_err(statement_failed);
        transaction.end(written).await
    }
}

/// Reads a line of [`UNPAID_STACKS`].
fn unpaid_stack(line: &str) -> Result<UnpaidStack, StoreError> {
    let mut fields = Fields::new(line, "stacks");
    let mut stack = fields.columns::<40>("stacks")?;
    let mut record = fields.columns::<24>("work_records")?;
    let mut reserved = fields.columns::<8>("reservations")?;
    let mut ticket = fields.columns::<24>("settlements")?;
    let requested = nodes(fields.numbers("requested_attestation_nodes")?);
    let attested = nodes(fields.numbers("attestations")?);
    let [is_draining, is_frozen, is_in_dispute] =
        fields.flags(["is_draining", "is_frozen", "is_in_dispute"])?;
    let (mut computed, mut messages, mut last_recorded_at) = (0, 0, None);
    if !record.is_at_end() {
        (computed, messages) = (record.number("computed_units")?, record.number("messages")?);
    }
    if !record.is_at_end() {
        last_recorded_at = Some(TimestampMs::new(record.number("recorded_at")?));
    }
    record.end("recorded_at")?;
    let reserved_until = match reserved.is_at_end() {
        true => None,
        false => Some(TimestampMs::new(reserved.number("expires_at")?)),
    };
    let ticket = match ticket.is_at_end() {
        true => None,
        false => Some(UnpaidTicket {
            num_claimed_compute_units: ComputeUnits::new(
                ticket.number("num_claimed_compute_units")?,
            ),
            dispute_settled_at_epoch: Epoch::new(ticket.number("dispute_settled_at_epoch")?),
            settled_at: TimestampMs::new(ticket.number("settled_at")?),
            missing_attesters: missing_attesters(&requested, &attested),
            is_in_dispute,
        }),
    };
    Ok(UnpaidStack {
        stack_small_id: StackSmallId::new(stack.number("stack_small_id")?),
        task_small_id: TaskSmallId::new(stack.number("task_small_id")?),
        selected_node_id: NodeSmallId::new(stack.number("selected_node_id")?),
        num_compute_units: ComputeUnits::new(stack.number("num_compute_units")?),
        price_per_one_million_compute_units: PricePerMillion::new(
            stack.number("price_per_one_million_compute_units")?,
        ),
        already_computed_units: ComputeUnits::new(computed),
        num_total_messages: messages,
        last_recorded_at,
        reserved_until,
        is_draining,
        is_frozen,
        ticket,
    })
}

fn nodes(numbers: Vec<u64>) -> Vec<NodeSmallId> {
    numbers.into_iter().map(NodeSmallId::new).collect()
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    /// However many stacks are claimed.
    #[tokio::test]
    async fn unpaid_stacks_are_read_by_their_index() {
        let store = SqliteState::open_temporary().await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {UNPAID_STACKS}"));
        let plan = sqlx::query(explain).fetch_all(&store.lists).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let is_scan = |step: &String| {
            step.contains("TEMP B-TREE") || (step.starts_with("SCAN") && !step.contains("subquery"))
        };
        assert!(!steps.iter().any(is_scan), "{steps:?}");
        let by_index =
            "USING INDEX stacks_that_are_unclaimed (selected_node_id=? AND stack_small_id>?)";
        assert!(
            steps.iter().any(|step| step.contains(by_index)),
            "{steps:?}"
        );
    }
}
