//! Comparing the database with the chain: whose badges the operator owns, and who used them.

use atoma_domain::events::ContractEvent;
use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{ChainError, StoreError};
use atoma_domain::{Digest, ObjectId, ObjectReference};
use tracing::{info, warn};

use crate::ports::Ports;
use crate::readiness::Readiness;

impl Readiness {
    /// Compares the journal with the chain and returns the badges whose last transaction the journal does
    /// not know: other software uses the same key, or the database is new or an old copy. A badge that was
    /// registered elsewhere and never used is none of them.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn foreign_uses(&self) -> Result<Vec<ForeignUse>, ReconcileError> {
        let Ports { journal, chain, .. } = &self.ports;
        let unfinished = journal.unfinished().await?;
        let signed = unfinished.iter().filter_map(|open| open.attempt.as_ref());
        let signed: Vec<_> = signed.filter_map(|open| open.badge.as_ref()).collect();
        let mut foreign = Vec::new();
        for node in self.own_nodes().await? {
            let id = node.node_badge_id;
            let Some(badge) = chain.object(id).await? else {
                continue;
            };
            let Some(tx_digest) = badge.last_transaction else {
                continue;
            };
            if journal.knows_use(id, tx_digest).await? {
                continue;
            }
            // A badge still at the signed version proves nothing: anybody may have brought it there.
            let is_gone = |signed: &&ObjectReference| {
                *signed.object_id() == id && signed.version() < badge.reference.version()
            };
            let is_known = journal.last_use(id).await?.is_some() || signed.iter().any(is_gone);
            if is_known || !self.was_registered_by(id, tx_digest).await? {
                foreign.push(ForeignUse { node, tx_digest });
            }
        }
        Ok(foreign)
    }

    /// Notes that the operator knows of these uses, so that they are not foreign any more.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn acknowledge(&self, uses: &[ForeignUse]) -> Result<(), ReconcileError> {
        for used in uses {
            let journal = &self.ports.journal;
            journal
                .acknowledge_use(used.node.node_badge_id, used.tx_digest)
                .await?;
        }
        Ok(())
    }

    /// Whether this transaction registered the badge's node.
    async fn was_registered_by(
        &self,
        badge: ObjectId,
        tx_digest: Digest,
    ) -> Result<bool, ChainError> {
        let executed = self.ports.chain.lookup(tx_digest).await?;
        let events = executed.map(|executed| executed.events).unwrap_or_default();
        Ok(events.iter().any(
            |event| matches!(event, ContractEvent::NodeRegistered(node) if node.badge_id == badge),
        ))
    }

    /// Replaces the operator's nodes in the mirror with those whose badges its address owns on chain.
    ///
    /// # Errors
    /// When the chain can't be read or the database can't be written.
    pub async fn reconcile_nodes(&self) -> Result<(), ReconcileError> {
        let nodes = self.own_nodes().await?;
        let Ports { events, signer, .. } = &self.ports;
        events.set_operator_nodes(signer.address(), &nodes).await?;
        Ok(())
    }

    /// The nodes whose badges the operator's address owns on chain. A node that the mirror knows and whose
    /// badge the Sui node does not list is among them, unless the badge is shown to be another's: the
    /// owner index of a Sui node can be empty or behind.
    async fn own_nodes(&self) -> Result<Vec<OperatorNode>, ReconcileError> {
        let Ports {
            chain,
            state,
            signer,
            ..
        } = &self.ports;
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
}

/// The last use of a badge, which the journal does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignUse {
    /// The node whose badge was used.
    pub node: OperatorNode,
    /// The transaction.
    pub tx_digest: Digest,
}

impl From<ForeignUse> for Failure {
    fn from(used: ForeignUse) -> Self {
        Self::BadgeUsedElsewhere {
            node_small_id: used.node.node_small_id,
            tx_digest: used.tx_digest,
        }
    }
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
