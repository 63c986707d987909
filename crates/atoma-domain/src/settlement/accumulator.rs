//! An append-only Merkle accumulator: the root of any number of messages from at most 64 hashes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Hash32;

/// A stored accumulator that can't have come from appending messages.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AccumulatorError {
    /// The number of subtree roots doesn't fit the number of messages.
    #[error("{messages} messages have {expected} subtree roots, found {found}")]
    Peaks {
        /// How many messages it claims to hold.
        messages: u64,
        /// How many subtree roots that many messages leave.
        expected: u32,
        /// How many there are.
        found: usize,
    },
    /// The stack holds as many messages as can be counted.
    #[error("no more than {} messages can be appended", u64::MAX)]
    Full,
}

/// The Merkle tree over a stack's message hashes, reduced to the roots of its perfect subtrees.
///
/// The contract's rule is: parent = Blake2b-256(left ‖ right), and a node without a right sibling
/// moves up unchanged. A tree built that way is a row of perfect subtrees, one for each bit set in
/// the number of messages, largest first, folded together from the right. So the roots of those
/// subtrees are all that must be kept: appending merges equal-sized ones as a binary counter
/// carries, and [`root`](Self::root) folds the rest. State, append and root are O(log n).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAccumulator {
    messages: u64,
    /// Largest subtree first.
    peaks: Vec<Hash32>,
}

impl StackAccumulator {
    /// An accumulator without messages.
    pub const fn new() -> Self {
        Self {
            messages: 0,
            peaks: Vec::new(),
        }
    }

    /// Restores a stored accumulator from its number of messages and its subtree roots.
    ///
    /// # Errors
    /// When the two don't fit each other.
    pub fn from_parts(messages: u64, peaks: Vec<Hash32>) -> Result<Self, AccumulatorError> {
        let expected = messages.count_ones();
        if usize::try_from(expected) != Ok(peaks.len()) {
            return Err(AccumulatorError::Peaks {
                messages,
                expected,
                found: peaks.len(),
            });
        }
        Ok(Self { messages, peaks })
    }

    /// Appends the hash of the next message.
    ///
    /// # Errors
    /// When 2⁶⁴ − 1 messages are already in.
    pub fn append(&mut self, message: Hash32) -> Result<(), AccumulatorError> {
        let messages = self.messages.checked_add(1).ok_or(AccumulatorError::Full)?;
        let mut node = message;
        for _ in 0..self.messages.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
        }
        self.peaks.push(node);
        self.messages = messages;
        Ok(())
    }

    /// The Merkle root over all messages; `None` while there is none.
    pub fn root(&self) -> Option<Hash32> {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| parent(&left, &right))
    }

    /// How many messages have been appended.
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// The roots of the perfect subtrees, largest first: with [`messages`](Self::messages) the
    /// whole state.
    pub fn peaks(&self) -> &[Hash32] {
        &self.peaks
    }
}

fn parent(left: &Hash32, right: &Hash32) -> Hash32 {
    Hash32::of(&[left.as_bytes(), right.as_bytes()])
}
