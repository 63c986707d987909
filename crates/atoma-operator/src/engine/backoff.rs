//! Pauses between tries.

use std::time::Duration;

use super::EngineConfig;

/// A pause that doubles each time, up to a limit.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    limit: Duration,
}

impl Backoff {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self::starting_at(config.backoff, config)
    }

    /// Pauses after the network cancelled a transaction.
    pub(super) fn for_congestion(config: &EngineConfig) -> Self {
        Self::starting_at(config.congestion_backoff, config)
    }

    fn starting_at(first: Duration, config: &EngineConfig) -> Self {
        Self {
            next: first,
            limit: config.backoff_limit.max(first),
        }
    }

    /// Waits for the next pause to pass.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.take()).await;
    }

    /// The next pause, for callers that wait in their own way.
    pub(super) fn take(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(self.limit);
        pause
    }
}
