//! Values as metrics have them.

use crate::written::float;

pub(crate) const fn flag(is_set: bool) -> f64 {
    if is_set { 1.0 } else { 0.0 }
}

pub(crate) fn count(number: usize) -> f64 {
    float(u128::try_from(number).unwrap_or(u128::MAX))
}

/// Milliseconds as seconds.
pub(crate) fn seconds(ms: u64) -> f64 {
    float(ms.into()) / 1_000.0
}
