//! The network's clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The timestamp of genesis: 1 January 2025, 00:00 UTC.
///
/// It is fixed so that the seed alone determines the chain identifier.
pub(crate) const GENESIS_TIMESTAMP_MS: u64 = 1_735_689_600_000;

/// The network's clock: the system's, plus what it was set ahead.
#[derive(Debug, Default)]
pub(crate) struct NetworkClock {
    ahead_ms: AtomicU64,
}

impl NetworkClock {
    /// Milliseconds since the Unix epoch.
    #[expect(
        clippy::disallowed_methods,
        reason = "a network timestamps its checkpoints itself; nothing else here reads the wall clock"
    )]
    pub(crate) fn now_ms(&self) -> u64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
            .unwrap_or(GENESIS_TIMESTAMP_MS);
        system.saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Sets the clock ahead by `ms` milliseconds.
    pub(crate) fn advance(&self, ms: u64) {
        self.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
