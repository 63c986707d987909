//! Brakes on spending: a daily cap on gas, a breaker for when one transaction after another
//! fails, and a stop for when nothing may be signed at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::journal::{AttemptStatus, Failure};
use atoma_domain::ports::{Clock, Journal, StoreError};
use atoma_domain::{Mist, TimestampMs};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

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

/// How far the brakes are from holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brakes {
    /// Gas paid in the last 24 hours.
    pub spent: Mist,
    /// The budgets of what is on its way, which may be spent besides.
    pub reserved: Mist,
    /// The most that both together may be; `None` is no cap.
    pub daily_cap: Option<Mist>,
    /// How many transactions in a row have failed.
    pub failures_in_a_row: u32,
    /// At how many of them the breaker opens; 0 is never.
    pub breaker_failures: u32,
    /// Why nothing is signed now, if so.
    pub held: Option<Failure>,
}

/// Why nothing is to be signed, and for how long at most; without an end until the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) reason: Failure,
    pub(super) left: Option<Duration>,
    /// Whether those who wait are to be told.
    pub(super) is_told: bool,
}

/// A budget does not fit under the cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CapReached {
    pub(super) failure: Failure,
    /// It would not fit either when nothing else was on its way.
    pub(super) is_final: bool,
}

/// The brakes.
#[derive(Debug)]
pub(super) struct Guard {
    config: GuardConfig,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    open_until: Option<TimestampMs>,
    stopped: Option<Failure>,
    /// The start is not complete.
    is_starting: bool,
    reserved: Mist,
}

/// A budget that counts against the cap until what was spent of it is in the journal.
#[derive(Debug)]
pub(super) struct Reservation {
    guard: Arc<Guard>,
    budget: Mist,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.guard.state();
        state.reserved = state
            .reserved
            .checked_sub(self.budget)
            .unwrap_or(Mist::ZERO);
    }
}

impl Guard {
    pub(super) fn new(config: GuardConfig) -> Arc<Self> {
        Arc::new(Self {
            config,
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Notes how a transaction that was sent ended.
    pub(super) fn note(&self, status: AttemptStatus, now: TimestampMs) {
        let mut state = self.state();
        match status {
            AttemptStatus::Succeeded => {
                state.failures_in_a_row = 0;
                if state.open_until.take().is_some() {
                    self.changed.notify_waiters();
                }
                return;
            }
            AttemptStatus::Aborted | AttemptStatus::Refused => {}
            // Nobody's fault, and tried again: what is given up in the end is noted then.
            AttemptStatus::Cancelled | AttemptStatus::Dead | AttemptStatus::Signed => return,
        }
        self.count_failure(&mut state, now);
    }

    /// Notes that something was given up for which transaction after transaction was cancelled.
    pub(super) fn note_given_up(&self, now: TimestampMs) {
        self.count_failure(&mut self.state(), now);
    }

    fn count_failure(&self, state: &mut State, now: TimestampMs) {
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        if self.config.breaker_failures > 0
            && state.failures_in_a_row >= self.config.breaker_failures
        {
            state.open_until = Some(self.pause_from(now));
        }
    }

    /// When a pause of the breaker that begins now is over.
    fn pause_from(&self, now: TimestampMs) -> TimestampMs {
        let pause = u64::try_from(self.config.breaker_pause.as_millis()).unwrap_or(u64::MAX);
        TimestampMs::new(now.get().saturating_add(pause))
    }

    /// Has nothing signed until the next start.
    pub(super) fn stop(&self, reason: Failure) {
        // Only the first reason counts; it says enough.
        self.state().stopped.get_or_insert(reason);
    }

    /// Has nothing signed before the start is complete, or lets it be signed from now on.
    pub(super) fn note_starting(&self, is_starting: bool) {
        self.state().is_starting = is_starting;
        self.changed.notify_waiters();
    }

    /// Why nothing is to be signed now, if so. After the breaker's pause one failure opens it
    /// again.
    pub(super) fn hold(&self, now: TimestampMs) -> Option<Hold> {
        let mut state = self.state();
        if state.is_starting {
            return Some(Hold {
                reason: Failure::NotReady {
                    reasons: vec![String::from("the daemon is starting")],
                },
                left: None,
                is_told: false,
            });
        }
        if let Some(reason) = &state.stopped {
            return Some(Hold {
                reason: reason.clone(),
                left: None,
                is_told: true,
            });
        }
        // A clock that was set back makes no pause longer.
        let open_until = state.open_until?.min(self.pause_from(now));
        state.open_until = Some(open_until);
        let left_ms = open_until.get().checked_sub(now.get())?;
        (left_ms > 0).then(|| Hold {
            reason: Failure::BreakerOpen {
                failures: state.failures_in_a_row,
                retry_after_s: left_ms.div_ceil(1000),
            },
            left: Some(Duration::from_millis(left_ms)),
            is_told: true,
        })
    }

    /// Ends when a hold is over before its time.
    pub(super) fn closed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Reserves a budget under the cap.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        budget: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Result<Reservation, CapReached>, StoreError> {
        // First reserved, then compared, and what is reserved is looked at before what is spent: what
        // another lane's attempt cost is counted twice at worst, while it is written down, and never
        // not at all.
        let reservation = self.reserve_known(budget);
        let Some(daily_cap) = self.config.daily_gas_cap else {
            return Ok(Ok(reservation));
        };
        let reserved = self.state().reserved;
        let spent = spent_in_a_day(journal, clock).await?;
        let within = |amount| spent.checked_add(amount).is_ok_and(|sum| sum <= daily_cap);
        if within(reserved) {
            return Ok(Ok(reservation));
        }
        Ok(Err(CapReached {
            failure: Failure::SpendCapReached { daily_cap, spent },
            is_final: !within(budget),
        }))
    }

    /// Reserves the budget of what was signed before this process began.
    pub(super) fn reserve_known(self: &Arc<Self>, budget: Mist) -> Reservation {
        let mut state = self.state();
        state.reserved = state
            .reserved
            .checked_add(budget)
            .unwrap_or(Mist::new(u64::MAX));
        drop(state);
        Reservation {
            guard: Arc::clone(self),
            budget,
        }
    }

    /// How far the brakes are from holding.
    pub(super) async fn brakes(
        &self,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Brakes, StoreError> {
        let spent = spent_in_a_day(journal, clock).await?;
        let hold = self.hold(clock.now()).filter(|hold| hold.is_told);
        let held = hold.map(|hold| hold.reason);
        let state = self.state();
        Ok(Brakes {
            spent,
            reserved: state.reserved,
            daily_cap: self.config.daily_gas_cap,
            failures_in_a_row: state.failures_in_a_row,
            breaker_failures: self.config.breaker_failures,
            held,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each part holds for itself, whatever happened to a holder.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn spent_in_a_day(journal: &dyn Journal, clock: &dyn Clock) -> Result<Mist, StoreError> {
    let since = clock.now().get().saturating_sub(DAY_MS);
    journal.gas_spent_since(TimestampMs::new(since)).await
}

#[cfg(test)]
mod tests;
