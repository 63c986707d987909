//! What the books are made from: recorded transactions.

use std::collections::BTreeMap;

use super::StackTerms;
use crate::{
    Address, ComputeUnits, Digest, Epoch, MicroUsdc, NodeSmallId, StackSmallId, TimestampMs,
};

/// A transaction of the contract that concerned the operator's nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedTransaction {
    /// Its number in the books, in ledger order.
    pub sequence: u64,
    /// Its digest.
    pub digest: Digest,
    /// The time of its checkpoint.
    pub timestamp: TimestampMs,
    /// Its epoch.
    pub epoch: Epoch,
    /// The version that it gave the `AtomaDb`; `None` if it is unknown.
    pub contract_version: Option<u64>,
    /// Its sender, who is paid by its claims.
    pub sender: Address,
    /// Whether it has purchases or claims that are not in the books, because they don't concern the operator's nodes.
    pub has_others: bool,
    /// How it changed balances of USDC; `None` if the Sui node didn't tell.
    pub balance_changes: Option<BTreeMap<Address, i128>>,
    /// What it did, in order.
    pub entries: Vec<BookEntry>,
}

/// What a transaction did to a stack or a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookEntry {
    /// A node was registered. From then on the books are complete for it.
    Registered {
        /// The node.
        node: NodeSmallId,
    },
    /// A stack was bought.
    Bought {
        /// The stack.
        stack: StackSmallId,
        /// The selected node.
        node: NodeSmallId,
        /// Its terms; `None` if the mirror doesn't know its task.
        terms: Option<StackTerms>,
    },
    /// A stack was settled.
    Settled {
        /// The stack.
        stack: StackSmallId,
        /// The node that settled it.
        node: NodeSmallId,
        /// The units that it claims.
        claimed: ComputeUnits,
    },
    /// A settlement was attested.
    Attested {
        /// The stack.
        stack: StackSmallId,
        /// The attester.
        node: NodeSmallId,
    },
    /// A settlement was disputed.
    Disputed {
        /// The stack.
        stack: StackSmallId,
        /// The plaintiff.
        node: NodeSmallId,
    },
    /// A stack was claimed.
    Claimed(BookedClaim),
    /// A node withdrew its shares without a claim (`withdraw_fees`, which emits no event).
    Withdrawn {
        /// The node.
        node: NodeSmallId,
    },
}

/// A claim, with what its amounts depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedClaim {
    /// The stack.
    pub stack: StackSmallId,
    /// The node that was paid.
    pub node: NodeSmallId,
    /// The units that were paid.
    pub claimed: ComputeUnits,
    /// The refund that the event names.
    pub refund: MicroUsdc,
    /// The stack's terms; `None` if the mirror doesn't know the stack or its task.
    pub terms: Option<StackTerms>,
    /// The nodes drawn to attest, in order; empty for a confidential claim.
    pub requested: Vec<NodeSmallId>,
    /// The nodes that had attested.
    pub attested: Vec<NodeSmallId>,
}

impl BookEntry {
    /// The stack that it is about, if it is about one.
    pub const fn stack(&self) -> Option<StackSmallId> {
        match self {
            Self::Registered { .. } | Self::Withdrawn { .. } => None,
            Self::Bought { stack, .. }
            | Self::Settled { stack, .. }
            | Self::Attested { stack, .. }
            | Self::Disputed { stack, .. }
            | Self::Claimed(BookedClaim { stack, .. }) => Some(*stack),
        }
    }
}

/// What the books have about one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackRecords {
    /// The transactions that did something to it, in order, each with those entries alone.
    pub transactions: Vec<BookedTransaction>,
    /// The gas of the operator's own transactions about it.
    pub gas: Vec<super::GasLine>,
}
