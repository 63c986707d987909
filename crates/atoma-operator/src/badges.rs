//! The operator's badges: whose they are, and who used them last.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{Chain, ChainError, Journal, StoreError};
use atoma_domain::{Digest, ObjectId};
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

/// What the ledger shows of a badge's last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastUse {
    pub(crate) tx_digest: Digest,
    /// The badge's version since then.
    pub(crate) version: u64,
    /// The transaction registered the badge's node: nobody has used the badge yet.
    pub(crate) is_registration: bool,
}

/// A badge's last use, if the journal does not know it; `None` also if the Sui node does not show the
/// badge, or not its last transaction. Without a journal, no use is known.
pub(crate) async fn unknown_use(
    chain: &dyn Chain,
    journal: Option<&dyn Journal>,
    badge: ObjectId,
) -> Result<Option<LastUse>, ReconcileError> {
    let Some(shown) = chain.object(badge).await? else {
        return Ok(None);
    };
    let Some(tx_digest) = shown.last_transaction else {
        return Ok(None);
    };
    if let Some(journal) = journal
        && journal.knows_use(badge, tx_digest).await?
    {
        return Ok(None);
    }
    let executed = chain.lookup(tx_digest).await?;
    let events = executed.map(|executed| executed.events).unwrap_or_default();
    Ok(Some(LastUse {
        tx_digest,
        version: shown.reference.version(),
        is_registration: events.iter().any(
            |event| matches!(event, ContractEvent::NodeRegistered(node) if node.badge_id == badge),
        ),
    }))
}

/// Why the database could not be compared with the chain.
#[derive(Debug, thiserror::Error)]
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
