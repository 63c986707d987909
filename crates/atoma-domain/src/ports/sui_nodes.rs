//! How the Sui nodes stand that a chain is read from.

use std::fmt;

use crate::{CheckpointNumber, TimestampMs};

/// How a Sui node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiNodeReport {
    /// Its address, without secrets.
    pub node: String,
    /// Its newest checkpoint when it was last heard of; `None` if it has told none yet.
    pub height: Option<CheckpointNumber>,
    /// The time of that checkpoint, if the node has told it.
    pub height_at: Option<TimestampMs>,
    /// Why it is left aside, if it is: others are asked in its place.
    pub left_aside: Option<LeftAside>,
    /// How many requests wait because of the limit that the configuration sets.
    pub waiting: usize,
}

/// Why a Sui node is left aside. Displays as the end of a sentence about the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAside {
    /// The kind of reason.
    pub reason: AsideReason,
    /// What was found, in words.
    pub detail: String,
}

/// The kind of reason for which a Sui node is left aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsideReason {
    /// It can't be reached, or answers with errors.
    Unreachable,
    /// It refuses requests because there were too many.
    RateLimited,
    /// It is on another chain.
    OtherChain,
    /// It is behind the other nodes, or behind the clock.
    Lags,
    /// Its height is lower than it was, or it does not have the checkpoint that it names as its newest.
    Height,
    /// It has another checkpoint than the other nodes under the same number.
    Checkpoint,
    /// It shows objects at versions that were superseded long ago.
    OldObjects,
}

impl AsideReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unreachable,
        Self::RateLimited,
        Self::OtherChain,
        Self::Lags,
        Self::Height,
        Self::Checkpoint,
        Self::OldObjects,
    ];

    /// Its name, for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::RateLimited => "rate_limited",
            Self::OtherChain => "other_chain",
            Self::Lags => "lags",
            Self::Height => "height",
            Self::Checkpoint => "checkpoint",
            Self::OldObjects => "old_objects",
        }
    }
}

impl fmt::Display for LeftAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}
