//! Signed transactions and what came of them.

use serde::{Deserialize, Serialize};

use super::{Failure, IntentStatus};
use crate::ports::SignedTransaction;
use crate::{
    CheckpointNumber, Digest, Epoch, IntentId, Mist, ObjectId, ObjectReference, TimestampMs,
};

/// One signed transaction for one intent or a batch of them. Once it is in the journal its bytes
/// never change: whatever happens, these are sent again, or proved dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The intents that it carries, in the order of its calls.
    pub intents: Vec<IntentId>,
    /// Exact bytes, digest and signatures.
    pub transaction: SignedTransaction,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
    /// The badge version that it consumes.
    pub badge: Option<ObjectReference>,
    /// The coin versions that pay.
    pub gas: Vec<ObjectReference>,
    /// The most that it may cost.
    pub gas_budget: Mist,
}

impl Attempt {
    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.transaction.digest
    }
}

/// What is left of an execution, however it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Gas paid, net of the storage rebate; zero when the rebate was larger.
    pub gas_used: Mist,
    /// The effects in BCS.
    pub effects: Vec<u8>,
    /// The checkpoint that it is in, where the node's answer named it.
    pub checkpoint: Option<CheckpointNumber>,
    /// The badge that it made, if it registered a node.
    pub registered_badge: Option<ObjectId>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutcome {
    /// Executed: every intent of it succeeded.
    Succeeded {
        /// What is left of it.
        receipt: Receipt,
    },
    /// Executed and failed: gas is spent, and the intents failed for good.
    Aborted {
        /// Why.
        failure: Failure,
        /// What is left of it.
        receipt: Receipt,
    },
    /// Executed and failed as a batch: gas is spent, one bad intent cost the others nothing; all
    /// are queued to be tried in smaller batches.
    BatchAborted {
        /// Why. It is the attempt's failure, not yet that of any of its intents.
        failure: Failure,
        /// What is left of it.
        receipt: Receipt,
    },
    /// Executed and cancelled before the contract ran (congestion, no randomness), or out of gas
    /// within a budget that the daemon chose: gas is spent, the intents are queued for a new
    /// attempt.
    Cancelled {
        /// Why.
        reason: String,
        /// What is left of it.
        receipt: Receipt,
    },
    /// Never executed, and proved never to: the intents are queued for a new attempt.
    Dead {
        /// What proves it.
        reason: String,
    },
    /// Refused by the network before execution, and dead by proof: the intents failed for good.
    Refused {
        /// Why.
        failure: Failure,
    },
}

/// What came of which attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// The attempt.
    pub digest: Digest,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// An attempt with all that is known of it but its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its digest.
    pub digest: Digest,
    /// The intents that it carries, in the order of its calls.
    pub intents: Vec<IntentId>,
    /// Where it stands.
    pub status: AttemptStatus,
    /// The last epoch in which it can execute.
    pub expires_after: Epoch,
    /// The most that it may cost.
    pub gas_budget: Mist,
    /// Gas paid for all of it, if it was executed.
    pub gas_used: Option<Mist>,
    /// The checkpoint that it is in, once that is known.
    pub checkpoint: Option<CheckpointNumber>,
    /// The badge that it made, if it registered a node.
    pub registered_badge: Option<ObjectId>,
    /// What proves it dead, or cancelled it.
    pub reason: Option<String>,
    /// Why it was aborted or refused.
    pub failure: Option<Failure>,
    /// When it was signed.
    pub created_at: TimestampMs,
    /// When it was known what came of it.
    pub concluded_at: Option<TimestampMs>,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// Signed and written; it may be with the network.
    Signed,
    /// Executed.
    Succeeded,
    /// Executed and failed.
    Aborted,
    /// Executed and cancelled.
    Cancelled,
    /// Proved never to execute.
    Dead,
    /// Refused and dead.
    Refused,
}

impl AttemptStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Signed,
        Self::Succeeded,
        Self::Aborted,
        Self::Cancelled,
        Self::Dead,
        Self::Refused,
    ];

    /// The stable name, as in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Succeeded => "succeeded",
            Self::Aborted => "aborted",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
            Self::Refused => "refused",
        }
    }

    /// Whether the journal allows the transition.
    pub const fn can_become(self, next: Self) -> bool {
        !self.is_final() && next.is_final()
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Signed)
    }

    /// Whether an intent may stand there whose latest attempt this is. One that was never signed is
    /// `Queued` or `Failed`.
    pub const fn allows(self, intent: IntentStatus) -> bool {
        match self {
            Self::Signed => matches!(intent, IntentStatus::Submitted),
            Self::Succeeded => matches!(intent, IntentStatus::Succeeded),
            Self::Aborted | Self::Cancelled | Self::Dead => {
                matches!(intent, IntentStatus::Queued | IntentStatus::Failed)
            }
            Self::Refused => matches!(intent, IntentStatus::Failed),
        }
    }

    /// The status of that stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl AttemptOutcome {
    /// What is left of the execution, if there was one.
    pub const fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Succeeded { receipt }
            | Self::Aborted { receipt, .. }
            | Self::BatchAborted { receipt, .. }
            | Self::Cancelled { receipt, .. } => Some(receipt),
            Self::Dead { .. } | Self::Refused { .. } => None,
        }
    }

    /// Why the attempt was aborted or refused.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Aborted { failure, .. }
            | Self::BatchAborted { failure, .. }
            | Self::Refused { failure } => Some(failure),
            Self::Succeeded { .. } | Self::Cancelled { .. } | Self::Dead { .. } => None,
        }
    }

    /// What proves it dead, or cancelled it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Cancelled { reason, .. } | Self::Dead { reason } => Some(reason),
            _ => None,
        }
    }

    /// The attempt's status after it.
    pub const fn status(&self) -> AttemptStatus {
        match self {
            Self::Succeeded { .. } => AttemptStatus::Succeeded,
            Self::Aborted { .. } | Self::BatchAborted { .. } => AttemptStatus::Aborted,
            Self::Cancelled { .. } => AttemptStatus::Cancelled,
            Self::Dead { .. } => AttemptStatus::Dead,
            Self::Refused { .. } => AttemptStatus::Refused,
        }
    }

    /// The status of the attempt's intents after it.
    pub const fn intent_status(&self) -> IntentStatus {
        match self {
            Self::Succeeded { .. } => IntentStatus::Succeeded,
            Self::Aborted { .. } | Self::Refused { .. } => IntentStatus::Failed,
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
    fn an_attempts_intents_stand_where_it_allows_them() {
        let receipt = || Receipt {
            gas_used: Mist::ZERO,
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
            AttemptOutcome::Refused { failure: failure() },
        ] {
            let (attempt, intent) = (outcome.status(), outcome.intent_status());
            assert!(AttemptStatus::Signed.can_become(attempt), "{outcome:?}");
            assert!(IntentStatus::Submitted.can_become(intent), "{outcome:?}");
            assert!(attempt.allows(intent), "{outcome:?}");
            // What is done, or may yet be, is not signed for again.
            let signed_again = attempt.allows(IntentStatus::Queued);
            let is_over = matches!(
                attempt,
                AttemptStatus::Succeeded | AttemptStatus::Refused | AttemptStatus::Signed
            );
            assert_ne!(signed_again, is_over, "{outcome:?}");
        }
    }
}
