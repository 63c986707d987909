//! The commitment of a node that settles a stack.
//!
//! Each served request/response pair adds one 32-byte hash, and the [Merkle root](StackAccumulator)
//! over them is updated message by message. At settlement the root gives one [`leaf`] for each node
//! that verifies the work, and the [`commitment`] over all leaves. The contract recomputes the
//! commitment when the last attestation arrives: a wrong one puts an honestly attested stack into a
//! dispute, which this revision of the contract can't resolve.

mod accumulator;
mod commitment;

pub use accumulator::{AccumulatorError, StackAccumulator};
pub use commitment::{
    CommitmentError, Leaf, MAX_EXTRA_NODES, SELECTED_NODE_INDEX, SettlementProof, commitment,
    is_commitment_over, leaf,
};

#[cfg(test)]
mod tests;
