//! Comparing the database with the chain: whose badges the operator owns, and who used them.

use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::{Digest, ObjectReference};

use crate::badges::{ReconcileError, own_nodes, unknown_use};
use crate::ports::Ports;
use crate::readiness::Readiness;

impl Readiness {
    /// Compares the journal with the chain and returns the badges whose last transaction the journal does
    /// not know: other software uses the same key, or the database is new or an old copy. A badge that was
    /// registered elsewhere and never used is none of them. The badges are those of the operator's nodes in
    /// the mirror: [reconcile](Self::reconcile_nodes) them first.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn foreign_uses(&self) -> Result<Vec<ForeignUse>, ReconcileError> {
        let journal = &self.ports.journal;
        let unfinished = journal.unfinished().await?;
        let signed = unfinished.iter().filter_map(|open| open.attempt.as_ref());
        let signed: Vec<_> = signed.filter_map(|open| open.badge.as_ref()).collect();
        let address = self.ports.signer.address();
        let mut nodes = self.ports.state.operator_nodes().await?;
        nodes.retain(|node| node.address == address);
        let mut foreign = Vec::new();
        for node in nodes {
            let id = node.node_badge_id;
            let Some(last) = unknown_use(&self.ports, id).await? else {
                continue;
            };
            // A badge still at the signed version proves nothing: anybody may have brought it there.
            let is_gone = |signed: &&ObjectReference| {
                *signed.object_id() == id && signed.version() < last.version
            };
            let is_known = journal.last_use(id).await?.is_some() || signed.iter().any(is_gone);
            if is_known || !last.is_registration {
                let tx_digest = last.tx_digest;
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

    /// Replaces the operator's nodes in the mirror with those whose badges its address owns on chain.
    ///
    /// # Errors
    /// When the chain can't be read or the database can't be written.
    pub async fn reconcile_nodes(&self) -> Result<(), ReconcileError> {
        let nodes = own_nodes(&self.ports).await?;
        let Ports { events, signer, .. } = &self.ports;
        events.set_operator_nodes(signer.address(), &nodes).await?;
        Ok(())
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
