//! The source of randomness for pauses.

use std::hash::{BuildHasher as _, RandomState};

/// A random number from 0 to 1. Good enough to spread pauses, and for nothing else.
pub(crate) fn random_fraction() -> f64 {
    // Each state has new keys, and the hash of nothing depends on them.
    let random = RandomState::new().hash_one(());
    let high = u32::try_from(random >> 32).unwrap_or_default();
    f64::from(high) / f64::from(u32::MAX)
}
