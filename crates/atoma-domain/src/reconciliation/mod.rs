//! Comparing the mirror with the contract's own state, entry by entry.
//!
//! The two are read at different times, so a difference alone proves nothing. [`is_comparable`] says when the entry that was
//! read is the one that the mirror must show; [`compare`] then names what differs.

mod compare;
mod difference;

pub use compare::{Mirrored, compare, is_comparable};
pub use difference::{Cause, Difference, DifferenceKind};
