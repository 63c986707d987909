//! Comparing the database with the chain: whose badges the operator owns, and who used them.

use atoma_domain::journal::Failure;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{Chain, Journal};
use atoma_domain::{Digest, ObjectReference};

use crate::badge_use::{UseKind, unknown_use};
use crate::badges::{ReconcileError, own_nodes};
use crate::ports::Ports;
use crate::readiness::Readiness;

impl Readiness {
    /// The [foreign uses](foreign_uses) of the operator's nodes in the mirror: [reconcile](Self::reconcile_nodes) them
    /// first.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn foreign_uses(&self) -> Result<Vec<ForeignUse>, ReconcileError> {
        let Ports {
            chain,
            journal,
            state,
            signer,
            ..
        } = &self.ports;
        let mut nodes = state.operator_nodes().await?;
        nodes.retain(|node| node.address == signer.address());
        let Unknown { foreign, rotations } =
            unknown_uses(chain.as_ref(), Some(journal.as_ref()), nodes).await?;
        // So that they are known even when the Sui node has pruned them.
        self.acknowledge(&rotations).await?;
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

/// Compares the journal with the chain and returns those of these nodes whose badges were last used by a transaction
/// that the journal does not know: other software uses the same key, or the database is new or an old copy. A badge
/// that was registered elsewhere and never used is none of them, and neither is one that was only used to rotate the
/// node's key since its last known use. Without a journal, none was used here. Those that are not
/// [shown](ForeignUse::is_shown) may be harmless.
///
/// # Errors
/// When the chain or the database can't be read.
pub async fn foreign_uses(
    chain: &dyn Chain,
    journal: Option<&dyn Journal>,
    nodes: Vec<OperatorNode>,
) -> Result<Vec<ForeignUse>, ReconcileError> {
    Ok(unknown_uses(chain, journal, nodes).await?.foreign)
}

/// The last uses that the journal does not know.
#[derive(Debug, Default)]
struct Unknown {
    foreign: Vec<ForeignUse>,
    /// Key rotations.
    rotations: Vec<ForeignUse>,
}

async fn unknown_uses(
    chain: &dyn Chain,
    journal: Option<&dyn Journal>,
    nodes: Vec<OperatorNode>,
) -> Result<Unknown, ReconcileError> {
    let unfinished = match journal {
        Some(journal) => journal.unfinished().await?,
        None => Vec::new(),
    };
    let signed = unfinished.iter().filter_map(|open| open.attempt.as_ref());
    let signed: Vec<_> = signed.filter_map(|open| open.badge.as_ref()).collect();
    let mut unknown = Unknown::default();
    for node in nodes {
        let id = node.node_badge_id;
        let Some(last) = unknown_use(chain, journal, id).await? else {
            continue;
        };
        let used = ForeignUse {
            node,
            tx_digest: last.tx_digest,
            is_shown: last.kind != UseKind::Unclear,
        };
        if last.kind == UseKind::KeyRotation {
            unknown.rotations.push(used);
            continue;
        }
        // A badge still at the signed version proves nothing: anybody may have brought it there.
        let is_gone = |signed: &&ObjectReference| {
            *signed.object_id() == id && signed.version() < last.version
        };
        let is_used = match journal {
            Some(journal) => journal.last_use(id).await?.is_some(),
            None => false,
        };
        if is_used || signed.iter().any(is_gone) || last.kind != UseKind::Registration {
            unknown.foreign.push(used);
        }
    }
    Ok(unknown)
}

/// The last use of a badge, which the journal does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignUse {
    /// The node whose badge was used.
    pub node: OperatorNode,
    /// The transaction.
    pub tx_digest: Digest,
    /// Whether the Sui node shows what it was. If not, it may have been a rotation of the node's key: ask again.
    pub is_shown: bool,
}

impl From<ForeignUse> for Failure {
    fn from(used: ForeignUse) -> Self {
        Self::BadgeUsedElsewhere {
            node_small_id: used.node.node_small_id,
            tx_digest: used.tx_digest,
        }
    }
}
