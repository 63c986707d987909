//! Records of the earlier node's PostgreSQL database, on a real server that the tests start for themselves.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test crate: its suites are no API, and fail as tests do"
)]

#[path = "../earlier/mod.rs"]
mod earlier;
mod imports;
mod server;

#[path = "../suite/fixtures.rs"]
#[allow(dead_code, reason = "these tests need only a part of it")]
mod fixtures;

/// Where the helpers find it.
mod suite {
    pub(crate) use crate::fixtures;
}
