//! The lines of the books, and the differences that were found.

use crate::{Digest, Epoch, MicroUsdc, NodeSmallId, StackSmallId, TaskSmallId, TimestampMs};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// A buyer paid for a stack, into the contract's treasury.
    Bought,
    /// The selected node was paid for a claimed stack.
    Fee,
    /// The buyer got back what was not claimed.
    Refund,
    /// An attester was credited its share. The contract owes it until the node withdraws it.
    Share,
    /// A drawn attester had not attested when the stack was claimed, and lost this share.
    Forfeited,
    /// A node was paid its shares, with a claim or by a withdrawal of its own.
    Withdrawn,
}

impl LineKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Bought,
        Self::Fee,
        Self::Refund,
        Self::Share,
        Self::Forfeited,
        Self::Withdrawn,
    ];

    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Fee => "fee",
            Self::Refund => "refund",
            Self::Share => "share",
            Self::Forfeited => "forfeited",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One amount, of one node, in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookLine {
    /// The number of the transaction in the books.
    pub sequence: u64,
    /// The transaction.
    pub digest: Digest,
    /// The time of its checkpoint.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// What it is about.
    pub kind: LineKind,
    /// The operator's node.
    pub node: NodeSmallId,
    /// The stack; `None` for a withdrawal.
    pub stack: Option<StackSmallId>,
    /// The stack's task, if it is known.
    pub task: Option<TaskSmallId>,
    /// The amount; `None` if what it depends on was not mirrored.
    pub amount: Option<MicroUsdc>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// The refund that an event names is not the one by the contract's rules.
    Refund,
    /// A balance changed by another amount than the transaction's purchases, claims, refunds and withdrawals add up to.
    Balance,
    /// The contract's rules give no amount for what was claimed or bought: it should have aborted.
    Impossible,
}

impl DifferenceKind {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Balance => "balance",
            Self::Impossible => "impossible",
        }
    }
}

/// Two numbers that should be the same. Amounts are in micro-USDC; what is paid by the address is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookDifference {
    /// The number of the transaction in the books.
    pub sequence: u64,
    /// The transaction.
    pub digest: Digest,
    /// The time of its checkpoint.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// What differs.
    pub kind: DifferenceKind,
    /// The stack, if it is about one.
    pub stack: Option<StackSmallId>,
    /// Whose balance, if it is about one.
    pub address: Option<crate::Address>,
    /// The amount by the contract's rules; `None` if they give none.
    pub computed: Option<i128>,
    /// The amount in the event or of the balance.
    pub recorded: i128,
}
