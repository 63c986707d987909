//! Brakes on spending: a daily cap on gas, and a breaker for when one transaction after another
//! fails.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::journal::Failure;
use atoma_domain::ports::{Clock, Journal, StoreError};
use atoma_domain::{Mist, TimestampMs};

/// What the cap looks back on: 24 hours.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The brakes' settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// The most gas that may be spent in 24 hours, in MIST; `None` is no cap.
    pub daily_gas_cap: Option<Mist>,
    /// After how many failed transactions in a row writes are paused; 0 is never.
    pub breaker_failures: u32,
    /// For how long.
    pub breaker_pause: Duration,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            daily_gas_cap: None,
            breaker_failures: 20,
            breaker_pause: Duration::from_secs(300),
        }
    }
}

/// The brakes.
#[derive(Debug)]
pub(super) struct Guard {
    config: GuardConfig,
    breaker: Mutex<Breaker>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures_in_a_row: u32,
    open_until: Option<TimestampMs>,
}

impl Guard {
    pub(super) fn new(config: GuardConfig) -> Self {
        Self {
            config,
            breaker: Mutex::default(),
        }
    }

    /// Notes how a transaction that reached the network ended.
    pub(super) fn note(&self, succeeded: bool, now: TimestampMs) {
        let mut breaker = self.breaker();
        if succeeded {
            *breaker = Breaker::default();
            return;
        }
        breaker.failures_in_a_row = breaker.failures_in_a_row.saturating_add(1);
        if self.config.breaker_failures > 0
            && breaker.failures_in_a_row >= self.config.breaker_failures
        {
            let pause = u64::try_from(self.config.breaker_pause.as_millis()).unwrap_or(u64::MAX);
            breaker.open_until = Some(TimestampMs::new(now.get().saturating_add(pause)));
        }
    }

    /// Why nothing is taken in, if so. After the pause one failure opens the breaker again.
    pub(super) fn pause(&self, now: TimestampMs) -> Option<Failure> {
        let breaker = self.breaker();
        let left_ms = breaker.open_until?.get().checked_sub(now.get())?;
        (left_ms > 0).then(|| Failure::BreakerOpen {
            failures: breaker.failures_in_a_row,
            retry_after_s: left_ms.div_ceil(1000),
        })
    }

    /// Why a budget may not be spent, if so.
    pub(super) async fn over_the_cap(
        &self,
        budget: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Option<Failure>, StoreError> {
        let Some(daily_cap) = self.config.daily_gas_cap else {
            return Ok(None);
        };
        let since = TimestampMs::new(clock.now().get().saturating_sub(DAY_MS));
        let spent = journal.gas_spent_since(since).await?;
        let within = spent.checked_add(budget).is_ok_and(|sum| sum <= daily_cap);
        Ok((!within).then_some(Failure::SpendCapReached { daily_cap, spent }))
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // Two numbers that hold for themselves, whatever happened to a holder.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_after_failures_in_a_row_and_closes_with_a_success() {
        let guard = Guard::new(GuardConfig {
            breaker_failures: 3,
            breaker_pause: Duration::from_secs(10),
            ..GuardConfig::default()
        });
        let at = TimestampMs::new;
        guard.note(false, at(1_000));
        guard.note(false, at(1_000));
        guard.note(true, at(1_000));
        guard.note(false, at(1_000));
        guard.note(false, at(1_000));
        assert_eq!(guard.pause(at(1_000)), None);
        guard.note(false, at(1_000));
        assert_eq!(
            guard.pause(at(1_500)),
            Some(Failure::BreakerOpen {
                failures: 3,
                retry_after_s: 10
            })
        );
        assert_eq!(guard.pause(at(11_000)), None);
        guard.note(false, at(11_000));
        assert!(guard.pause(at(12_000)).is_some());
        guard.note(true, at(12_000));
        assert_eq!(guard.pause(at(12_000)), None);
    }

    #[test]
    fn a_breaker_of_zero_never_opens() {
        let guard = Guard::new(GuardConfig {
            breaker_failures: 0,
            ..GuardConfig::default()
        });
        for _ in 0..100 {
            guard.note(false, TimestampMs::new(1));
        }
        assert_eq!(guard.pause(TimestampMs::new(1)), None);
    }
}
