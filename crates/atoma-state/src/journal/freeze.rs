//! Freezing and thawing work records.
//!
//! A settlement, or a claim without one, freezes the selected node's record of its stack from the
//! moment that it is opened: what is served later would not be paid. The record is thawed when every
//! such intent has failed.

use std::collections::BTreeSet;

use atoma_domain::StackSmallId;
use atoma_domain::ports::StoreError;
use sqlx::sqlite::SqliteRow;

use super::rows::LockedIntent;
use crate::batch::Batch;
use crate::columns::key_set;

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

/// The stacks whose records thaw when `failing` intents fail. `others` are the rows of all intents of
/// their stacks that have not failed; one that needs its record frozen keeps it so.
pub(super) fn thawed(
    failing: &[LockedIntent],
    others: &[SqliteRow],
) -> Result<BTreeSet<StackSmallId>, StoreError> {
    let mut stacks: BTreeSet<StackSmallId> = failing
        .iter()
        .filter_map(LockedIntent::frozen_stack)
        .collect();
    for row in others {
        let other = LockedIntent::read(row)?;
        if let Some(stack) = other.frozen_stack()
            && failing.iter().all(|intent| intent.id != other.id)
        {
            stacks.remove(&stack);
        }
    }
    Ok(stacks)
}

/// Adds the statement that thaws the records of stacks, if there are any.
pub(super) fn thaw(batch: &mut Batch, stacks: &BTreeSet<StackSmallId>) {
    if !stacks.is_empty() {
        // A claim by its ticket may come without a record: the number of rows is not known.
        set_frozen(batch, false, stacks);
    }
}
