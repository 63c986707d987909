//! Choosing the node that acts.

use atoma_domain::journal::{Actor, Failure};
use atoma_domain::model::{OperatorNode, Settlement};
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId};

use super::operator::Operator;
use crate::causes::internal;

/// A request's choice of the node that acts. Without both fields, the request leaves the choice to
/// the daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeChoice {
    /// The node's small id.
    pub node_small_id: Option<NodeSmallId>,
    /// The object id of its node badge.
    pub node_badge_id: Option<ObjectId>,
}

impl From<NodeSmallId> for NodeChoice {
    fn from(node: NodeSmallId) -> Self {
        Self {
            node_small_id: Some(node),
            node_badge_id: None,
        }
    }
}

impl Operator {
    /// The operator's nodes.
    ///
    /// # Errors
    /// [`Failure::NoNodeRegistered`] when there is none.
    pub async fn nodes(&self) -> Result<Vec<OperatorNode>, Failure> {
        let nodes = self.ports.state.operator_nodes().await.map_err(internal)?;
        if nodes.is_empty() {
            return Err(Failure::NoNodeRegistered {});
        }
        Ok(nodes)
    }

    /// One of the operator's nodes.
    ///
    /// # Errors
    /// [`Failure::UnknownNode`] when the operator has no such node.
    pub async fn node(&self, node_small_id: NodeSmallId) -> Result<OperatorNode, Failure> {
        find_node(&self.nodes().await?, node_small_id)
    }

    /// Refuses a stack whose selected node is not one of the operator's.
    ///
    /// # Errors
    /// [`Failure::UnknownStack`], or [`Failure::UnknownNode`] when another operator serves it.
    pub async fn check_serves(&self, stack_small_id: StackSmallId) -> Result<(), Failure> {
        let stacks = self.ports.state.stacks_by_id(&[stack_small_id]).await;
        let stacks = stacks.map_err(internal)?;
        let stack = stacks
            .first()
            .ok_or(Failure::UnknownStack { stack_small_id })?;
        self.node(stack.selected_node_id).await.map(drop)
    }

    /// The chosen node, or the operator's only one.
    pub(super) async fn acting_node(&self, choice: NodeChoice) -> Result<OperatorNode, Failure> {
        let nodes = self.nodes().await?;
        match (chosen_node(&nodes, choice)?, nodes.as_slice()) {
            (Some(node), _) => Ok(node),
            (None, [only]) => Ok(*only),
            (None, several) => Err(Failure::AmbiguousNode {
                nodes: several.len(),
            }),
        }
    }
}

/// The chosen node; `None` if the request leaves the choice to the daemon.
pub(super) fn chosen_node(
    nodes: &[OperatorNode],
    choice: NodeChoice,
) -> Result<Option<OperatorNode>, Failure> {
    let by_id = choice
        .node_small_id
        .map(|id| find_node(nodes, id))
        .transpose()?;
    let by_badge = choice
        .node_badge_id
        .map(|node_badge_id| {
            nodes
                .iter()
                .find(|node| node.node_badge_id == node_badge_id)
                .copied()
                .ok_or(Failure::UnknownBadge { node_badge_id })
        })
        .transpose()?;
    match (by_id, by_badge) {
        (Some(by_id), Some(by_badge)) if by_id != by_badge => Err(Failure::NodeMismatch {
            node_small_id: by_id.node_small_id,
            node_badge_id: by_badge.node_badge_id,
        }),
        (by_id, by_badge) => Ok(by_id.or(by_badge)),
    }
}

/// The selected node of a stack. It must be one of the operator's, and the chosen node if there is
/// one.
pub(super) fn selected_node(
    stack_small_id: StackSmallId,
    selected_node_id: NodeSmallId,
    nodes: &[OperatorNode],
    chosen: Option<OperatorNode>,
) -> Result<OperatorNode, Failure> {
    if let Some(chosen) = chosen
        && chosen.node_small_id != selected_node_id
    {
        return Err(Failure::NodeNotSelected {
            stack_small_id,
            node_small_id: chosen.node_small_id,
            selected_node_id,
        });
    }
    find_node(nodes, selected_node_id)
}

/// The chosen node, or all of `nodes` that were drawn to attest the settlement.
pub(super) fn attesters(
    settlement: &Settlement,
    nodes: &[OperatorNode],
    chosen: Option<OperatorNode>,
) -> Vec<OperatorNode> {
    match chosen {
        Some(node) => vec![node],
        None => nodes
            .iter()
            .filter(|node| settlement.place_of(node.node_small_id).is_some())
            .copied()
            .collect(),
    }
}

/// The node as the journal's actor.
pub(super) const fn actor(node: OperatorNode) -> Actor {
    Actor::Node {
        node_small_id: node.node_small_id,
        node_badge_id: node.node_badge_id,
        address: node.address,
    }
}

fn find_node(nodes: &[OperatorNode], node_small_id: NodeSmallId) -> Result<OperatorNode, Failure> {
    nodes
        .iter()
        .find(|node| node.node_small_id == node_small_id)
        .copied()
        .ok_or(Failure::UnknownNode { node_small_id })
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_domain::Address;

    fn node(id: u64) -> OperatorNode {
        OperatorNode {
            node_small_id: NodeSmallId::new(id),
            node_badge_id: Address::new([u8::try_from(id).unwrap(); 32]),
            address: Address::new([9; 32]),
        }
    }

    #[test]
    fn a_choice_by_id_and_badge_must_agree() {
        let nodes = [node(1), node(2)];
        let choice = |id: Option<u64>, badge: Option<u8>| {
            chosen_node(
                &nodes,
                NodeChoice {
                    node_small_id: id.map(NodeSmallId::new),
                    node_badge_id: badge.map(|byte| Address::new([byte; 32])),
                },
            )
        };
        assert_eq!(choice(None, None), Ok(None));
        assert_eq!(choice(Some(2), None), Ok(Some(node(2))));
        assert_eq!(choice(None, Some(1)), Ok(Some(node(1))));
        assert_eq!(choice(Some(1), Some(1)), Ok(Some(node(1))));
        assert!(matches!(
            choice(Some(1), Some(2)),
            Err(Failure::NodeMismatch { .. })
        ));
        assert!(matches!(
            choice(Some(7), None),
            Err(Failure::UnknownNode { .. })
        ));
        assert!(matches!(
            choice(None, Some(7)),
            Err(Failure::UnknownBadge { .. })
        ));
    }
}
