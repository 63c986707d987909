//! The time.

use std::fmt::Debug;
use std::time::Duration;

use crate::TimestampMs;

/// The source of the current time, which tests can set.
pub trait Clock: Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> TimestampMs;

    /// The time that has passed since an arbitrary moment, whatever the clock was set to meanwhile. For what must
    /// not end because a clock jumps. Unless it is implemented, it follows the current time.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().get())
    }
}
