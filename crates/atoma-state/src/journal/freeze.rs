//! Freezing and thawing work records.
//!
//! A settlement, or a claim without one, freezes the selected node's record of its stack from the
//! moment that it is opened: what is served later would not be paid. The record is thawed when every
//! such intent has failed.

use std::collections::BTreeSet;

use atoma_domain::StackSmallId;
use atoma_domain::journal::Action;
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;

use crate::batch::Batch;
use crate::columns::{Cells, key_set};
use crate::error::unavailable;

/// Adds a statement that sets the flag on the selected nodes' records of these stacks. A record that
/// does not exist is left out.
fn set_frozen<'b>(
    batch: &'b mut Batch,
    is_frozen: bool,
    stacks: &BTreeSet<StackSmallId>,
) -> &'b mut Batch {
    batch
        .statement(
            "UPDATE work_records SET is_frozen = $1 \
             WHERE (stack_small_id, node_small_id) IN (\
             SELECT stack_small_id, selected_node_id FROM stacks \
             WHERE stack_small_id IN (SELECT unhex(value) FROM json_each($2)))",
        )
        .bind(is_frozen)
        .bind(key_set(stacks.iter().map(|stack| stack.get())))
}

/// Adds the statement that freezes the records of stacks. Each of these stacks must have one.
pub(super) fn freeze(batch: &mut Batch, stacks: &BTreeSet<StackSmallId>) {
    set_frozen(batch, true, stacks).changing(stacks.len());
}

/// Thaws the records that these failed intents froze, unless another intent still needs them frozen.
pub(super) async fn thaw<'a>(
    connection: &mut SqliteConnection,
    failed: impl IntoIterator<Item = &'a Action>,
) -> Result<(), StoreError> {
    let failed = failed.into_iter().filter_map(Action::closes_record);
    let mut stacks: BTreeSet<StackSmallId> = failed.collect();
    if stacks.is_empty() {
        return Ok(());
    }
    let others = sqlx::query(
        "SELECT id, action FROM intents WHERE status <> 'failed' \
         AND stack_small_id IN (SELECT unhex(value) FROM json_each($1))",
    )
    .bind(key_set(stacks.iter().map(|stack| stack.get())))
    .fetch_all(&mut *connection)
    .await
    .map_err(unavailable)?;
    for row in &others {
        let action: Action = Cells::new(row, "intents", "id").json("action")?;
        if let Some(stack) = action.closes_record() {
            stacks.remove(&stack);
        }
    }
    if stacks.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    // A claim by its ticket may come without a record: the number of rows is not known.
    set_frozen(&mut batch, false, &stacks);
    batch.run(connection).await?;
    Ok(())
}
