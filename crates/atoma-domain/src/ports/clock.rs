//! The time.

use std::fmt::Debug;

use crate::TimestampMs;

/// Tells the time, so that tests can set it.
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> TimestampMs;
}
