//! Lists that are about all nodes of the operator, or about the one in the path.

use atoma_domain::NodeSmallId;
use atoma_operator::Operator;

use crate::error::ApiError;
use crate::params::segment;

/// The node in the path, or without one all nodes of the operator, which may be none.
pub(super) async fn nodes(
    operator: &Operator,
    node_small_id: Option<&str>,
) -> Result<Vec<NodeSmallId>, ApiError> {
    operator.readiness().require().await?;
    match node_small_id {
        Some(text) => {
            let node = operator.node(segment("node_small_id", text)?).await?;
            Ok(vec![node.node_small_id])
        }
        None => {
            let nodes = operator.ports().state.operator_nodes().await?;
            Ok(nodes.into_iter().map(|node| node.node_small_id).collect())
        }
    }
}
