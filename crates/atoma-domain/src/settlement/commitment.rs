//! Leaves, and the commitment over them (`try_settle_stack`,
//! `submit_stack_settlement_attestation`).

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use thiserror::Error;

use crate::Hash32;

/// One node's share of a commitment: Blake2b-256(index ‖ root).
pub type Leaf = Hash32;

/// The leaf index of the stack's selected node. The node at place `k` of
/// `requested_attestation_nodes` has index `k + 1`.
pub const SELECTED_NODE_INDEX: u8 = 0;

/// The largest number of extra nodes: a leaf's index is one byte.
pub const MAX_EXTRA_NODES: u64 = 255;

/// Why a commitment can't be computed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CommitmentError {
    /// The contract requires more extra nodes than a one-byte leaf index can number.
    #[error(
        "the contract requires {0} extra nodes, but a commitment supports at most {MAX_EXTRA_NODES}"
    )]
    TooManyExtraNodes(u64),
    /// A ticket's leaves are not a whole number of 32-byte slots, or too few.
    #[error("a ticket with {leaves_len} bytes of leaves can't have {requested} requested nodes")]
    MalformedTicket {
        /// The length of `stack_merkle_leaves_vector`.
        leaves_len: usize,
        /// The length of `requested_attestation_nodes`.
        requested: usize,
    },
}

/// The leaf over a stack's root of the node with that index.
pub fn leaf(index: u8, root: &Hash32) -> Leaf {
    Hash32::of(&[&[index], root.as_bytes()])
}

/// The commitment (`committed_stack_proof`) over a stack's root:
/// Blake2b-256(`leaf(0)` ‖ … ‖ `leaf(drawn)` ‖ 32 · (`extra_nodes` − `drawn`) zero bytes).
///
/// `extra_nodes` is the AtomaDb's `cross_validation_extra_nodes_count`. `drawable` is the number of
/// eligible entries in the task's subscriber list, and `drawn` the smaller of both. The contract
/// leaves the slots of nodes that were not drawn zero.
///
/// # Errors
/// When `extra_nodes` is more than [`MAX_EXTRA_NODES`].
pub fn commitment(
    root: &Hash32,
    extra_nodes: u64,
    drawable: u64,
) -> Result<Hash32, CommitmentError> {
    let extra =
        u8::try_from(extra_nodes).map_err(|_| CommitmentError::TooManyExtraNodes(extra_nodes))?;
    let drawn = u8::try_from(drawable).unwrap_or(u8::MAX).min(extra);
    let leaves: Vec<Hash32> = (0..=extra)
        .map(|index| {
            if index <= drawn {
                leaf(index, root)
            } else {
                Hash32::ZERO
            }
        })
        .collect();
    let parts: Vec<&[u8]> = leaves
        .iter()
        .map(|leaf| leaf.as_bytes().as_slice())
        .collect();
    Ok(Hash32::of(&parts))
}

/// Whether a commitment over this root is the settlement's, for a ticket that asks for `requested` nodes. The number
/// of extra nodes is not in the events of a settlement, so it may be any that the contract allows.
pub fn is_commitment_over(root: &Hash32, committed: &[u8], requested: usize) -> bool {
    let Ok(drawn) = u8::try_from(requested) else {
        return false;
    };
    let mut leaves = Blake2b::<U32>::new();
    for index in 0..=drawn {
        leaves.update(leaf(index, root).as_bytes());
    }
    // One empty slot more at a time.
    (drawn..=u8::MAX).any(|_| {
        let is_it = leaves.clone().finalize()[..] == *committed;
        leaves.update(Hash32::ZERO.as_bytes());
        is_it
    })
}

/// What one node sends for one stack: the commitment and its own leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementProof {
    /// The commitment over all leaves (`committed_stack_proof`).
    pub commitment: Hash32,
    /// The node's leaf (`stack_merkle_leaf`).
    pub leaf: Leaf,
}

impl SettlementProof {
    /// The selected node's proof.
    ///
    /// # Errors
    /// As [`commitment`].
    pub fn of_selected_node(
        root: &Hash32,
        extra_nodes: u64,
        drawable: u64,
    ) -> Result<Self, CommitmentError> {
        Ok(Self {
            commitment: commitment(root, extra_nodes, drawable)?,
            leaf: leaf(SELECTED_NODE_INDEX, root),
        })
    }

    /// The proof of the node at `place` (from 0) of a ticket's `requested` nodes. The number of extra
    /// nodes comes from the length of the ticket's leaves, because the AtomaDb may have changed since.
    ///
    /// # Errors
    /// When the ticket's `leaves_len` (in bytes) and `requested` don't match, or when `place` is not
    /// below `requested` or has no one-byte index.
    pub fn of_attester(
        root: &Hash32,
        leaves_len: usize,
        requested: usize,
        place: usize,
    ) -> Result<Self, CommitmentError> {
        let malformed = CommitmentError::MalformedTicket {
            leaves_len,
            requested,
        };
        if !leaves_len.is_multiple_of(32) || place >= requested {
            return Err(malformed);
        }
        let extra = (leaves_len / 32).checked_sub(1).ok_or(malformed)?;
        let extra_nodes = u64::try_from(extra).map_err(|_| malformed)?;
        let drawn = u64::try_from(requested).map_err(|_| malformed)?;
        let index = u8::try_from(place)
            .ok()
            .and_then(|place| place.checked_add(1))
            .ok_or(CommitmentError::TooManyExtraNodes(extra_nodes))?;
        if drawn > extra_nodes {
            return Err(malformed);
        }
        Ok(Self {
            commitment: commitment(root, extra_nodes, drawn)?,
            leaf: leaf(index, root),
        })
    }
}
