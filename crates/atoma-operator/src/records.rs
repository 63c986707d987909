//! The record of served work that a settlement is compared with.

use atoma_domain::model::{WorkRecord, attests_from};
use atoma_domain::ports::StoreError;
use atoma_domain::{NodeSmallId, StackSmallId};

use crate::Ports;

/// The record from which one of the operator's nodes attests or disputes the settlement of a stack; `None` if there is
/// none. See [`attests_from`].
pub(crate) async fn record_to_compare(
    ports: &Ports,
    stack: StackSmallId,
    node: NodeSmallId,
) -> Result<Option<WorkRecord>, StoreError> {
    let selected = own_selected_node(ports, stack).await?;
    for node in attests_from(node, selected) {
        if let Some(record) = ports.work.work_record(stack, node).await? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// A stack's selected node, if the operator runs it.
async fn own_selected_node(
    ports: &Ports,
    stack: StackSmallId,
) -> Result<Option<NodeSmallId>, StoreError> {
    let Some(stack) = ports.state.stacks_by_id(&[stack]).await?.pop() else {
        return Ok(None);
    };
    let nodes = ports.state.operator_nodes().await?;
    let mut own = nodes.into_iter().map(|node| node.node_small_id);
    Ok(own.find(|node| *node == stack.selected_node_id))
}
