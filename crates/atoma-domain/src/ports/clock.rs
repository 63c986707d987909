//! The time.

use std::fmt::Debug;

use crate::TimestampMs;

/// The source of the current time, which tests can set.
pub trait Clock: Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> TimestampMs;
}
