//! The stack that work is recorded for, and the refusals that depend on it.

use atoma_domain::journal::Failure;
use atoma_domain::ports::WorkError;
use atoma_domain::{Address, ComputeUnits, NodeSmallId, StackSmallId};
use sqlx::SqliteConnection;

use super::record::StoredRecord;
use crate::columns::{Cells, number};
use crate::error::unavailable;

/// The part of a stack that recording depends on.
pub(super) struct ServedStack {
    pub(super) id: StackSmallId,
    pub(super) owner: Address,
    pub(super) selected_node: NodeSmallId,
    size: ComputeUnits,
    is_claimed: bool,
    is_settled: bool,
}

impl ServedStack {
    /// Loads a stack; refuses one that is not in the mirror.
    pub(super) async fn load(
        connection: &mut SqliteConnection,
        id: StackSmallId,
    ) -> Result<Self, WorkError> {
        let row = sqlx::query(
            "SELECT stack_small_id, owner_address, selected_node_id, num_compute_units, \
             is_claimed, \
             EXISTS (SELECT 1 FROM settlements t WHERE t.stack_small_id = s.stack_small_id) \
             AS is_settled FROM stacks s WHERE stack_small_id = $1",
        )
        .bind(number(id.get()))
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
        let row = row.ok_or_else(|| unknown_stack(id))?;
        let cells = Cells::new(&row, "stacks", "stack_small_id");
        Ok(Self {
            id,
            owner: cells.object_id("owner_address")?,
            selected_node: NodeSmallId::new(cells.number("selected_node_id")?),
            size: ComputeUnits::new(cells.number("num_compute_units")?),
            is_claimed: cells.flag("is_claimed")?,
            is_settled: cells.flag("is_settled")?,
        })
    }

    /// Refuses a change of the selected node's record after it was closed.
    pub(super) fn check_open(&self, record: &StoredRecord) -> Result<(), WorkError> {
        let stack_small_id = self.id;
        if self.is_claimed {
            return Err(WorkError::Refused(Failure::AlreadyClaimed {
                stack_small_id,
            }));
        }
        if self.is_settled || record.is_frozen() {
            return Err(WorkError::Refused(Failure::AlreadySettling {
                stack_small_id,
            }));
        }
        Ok(())
    }

    /// Refuses more units than are neither computed nor reserved.
    pub(super) fn check_fits(
        &self,
        record: &StoredRecord,
        units: ComputeUnits,
    ) -> Result<(), WorkError> {
        let free = record.free_units(self.size);
        if units > free {
            return Err(WorkError::Refused(Failure::StackOverflow {
                stack_small_id: self.id,
                num_compute_units: units,
                free_compute_units: free,
            }));
        }
        Ok(())
    }
}

pub(super) fn unknown_stack(stack_small_id: StackSmallId) -> WorkError {
    WorkError::Refused(Failure::UnknownStack { stack_small_id })
}
