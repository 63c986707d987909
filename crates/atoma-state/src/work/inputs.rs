//! The inputs of a settlement.

use atoma_domain::model::SettlementInputs;
use atoma_domain::ports::StoreError;
use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sqlx::SqlitePool;

use super::record::{work_record, work_records};
use crate::columns::{Cells, number};
use crate::error::statement_failed;
use crate::rows;

/// Reads task, record and subscribers of a stack. One statement, because a lane waits for every round
/// trip, and the inputs must be consistent.
pub(crate) async fn settlement_inputs(
    readers: &SqlitePool,
    stack: StackSmallId,
) -> Result<Option<SettlementInputs>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT s.stack_small_id AS stack, s.task_small_id AS bought_for, s.selected_node_id, k.*, ",
        work_records!(),
        ", (SELECT unhex(group_concat(hex(b.node_small_id), '' ORDER BY b.sequence)) \
          FROM subscriptions b WHERE b.task_small_id = s.task_small_id AND b.valid = 1) \
         AS subscribers \
         FROM stacks s \
         LEFT JOIN tasks k ON k.task_small_id = s.task_small_id \
         LEFT JOIN work_records w ON w.stack_small_id = s.stack_small_id \
         AND w.node_small_id = s.selected_node_id AND w.merkle_root IS NOT NULL \
         WHERE s.stack_small_id = $1"
    ))
    .bind(number(stack.get()))
    .fetch_optional(readers)
    .await
    .map_err(statement_failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let cells = Cells::new(&row, "stacks", "stack");
    let is_known = cells.optional_number("task_small_id")?.is_some();
    let has_record = cells.optional_number("messages")?.is_some();
    let node = NodeSmallId::new(cells.number("selected_node_id")?);
    let subscribers = Cells::new(&row, "subscriptions", "bought_for").numbers("subscribers")?;
    Ok(Some(SettlementInputs {
        task_small_id: TaskSmallId::new(cells.number("bought_for")?),
        task: is_known.then(|| rows::task(&row)).transpose()?,
        record: has_record
            .then(|| work_record(&row, stack, node))
            .transpose()?,
        subscribers: subscribers.into_iter().map(NodeSmallId::new).collect(),
    }))
}
