//! Why a stack of the earlier node's database is not taken.

use atoma_domain::{ComputeUnits, NodeSmallId};
use thiserror::Error;

/// Why a stack is not taken. The sentences follow 'Stack 42: '.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotTaken {
    /// Nothing was served.
    #[error("nothing was served")]
    Empty,
    /// The record here is the same.
    #[error("it was taken before")]
    TakenBefore,
    /// It was claimed.
    #[error("it has been claimed")]
    Claimed,
    /// It has a settlement ticket.
    #[error("it is in settlement")]
    InSettlement,
    /// The earlier node saw that it was settled or claimed, and the mirror has no such stack: it was claimed before the
    /// mirror began.
    #[error("the earlier node saw that it was settled or claimed, before the mirror began")]
    ClosedBefore,
    /// A transaction in this daemon's journal settles or claims it.
    #[error("a transaction of this daemon settles or claims it")]
    InTransaction,
    /// The stack is of a node that is not the operator's, as far as the mirror knows.
    #[error(
        "its node {node} is not known as one of this operator's nodes; configure the daemon with the key that owns the \
         badge, start it, wait until it is ready, stop it and import again"
    )]
    OtherNode {
        /// The selected node.
        node: NodeSmallId,
    },
    /// The mirror doesn't know the stack.
    #[error(
        "the mirror doesn't know it; start the daemon, wait until it is ready, stop it and import again"
    )]
    UnknownStack,
    /// The earlier node saw a settlement or claim that the mirror has not reached.
    #[error(
        "the earlier node saw that it was settled or claimed, and the mirror did not; start the daemon, wait until it is \
         ready, stop it and import again"
    )]
    MirrorBehind,
    /// It is a stack of another network or contract that happens to have the same number.
    #[error(
        "{column} is not that of the stack on this chain; is it the database of another network?"
    )]
    OtherStack {
        /// Which column differs.
        column: &'static str,
    },
    /// A value is missing or of another type.
    #[error("{column} can't be read")]
    Unreadable {
        /// The column.
        column: &'static str,
    },
    /// A number is negative, which no version of the earlier node means to write.
    #[error("{column} is {value}")]
    Negative {
        /// The column.
        column: &'static str,
        /// Its value.
        value: i64,
    },
    /// The hashes are not as many as the messages.
    #[error("total_hash has {bytes} bytes, which is not 32 for each of {messages} messages")]
    HashesDontFit {
        /// The length of `total_hash`.
        bytes: u64,
        /// The number of messages.
        messages: u64,
    },
    /// There are more hashes than anybody serves messages.
    #[error("total_hash has {bytes} bytes, and at most {limit} are read")]
    TooManyHashes {
        /// The length of `total_hash`.
        bytes: u64,
        /// The most that are read.
        limit: u64,
    },
    /// Units were counted, and no message.
    #[error(
        "{units} compute units were counted and no message, so there is nothing to settle from"
    )]
    UnitsWithoutMessages {
        /// The units.
        units: ComputeUnits,
    },
    /// Messages were recorded here, and the earlier ones can't be put before them.
    #[error(
        "{messages} messages are recorded here: either it was taken before and served since, or the earlier messages \
         can't be put before them"
    )]
    HasMessages {
        /// The number of messages recorded here.
        messages: u64,
    },
    /// Units are set aside here.
    #[error(
        "units are reserved here, so that only {free} are left for the {units} that were counted; release the reservations"
    )]
    Reserved {
        /// The units that were counted.
        units: ComputeUnits,
        /// The units that are left.
        free: ComputeUnits,
    },
}

impl NotTaken {
    /// A stable name of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TakenBefore => "taken_before",
            Self::OtherNode { .. } => "other_node",
            Self::Claimed => "claimed",
            Self::InSettlement => "in_settlement",
            Self::ClosedBefore => "closed_before",
            Self::InTransaction => "in_transaction",
            Self::UnknownStack => "unknown_stack",
            Self::MirrorBehind => "mirror_behind",
            Self::OtherStack { .. } => "other_stack",
            Self::Unreadable { .. } => "unreadable",
            Self::Negative { .. } => "negative",
            Self::HashesDontFit { .. } => "hashes_dont_fit",
            Self::TooManyHashes { .. } => "too_many_hashes",
            Self::UnitsWithoutMessages { .. } => "units_without_messages",
            Self::HasMessages { .. } => "has_messages",
            Self::Reserved { .. } => "reserved",
        }
    }

    /// Whether nothing is lost: there is no work, or it is settled or already here.
    pub const fn is_expected(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::TakenBefore
                | Self::Claimed
                | Self::InSettlement
                | Self::ClosedBefore
                | Self::InTransaction
        )
    }
}
