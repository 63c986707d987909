//! The stack that is served.

use atoma_domain::ports::StoreError;
use atoma_domain::{ComputeUnits, NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// The columns that [`ServedStack::read`] reads, of rows of stacks `s`. An intent that has not failed
/// closes the selected node's record also where there was none to freeze: a claim by its ticket needs
/// none.
macro_rules! served_stacks {
    () => {
        "s.stack_small_id, s.selected_node_id, s.num_compute_units, s.is_claimed, \
         EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
         AS is_settled, \
         EXISTS (SELECT 1 FROM intents i WHERE i.stack_small_id = s.stack_small_id \
         AND i.kind IN ('settle_stack', 'claim_confidential_stack') AND i.status <> 'failed') \
         AS is_closing"
    };
}
pub(super) use served_stacks;

/// The part of a stack that serving depends on.
pub(crate) struct ServedStack {
    pub(crate) id: StackSmallId,
    pub(crate) selected_node: NodeSmallId,
    pub(crate) size: ComputeUnits,
    pub(crate) is_claimed: bool,
    pub(crate) is_settled: bool,
    is_closing: bool,
}

impl ServedStack {
    /// The stack; `None` if it is not in the mirror.
    pub(crate) async fn load(
        connection: &mut SqliteConnection,
        id: StackSmallId,
    ) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            served_stacks!(),
            " FROM stacks s WHERE s.stack_small_id = $1"
        ))
        .bind(number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(statement_failed)?;
        row.as_ref().map(Self::read).transpose()
    }

    pub(crate) fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let cells = Cells::new(row, "stacks", "stack_small_id");
        Ok(Self {
            id: StackSmallId::new(cells.number("stack_small_id")?),
            selected_node: NodeSmallId::new(cells.number("selected_node_id")?),
            size: ComputeUnits::new(cells.number("num_compute_units")?),
            is_claimed: cells.flag("is_claimed")?,
            is_settled: cells.flag("is_settled")?,
            is_closing: cells.flag("is_closing")?,
        })
    }

    /// The units that a node's record fills: the selected node's only.
    pub(super) fn size_for(&self, node: NodeSmallId) -> Option<ComputeUnits> {
        (node == self.selected_node).then_some(self.size)
    }

    /// Whether the selected node's record takes nothing more, because the stack is in settlement or
    /// about to be settled or claimed.
    pub(crate) const fn is_closed(&self, is_record_frozen: bool) -> bool {
        self.is_settled || self.is_closing || is_record_frozen
    }
}
