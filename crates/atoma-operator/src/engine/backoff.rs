//! Pauses between tries.

use std::time::Duration;

use super::EngineConfig;

/// A pause that doubles each time, up to a limit, and is shortened at random by up to half.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    limit: Duration,
    jitter: fn() -> f64,
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
            jitter: config.jitter,
        }
    }

    /// Waits for the next pause to pass.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.take()).await;
    }

    /// The next pause, for callers that wait in their own way.
    pub(super) fn take(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + 0.5 * (self.jitter)());
        self.next = (self.next * 2).min(self.limit);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_are_spread() {
        let pauses = |jitter| {
            let mut backoff = Backoff::new(&EngineConfig {
                backoff: Duration::from_millis(100),
                backoff_limit: Duration::from_millis(300),
                jitter,
                ..EngineConfig::default()
            });
            [(); 4].map(|()| backoff.take().as_millis())
        };
        assert_eq!(pauses(|| 1.0), [100, 200, 300, 300]);
        assert_eq!(pauses(|| 0.5), [75, 150, 225, 225]);
        assert_eq!(pauses(|| 0.0), [50, 100, 150, 150]);
    }
}
