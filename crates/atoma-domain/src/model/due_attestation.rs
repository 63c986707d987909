//! Attestations that are due.

use crate::{Epoch, NodeSmallId, StackSmallId, TaskSmallId};

/// A settlement that some nodes were drawn to attest and have not attested. It is neither claimed nor in dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueAttestation {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The stack's task; `None` if the stack was bought before the mirror begins.
    pub task_small_id: Option<TaskSmallId>,
    /// The settlement can be claimed from this epoch on. An attestation is safe only before it.
    pub claimable_from_epoch: Epoch,
    /// The nodes that have not attested, each once, ascending.
    pub nodes: Vec<DueNode>,
}

/// A node that must attest a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueNode {
    /// The node.
    pub node_small_id: NodeSmallId,
    /// Whether the record that it [attests from](attests_from) is over the settled messages; `None` without one. This
    /// compares Merkle roots only: the number of extra nodes, which also goes into a commitment, is not in the events of
    /// a settlement.
    pub record_agrees: Option<bool>,
}

/// The nodes from whose records of a stack a node attests or disputes its settlement, the best first: its own, then
/// that of the stack's selected node, `selected`, which is `None` unless the same operator runs it.
pub fn attests_from(
    node: NodeSmallId,
    selected: Option<NodeSmallId>,
) -> impl Iterator<Item = NodeSmallId> {
    let others = selected.filter(|selected| *selected != node);
    std::iter::once(node).chain(others)
}

/// The nodes among the requested that have not attested, each once, ascending. A node that is drawn twice attests
/// once.
pub fn missing_attesters(requested: &[NodeSmallId], attested: &[NodeSmallId]) -> Vec<NodeSmallId> {
    let mut missing = requested.to_vec();
    missing.retain(|node| !attested.contains(node));
    missing.sort_unstable();
    missing.dedup();
    missing
}
