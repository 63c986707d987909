//! The result of one stack of a request.

use atoma_domain::journal::{Failure, IntentStatus};
use atoma_domain::{Digest, IntentId, Mist, NodeSmallId, StackSmallId};

/// The result of one stack of a request, or of one stack and node.
#[derive(Clone, Debug, PartialEq)]
pub struct StackResult {
    /// The stack.
    pub stack_small_id: StackSmallId,
    /// The node that acts, if known.
    pub node_small_id: Option<NodeSmallId>,
    /// How far it got.
    pub status: StackStatus,
    /// The digest of its latest transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Its number in the journal, if it was journalled.
    pub transaction_id: Option<IntentId>,
    /// The gas that it would need, in MIST, if this was a dry run.
    pub estimated_gas: Option<Mist>,
    /// Why it failed, or why it waits.
    pub failure: Option<Failure>,
    /// Warnings to the operator.
    pub warnings: Vec<String>,
}

/// How far one stack of a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackStatus {
    /// Its transaction executed, or would succeed.
    Succeeded,
    /// It failed or was refused, and nothing more happens to it.
    Failed,
    /// It is under way.
    Pending,
}

impl StackResult {
    /// A result to fill in: failed, without a reason.
    pub(super) const fn unstarted(
        stack_small_id: StackSmallId,
        node_small_id: Option<NodeSmallId>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            stack_small_id,
            node_small_id,
            status: StackStatus::Failed,
            tx_digest: None,
            transaction_id: None,
            estimated_gas: None,
            failure: None,
            warnings,
        }
    }
}

impl From<IntentStatus> for StackStatus {
    fn from(status: IntentStatus) -> Self {
        match status {
            IntentStatus::Succeeded => Self::Succeeded,
            IntentStatus::Failed => Self::Failed,
            IntentStatus::Queued | IntentStatus::Submitted => Self::Pending,
        }
    }
}
