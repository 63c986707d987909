//! The circuit breaker: a pause for when one transaction after another fails.

use std::time::Duration;

use atoma_domain::TimestampMs;

use super::config::LimitsConfig;

/// Failures in a row, and the pause that they brought.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures_in_a_row: u32,
    open_until: Option<TimestampMs>,
}

impl Breaker {
    pub(super) const fn failures_in_a_row(&self) -> u32 {
        self.failures_in_a_row
    }

    /// Notes a success, which closes the breaker; says whether it was open.
    pub(super) const fn succeeded(&mut self) -> bool {
        self.failures_in_a_row = 0;
        self.open_until.take().is_some()
    }

    /// Notes a failure, which may open the breaker or make its pause longer; says whether it opened.
    pub(super) fn failed(&mut self, config: &LimitsConfig, now: TimestampMs) -> bool {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if config.breaker_failures == 0 || self.failures_in_a_row < config.breaker_failures {
            return false;
        }
        let was_open = self.open_for(config, now).is_some();
        self.open_until = Some(end_of_pause(config, now));
        !was_open
    }

    /// For how long the breaker stays open; `None` when it is closed. After its pause a single
    /// failure opens it again.
    pub(super) fn open_for(&mut self, config: &LimitsConfig, now: TimestampMs) -> Option<Duration> {
        // Setting the clock back makes no pause longer.
        let open_until = self.open_until?.min(end_of_pause(config, now));
        self.open_until = Some(open_until);
        let left_ms = open_until.get().checked_sub(now.get())?;
        (left_ms > 0).then(|| Duration::from_millis(left_ms))
    }
}

/// When a pause that begins now is over.
fn end_of_pause(config: &LimitsConfig, now: TimestampMs) -> TimestampMs {
    let pause = u64::try_from(config.breaker_pause.as_millis()).unwrap_or(u64::MAX);
    TimestampMs::new(now.get().saturating_add(pause))
}
