//! Intents and their statuses.

use serde::{Deserialize, Serialize};

use super::{Action, Actor, Failure};
use crate::{Digest, IntentId, Mist, ObjectId, TimestampMs};

/// How to pay for a transaction. The daemon chooses what is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasOptions {
    /// The SUI coin to pay with.
    pub coin: Option<ObjectId>,
    /// The budget in MIST; by default a simulation's result plus a margin.
    pub budget: Option<Mist>,
    /// The price of a gas unit in MIST; by default the network's reference gas price.
    pub price: Option<Mist>,
}

/// An action that is not in the journal yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIntent {
    /// The action.
    pub action: Action,
    /// Who acts.
    pub actor: Actor,
    /// How to pay.
    pub gas: GasOptions,
}

/// An action in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its number in the journal.
    pub id: IntentId,
    /// The action.
    pub action: Action,
    /// Who acts.
    pub actor: Actor,
    /// How to pay.
    pub gas: GasOptions,
}

/// The status of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = TransactionStatus))]
pub enum IntentStatus {
    /// In the journal; no transaction for it can execute.
    Queued,
    /// A signed transaction for it may have reached the network.
    Submitted,
    /// Done on chain.
    Succeeded,
    /// Not done, and this intent will never be.
    Failed,
}

impl IntentStatus {
    /// All statuses.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Submitted, Self::Succeeded, Self::Failed];

    /// The stable names of all statuses.
    pub const NAMES: [&'static str; 4] = [
        Self::Queued.as_str(),
        Self::Submitted.as_str(),
        Self::Succeeded.as_str(),
        Self::Failed.as_str(),
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitted => "submitted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status with that name, if there is one.
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

    /// Whether the status can no longer change.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Everything that the journal knows about an intent, except its attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct IntentRecord {
    /// The intent.
    pub intent: Intent,
    /// Its status.
    pub status: IntentStatus,
    /// The digest of its latest transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was opened.
    pub created_at: TimestampMs,
    /// When its status last changed.
    pub updated_at: TimestampMs,
}
