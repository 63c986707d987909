//! An append-only Merkle accumulator: at most 64 hashes give the root of any number of messages.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Hash32;

/// Why an accumulator can't be restored or appended to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AccumulatorError {
    /// The number of subtree roots does not match the number of messages.
    #[error("{messages} messages have {expected} subtree roots, not {found}")]
    Peaks {
        /// The number of messages.
        messages: u64,
        /// The number of subtree roots of that many messages.
        expected: u32,
        /// The number of subtree roots found.
        found: usize,
    },
    /// It already has 2⁶⁴ − 1 messages.
    #[error(
        "the accumulator already has {} messages, the most it can hold",
        u64::MAX
    )]
    Full,
}

/// The Merkle tree over a stack's message hashes, reduced to the roots of its perfect subtrees.
///
/// The contract's rule: parent = Blake2b-256(left ‖ right), and a node without a right sibling moves up
/// unchanged. Such a tree is a row of perfect subtrees, one for each bit set in the number of
/// messages, largest first, folded together from the right. The roots of these subtrees are therefore
/// all that must be stored: appending merges subtrees of equal size like the carry of a binary
/// counter, and [`root`](Self::root) folds the rest. State, append and root are O(log n).
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

    /// Restores an accumulator from its number of messages and its subtree roots.
    ///
    /// # Errors
    /// When the two don't match.
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
    /// When it already has 2⁶⁴ − 1 messages.
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

    /// The Merkle root over all messages; `None` without messages.
    pub fn root(&self) -> Option<Hash32> {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| parent(&left, &right))
    }

    /// The number of messages.
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// The roots of the perfect subtrees, largest first. Together with [`messages`](Self::messages)
    /// they are the whole state.
    pub fn peaks(&self) -> &[Hash32] {
        &self.peaks
    }
}

fn parent(left: &Hash32, right: &Hash32) -> Hash32 {
    Hash32::of(&[left.as_bytes(), right.as_bytes()])
}
