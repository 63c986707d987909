//! Signed transactions and their outcomes.

use serde::{Deserialize, Serialize};

use super::{Failure, IntentStatus};
use crate::transaction::SignedTransaction;
use crate::{
    CheckpointNumber, Digest, Epoch, IntentId, Mist, ObjectId, ObjectReference, TimestampMs,
};

/// One signed transaction for one intent or a batch of them. Its bytes never change once it is in the
/// journal: the same bytes are sent again until they have executed or are proved dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its intents, in the order of its calls.
    pub intents: Vec<IntentId>,
    /// The exact bytes, the digest and the signatures.
    pub transaction: SignedTransaction,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
    /// The badge version that it consumes.
    pub badge: Option<ObjectReference>,
    /// The coin versions that pay for it.
    pub gas: Vec<ObjectReference>,
    /// The gas budget, in MIST.
    pub gas_budget: Mist,
}

impl Attempt {
    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.transaction.digest
    }
}

/// The receipt of an execution, successful or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gas paid in MIST, net of the storage rebate; zero if the rebate was larger.
    pub gas_used: Mist,
    /// What came back in MIST, because the storage rebate was larger than the gas; zero otherwise.
    pub gas_returned: Mist,
    /// The effects in BCS.
    pub effects: Vec<u8>,
    /// The checkpoint that contains it, if the Sui node has named it.
    pub checkpoint: Option<CheckpointNumber>,
    /// The badge that it created, if it registered a node.
    pub registered_badge: Option<ObjectId>,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutcome {
    /// It executed, and all its intents succeeded.
    Succeeded {
        /// The receipt.
        receipt: Receipt,
    },
    /// It executed and failed. Gas is spent, and its intents have failed.
    Aborted {
        /// The reason.
        failure: Failure,
        /// The receipt.
        receipt: Receipt,
    },
    /// It executed and failed as a batch. Gas is spent; all intents are queued for smaller batches, so
    /// that one bad intent does not fail the others.
    BatchAborted {
        /// The failure of the attempt, which is not yet the failure of any of its intents.
        failure: Failure,
        /// The receipt.
        receipt: Receipt,
    },
    /// The network cancelled it before the contract ran (congestion, no randomness), or it ran out of
    /// gas within a budget that the daemon chose. Gas is spent; the intents are queued for a new
    /// attempt.
    Cancelled {
        /// The reason.
        reason: String,
        /// The receipt.
        receipt: Receipt,
    },
    /// It provably never executes. The intents are queued for a new attempt.
    Dead {
        /// The proof.
        reason: String,
    },
}

/// The conclusion of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// The attempt.
    pub digest: Digest,
    /// Its outcome.
    pub outcome: AttemptOutcome,
}

/// Everything that the journal knows about an attempt, except its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its digest.
    pub digest: Digest,
    /// Its intents, in the order of its calls.
    pub intents: Vec<IntentId>,
    /// Its status.
    pub status: AttemptStatus,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
    /// The gas budget, in MIST.
    pub gas_budget: Mist,
    /// The gas paid for the whole transaction in MIST, if it executed; zero if its storage rebate was larger.
    pub gas_used: Option<Mist>,
    /// What came back for the whole transaction in MIST, if it executed, because its storage rebate was larger.
    pub gas_returned: Option<Mist>,
    /// The checkpoint that contains it, once known.
    pub checkpoint: Option<CheckpointNumber>,
    /// The badge that it created, if it registered a node.
    pub registered_badge: Option<ObjectId>,
    /// Why it never executes, or why it was cancelled.
    pub reason: Option<String>,
    /// Why it aborted.
    pub failure: Option<Failure>,
    /// When it was signed.
    pub created_at: TimestampMs,
    /// When its outcome became known.
    pub concluded_at: Option<TimestampMs>,
}

/// The status of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptStatus {
    /// Signed and in the journal; it may have reached the network.
    Signed,
    /// Executed successfully.
    Succeeded,
    /// Executed and failed.
    Aborted,
    /// Executed and cancelled by the network.
    Cancelled,
    /// Proved never to execute.
    Dead,
}

impl AttemptStatus {
    /// All statuses.
    pub const ALL: [Self; 5] = [
        Self::Signed,
        Self::Succeeded,
        Self::Aborted,
        Self::Cancelled,
        Self::Dead,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Succeeded => "succeeded",
            Self::Aborted => "aborted",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether the journal allows the transition.
    pub const fn can_become(self, next: Self) -> bool {
        !self.is_final() && next.is_final()
    }

    /// Whether the status can no longer change.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Signed)
    }

    /// Whether an intent whose latest attempt has this status may have that status. An intent without
    /// an attempt is `Queued` or `Failed`.
    pub const fn allows(self, intent: IntentStatus) -> bool {
        match self {
            Self::Signed => matches!(intent, IntentStatus::Submitted),
            Self::Succeeded => matches!(intent, IntentStatus::Succeeded),
            Self::Aborted | Self::Cancelled | Self::Dead => {
                matches!(intent, IntentStatus::Queued | IntentStatus::Failed)
            }
        }
    }

    /// The status with that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl AttemptOutcome {
    /// The receipt, if it executed.
    pub const fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Succeeded { receipt }
            | Self::Aborted { receipt, .. }
            | Self::BatchAborted { receipt, .. }
            | Self::Cancelled { receipt, .. } => Some(receipt),
            Self::Dead { .. } => None,
        }
    }

    /// Why the attempt aborted.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Aborted { failure, .. } | Self::BatchAborted { failure, .. } => Some(failure),
            Self::Succeeded { .. } | Self::Cancelled { .. } | Self::Dead { .. } => None,
        }
    }

    /// Why it never executes, or why it was cancelled.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Cancelled { reason, .. } | Self::Dead { reason } => Some(reason),
            _ => None,
        }
    }

    /// The attempt's status after this outcome.
    pub const fn status(&self) -> AttemptStatus {
        match self {
            Self::Succeeded { .. } => AttemptStatus::Succeeded,
            Self::Aborted { .. } | Self::BatchAborted { .. } => AttemptStatus::Aborted,
            Self::Cancelled { .. } => AttemptStatus::Cancelled,
            Self::Dead { .. } => AttemptStatus::Dead,
        }
    }

    /// The status of the attempt's intents after this outcome.
    pub const fn intent_status(&self) -> IntentStatus {
        match self {
            Self::Succeeded { .. } => IntentStatus::Succeeded,
            Self::Aborted { .. } => IntentStatus::Failed,
            Self::BatchAborted { .. } | Self::Cancelled { .. } | Self::Dead { .. } => {
                IntentStatus::Queued
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_leads_to_statuses_that_agree() {
        let receipt = || Receipt {
            gas_used: Mist::ZERO,
            gas_returned: Mist::ZERO,
            effects: Vec::new(),
            checkpoint: None,
            registered_badge: None,
        };
        let failure = || Failure::ShuttingDown {};
        let reason = String::new;
        for outcome in [
            AttemptOutcome::Succeeded { receipt: receipt() },
            AttemptOutcome::Aborted {
                failure: failure(),
                receipt: receipt(),
            },
            AttemptOutcome::BatchAborted {
                failure: failure(),
                receipt: receipt(),
            },
            AttemptOutcome::Cancelled {
                reason: reason(),
                receipt: receipt(),
            },
            AttemptOutcome::Dead { reason: reason() },
        ] {
            let (attempt, intent) = (outcome.status(), outcome.intent_status());
            assert!(AttemptStatus::Signed.can_become(attempt), "{outcome:?}");
            assert!(IntentStatus::Submitted.can_become(intent), "{outcome:?}");
            assert!(attempt.allows(intent), "{outcome:?}");
            // An intent that is done, or may still be done, is not signed again.
            let signed_again = attempt.allows(IntentStatus::Queued);
            let is_over = matches!(attempt, AttemptStatus::Succeeded | AttemptStatus::Signed);
            assert_ne!(signed_again, is_over, "{outcome:?}");
        }
    }
}
