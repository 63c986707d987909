//! The outcome of a request for one transaction.

use atoma_domain::{Digest, NodeSmallId, ObjectId};
use atoma_operator::{Completed, Registered};
use serde::Serialize;

use super::dry_run::DryRun;

/// A transaction's digest, or the estimated gas of a dry run.
#[derive(Debug, Serialize)]
pub(crate) struct DigestView {
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_digest: Option<Digest>,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl DigestView {
    const fn executed(tx_digest: Digest) -> Self {
        Self {
            tx_digest: Some(tx_digest),
            dry_run: None,
        }
    }
}

impl From<Completed> for DigestView {
    fn from(done: Completed) -> Self {
        match done {
            Completed::Executed { tx_digest, .. } => Self::executed(tx_digest),
            Completed::Rehearsed { estimated_gas } => Self {
                tx_digest: None,
                dry_run: Some(DryRun::with_gas(estimated_gas)),
            },
        }
    }
}

/// A subscription that was made or changed.
#[derive(Debug, Serialize)]
pub(crate) struct SubscribedView {
    #[serde(flatten)]
    done: DigestView,
    warnings: Vec<String>,
}

impl SubscribedView {
    pub(crate) fn new(done: Completed, warnings: Vec<String>) -> Self {
        Self {
            done: done.into(),
            warnings,
        }
    }
}

/// A registered node.
#[derive(Debug, Serialize)]
pub(crate) struct RegisteredView {
    #[serde(flatten)]
    done: DigestView,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_small_id: Option<NodeSmallId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_badge_id: Option<ObjectId>,
}

impl From<Registered> for RegisteredView {
    fn from(node: Registered) -> Self {
        match node {
            Registered::Executed {
                tx_digest,
                node_small_id,
                node_badge_id,
            } => Self {
                done: DigestView::executed(tx_digest),
                node_small_id: Some(node_small_id),
                node_badge_id: Some(node_badge_id),
            },
            Registered::Rehearsed { estimated_gas } => Self {
                done: Completed::Rehearsed { estimated_gas }.into(),
                node_small_id: None,
                node_badge_id: None,
            },
        }
    }
}
