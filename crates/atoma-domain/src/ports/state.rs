//! Reading the mirrored state.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{
    Dispute, DueAttestation, NodeKey, OperatorNode, Settlement, SettlementInputs, Stack,
    Subscription, Task,
};
use crate::{Epoch, NodeSmallId, StackSmallId, TaskSmallId};

/// A page of a list: at most `limit` entries after the key `after`, in the list's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The last key of the previous page; `None` for the first page.
    pub after: Option<K>,
    /// The maximum number of entries.
    pub limit: u32,
}

impl<K> Page<K> {
    /// The first page.
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// Which stacks to list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StackFilter<'a> {
    /// The selected nodes.
    pub nodes: &'a [NodeSmallId],
    /// Only stacks of which more than this fraction (0 to 1) is computed; `None` for all.
    pub filled_beyond: Option<f64>,
}

/// The side of a node in a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeSide {
    /// The dispute is against it.
    Defendant,
    /// It opened the dispute.
    Plaintiff,
}

/// What the mirror knows about some stacks, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackSnapshot {
    /// The known stacks, in any order.
    pub stacks: Vec<Stack>,
    /// The settlements of those that are settled, in any order. A stack that was bought before the mirror
    /// begins may have a settlement only.
    pub settlements: Vec<Settlement>,
    /// The tasks of the known stacks, in any order.
    pub tasks: Vec<Task>,
}

/// Reads the mirrored state. Lists are in ascending order of small ids.
#[async_trait]
pub trait StateReader: Debug + Send + Sync {
    /// The operator's nodes, ascending.
    async fn operator_nodes(&self) -> Result<Vec<OperatorNode>, StoreError>;

    /// All tasks.
    async fn tasks(&self, page: Page<TaskSmallId>) -> Result<Vec<Task>, StoreError>;

    /// One task.
    async fn task(&self, id: TaskSmallId) -> Result<Option<Task>, StoreError>;

    /// The nodes' subscriptions, valid or not, in ascending order of node, then task.
    async fn subscriptions(
        &self,
        nodes: &[NodeSmallId],
        page: Page<(NodeSmallId, TaskSmallId)>,
    ) -> Result<Vec<Subscription>, StoreError>;

    /// The public keys that the nodes have committed to, ascending. A node without one has no entry.
    async fn node_keys(
        &self,
        nodes: &[NodeSmallId],
        page: Page<NodeSmallId>,
    ) -> Result<Vec<NodeKey>, StoreError>;

    /// Stacks.
    async fn stacks(
        &self,
        filter: StackFilter<'_>,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Stack>, StoreError>;

    /// The known stacks among those ids, in any order.
    async fn stacks_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Stack>, StoreError>;

    /// What is known about the stacks with those ids: stacks, settlements and tasks of the same moment.
    async fn snapshot_of(&self, ids: &[StackSmallId]) -> Result<StackSnapshot, StoreError>;

    /// The inputs of a stack's settlement; `None` for an unknown stack.
    async fn settlement_inputs(
        &self,
        stack: StackSmallId,
    ) -> Result<Option<SettlementInputs>, StoreError>;

    /// The settlements of stacks whose selected node is one of the nodes.
    async fn settlements(
        &self,
        nodes: &[NodeSmallId],
        page: Page<StackSmallId>,
    ) -> Result<Vec<Settlement>, StoreError>;

    /// The settlements of those stacks, as far as they are settled, in any order.
    async fn settlements_by_id(&self, ids: &[StackSmallId]) -> Result<Vec<Settlement>, StoreError>;

    /// The settlements that can be claimed from epoch `now` or later, and that some of the nodes must still attest. In
    /// ascending order of that epoch, then stack: the most urgent first.
    async fn due_attestations(
        &self,
        nodes: &[NodeSmallId],
        now: Epoch,
        page: Page<(Epoch, StackSmallId)>,
    ) -> Result<Vec<DueAttestation>, StoreError>;

    /// The disputes with one of the nodes on that side.
    async fn disputes(
        &self,
        nodes: &[NodeSmallId],
        side: DisputeSide,
        page: Page<StackSmallId>,
    ) -> Result<Vec<Dispute>, StoreError>;
}
