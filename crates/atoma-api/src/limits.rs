//! How much of the daemon requests may use at once.

use std::time::Duration;

/// Bounds on what requests may use, so that neither many lists nor many slow clients keep the daemon
/// from recording served work and settling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiLimits {
    /// Open connections. Further ones wait in the system's queue.
    pub connections: usize,
    /// Lists that are read from the database at once. Smaller than the number of connections that the
    /// database keeps for lists, so that use cases, which read short lists, never wait for a turn.
    pub lists: usize,
    /// Lists in memory whose client has not read all of them yet.
    pub list_answers: usize,
    /// How long a list waits for its turn before it is refused with 503.
    pub list_wait: Duration,
    /// How long a client may read nothing of an answer before its connection is closed.
    pub write_idle: Duration,
    /// The longest pause while a request body arrives.
    pub body_idle: Duration,
    /// The longest time for a whole request body.
    pub body_whole: Duration,
    /// Bytes of the buffers of all request bodies that are longer than 16 KiB. Shorter ones are never refused.
    pub body_bytes: usize,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            lists: 2,
            list_answers: 16,
            list_wait: Duration::from_secs(1),
            write_idle: Duration::from_secs(10),
            body_idle: Duration::from_secs(10),
            body_whole: Duration::from_secs(60),
            body_bytes: 8 << 20,
        }
    }
}
