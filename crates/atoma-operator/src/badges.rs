//! The operator's badges: whose they are.

use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{ChainError, StoreError};
use tracing::{info, warn};

use crate::causes::{chain_failure, internal};
use crate::ports::Ports;

/// The nodes whose badges the operator's address owns on chain. A node that the mirror knows and whose
/// badge the Sui node does not list is among them, unless the badge is shown to be another's: the owner
/// index of a Sui node can be empty or behind.
pub(crate) async fn own_nodes(ports: &Ports) -> Result<Vec<OperatorNode>, ReconcileError> {
    let Ports {
        chain,
        state,
        signer,
        ..
    } = ports;
    let address = signer.address();
    let listed = chain.badges(address).await?.into_iter();
    let mut nodes: Vec<OperatorNode> = listed
        .map(|badge| OperatorNode {
            node_small_id: badge.node_small_id,
            node_badge_id: *badge.reference.object_id(),
            address,
        })
        .collect();
    for known in state.operator_nodes().await? {
        if known.address != address || nodes.contains(&known) {
            continue;
        }
        let badge = chain.object(known.node_badge_id).await?;
        let node = known.node_small_id;
        match badge.map(|badge| badge.owner) {
            Some(owner) if owner != Some(address) => {
                info!(%node, "the node's badge belongs to another address now");
            }
            _ => {
                warn!(%node, "the Sui node does not list the node's badge; keeping the node");
                nodes.push(known);
            }
        }
    }
    Ok(nodes)
}

/// Why the database could not be compared with the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The badges can't be read.
    #[error("can't read the operator's badges")]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error("can't compare the database with the chain")]
    Store(#[from] StoreError),
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Chain(error) => chain_failure(&error),
            ReconcileError::Store(error) => internal(error),
        }
    }
}
