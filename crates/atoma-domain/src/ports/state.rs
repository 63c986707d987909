//! Reading the mirrored state.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Dispute, OperatorNode, Settlement, SettlementInputs, Stack, Subscription, Task,
};
use crate::{NodeSmallId, StackSmallId, TaskSmallId};

/// A part of a list, by key: `limit` entries after `after` in the list's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The last key of the part before; `None` is the beginning.
    pub after: Option<K>,
    /// How many entries at most.
    pub limit: u32,
}

impl<K> Page<K> {
    /// The list's first entries.
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// Which stacks to list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StackFilter<'a> {
    /// Served by one of these.
    pub nodes: &'a [NodeSmallId],
    /// With more than this fraction (0 to 1) computed; `None` is any.
    pub filled_beyond: Option<f64>,
}

/// On which side of a dispute a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeSide {
    /// The dispute is against it.
    Defendant,
    /// It raised the dispute.
    Plaintiff,
}

/// Reads the mirrored state. Lists ascend by small id.
#[async_trait]
pub trait StateReader: Debug + Send + Sync {
    /// The operator's nodes, ascending.
    async fn operator_nodes(&self) -> Result<Vec<OperatorNode>, StoreError>;

    /// All tasks.
    async fn tasks(&self, page: Page<TaskSmallId>) -> Result<Vec<Task>, StoreError>;

    /// One task.
    async fn task(&self, id: TaskSmallId) -> Result<Option<Task>, StoreError>;

    /// The nodes' subscriptions, valid or not, ascending by node, then task.
    async fn subscriptions(
        &self,
        nodes: &[NodeSmallId],
        page: Page<(NodeSmallId, TaskSmallId)>,
    ) -> Result<Vec<Subscription>, StoreError>;

    /// Stacks.
    async fn stacks(
        &self,
        filter: StackFilter<'_>,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Stack>, StoreError>;

    /// The stacks of those ids that are known, in any order.
    async fn stacks_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Stack>, StoreError>;

    /// What the stack's settlement is made from; `None` for a stack that is not known.
    async fn settlement_inputs(
        &self,
        stack: StackSmallId,
    ) -> Result<Option<SettlementInputs>, StoreError>;

    /// Settlements of stacks served by the nodes.
    async fn settlements(
        &self,
        nodes: &[NodeSmallId],
        page: Page<StackSmallId>,
    ) -> Result<Vec<Settlement>, StoreError>;

    /// The settlements of those stacks that were settled, in any order.
    async fn settlements_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Settlement>, StoreError>;

    /// Disputes with one of the nodes on that side.
    async fn disputes(
        &self,
        nodes: &[NodeSmallId],
        side: DisputeSide,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Dispute>, StoreError>;
}
