//! The network's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The timestamp of genesis: 1 January 2025, 00:00 UTC.
///
/// It is fixed so that the seed alone determines the chain identifier.
pub(crate) const GENESIS_TIMESTAMP_MS: u64 = 1_735_689_600_000;

/// Milliseconds since the Unix epoch, for checkpoint timestamps.
#[expect(
    clippy::disallowed_methods,
    reason = "a network timestamps its checkpoints itself; nothing else here reads the wall clock"
)]
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(GENESIS_TIMESTAMP_MS)
}
