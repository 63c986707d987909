//! What the autopilot reads and remembers.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::autopilot::{AutopilotState, UnpaidStack};
use crate::{NodeSmallId, StackSmallId};

/// The database, as far as only the autopilot uses it.
#[async_trait]
pub trait AutopilotStore: Debug + Send + Sync {
    /// The unclaimed stacks of a node, ascending. Stacks that are claimed cost nothing, however many there are. One whose rows
    /// are damaged is logged and left out.
    async fn unpaid_stacks(
        &self,
        node: NodeSmallId,
        page: Page<StackSmallId>,
    ) -> Result<Vec<UnpaidStack>, StoreError>;

    /// Stops the reservation of units of these stacks, or allows it again. A stack without a record stays as it is.
    async fn set_draining(
        &self,
        stacks: &[StackSmallId],
        is_draining: bool,
    ) -> Result<(), StoreError>;

    /// Allows the reservation of units of all stacks again.
    async fn end_draining(&self) -> Result<(), StoreError>;

    /// What the autopilot remembers; the default before anything was stored.
    async fn autopilot_state(&self) -> Result<AutopilotState, StoreError>;

    /// Replaces what the autopilot remembers.
    async fn set_autopilot_state(&self, state: &AutopilotState) -> Result<(), StoreError>;
}
