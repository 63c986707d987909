//! Intents and their states.

use serde::{Deserialize, Serialize};

use super::{Action, Actor, Failure};
use crate::{Digest, IntentId, Mist, ObjectId, TimestampMs};

/// How the transaction is to be paid; what is `None` is the daemon's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasOptions {
    /// The SUI coin that pays.
    pub coin: Option<ObjectId>,
    /// The budget; else simulated, plus a margin.
    pub budget: Option<Mist>,
    /// The price of a gas unit; else the network's reference price.
    pub price: Option<Mist>,
}

/// Something to be asked of the chain, not yet journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// What.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// Paid how.
    pub gas: GasOptions,
}

/// Something asked of the chain, in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its number in the journal.
    pub id: IntentId,
    /// What.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// Paid how.
    pub gas: GasOptions,
}

/// Where an intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// Written down; nothing of it is with the network.
    Queued,
    /// A signed transaction for it may be with the network.
    Submitted,
    /// Done on chain.
    Succeeded,
    /// Not done, and never will be by this intent.
    Failed,
}

impl IntentStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Submitted, Self::Succeeded, Self::Failed];

    /// The stable name, as in the API and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitted => "submitted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status of that stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether the journal allows the transition.
    pub const fn can_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Queued, Self::Submitted | Self::Failed)
                | (
                    Self::Submitted,
                    Self::Queued | Self::Succeeded | Self::Failed
                )
        )
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// An intent with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct IntentRecord {
    /// The intent.
    pub intent: Intent,
    /// Where it stands.
    pub status: IntentStatus,
    /// The digest of its latest transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was asked for.
    pub created_at: TimestampMs,
    /// When its status last changed.
    pub updated_at: TimestampMs,
}
