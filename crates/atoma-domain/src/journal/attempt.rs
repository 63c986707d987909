//! Signed transactions and what came of them.

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::ports::SignedTransaction;
use crate::{CheckpointNumber, Digest, Epoch, Mist, ObjectReference, TimestampMs, TransactionId};

/// One signed transaction for one intent or a batch of them. Once it is in the journal its bytes
/// never change: whatever happens, these are sent again, or proved dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The intents that it carries, in the order of its calls.
    pub intents: Vec<TransactionId>,
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
    pub intents: Vec<TransactionId>,
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
    pub const fn intent_status(&self) -> super::IntentStatus {
        match self {
            Self::Succeeded { .. } => super::IntentStatus::Succeeded,
            Self::Aborted { .. } | Self::Refused { .. } => super::IntentStatus::Failed,
            Self::BatchAborted { .. } | Self::Cancelled { .. } | Self::Dead { .. } => {
                super::IntentStatus::Queued
            }
        }
    }
}
