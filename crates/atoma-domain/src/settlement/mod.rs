//! What a node commits to when it settles a stack.
//!
//! Each served request/response pair leaves one 32-byte hash. Their [Merkle root](StackAccumulator)
//! is kept up to date message by message; at settlement it gives one [`leaf`] per node that
//! checks the work and the [`commitment`] over all leaves, which the contract
//! recomputes once the last attestation has come. A wrong commitment sends an honestly attested
//! stack into a dispute that nothing resolves.

mod accumulator;
mod commitment;

pub use accumulator::{AccumulatorError, StackAccumulator};
pub use commitment::{
    CommitmentError, Leaf, MAX_EXTRA_NODES, SELECTED_NODE_INDEX, SettlementProof, commitment, leaf,
};

#[cfg(test)]
mod tests;
