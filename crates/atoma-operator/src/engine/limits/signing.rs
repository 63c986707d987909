//! Whether a transaction may be signed now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::journal::{AttemptStatus, Failure};
use atoma_domain::ports::{Clock, Journal, StoreError};
use atoma_domain::{Mist, TimestampMs};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tracing::warn;

use super::breaker::Breaker;
use super::config::LimitsConfig;
use super::spending::{CapReached, Reservation, Spending};
use crate::engine::wait_reason::WaitReason;

/// How close the limits are to stopping new transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitStatus {
    /// Gas paid in the last 24 hours.
    pub spent: Mist,
    /// The budgets of running transactions, which may be spent on top.
    pub reserved: Mist,
    /// The most that both together may be; `None` is no cap.
    pub daily_cap: Option<Mist>,
    /// How many transactions in a row have failed.
    pub failures_in_a_row: u32,
    /// At how many of them the breaker opens; 0 is never.
    pub breaker_failures: u32,
    /// Why nothing is signed now, if so.
    pub held: Option<Failure>,
    /// The brakes that hold.
    pub brakes: Vec<Brake>,
    /// Gas paid since the process began.
    pub spent_since_start: Mist,
}

/// What stops new transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// Signing is stopped until the next start: for example because somebody else uses a badge.
    Stopped,
    /// The circuit breaker is open.
    Breaker,
    /// The last budget did not fit under the daily cap on gas.
    SpendCap,
}

impl Brake {
    /// All brakes.
    pub const ALL: [Self; 3] = [Self::Stopped, Self::Breaker, Self::SpendCap];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Breaker => "breaker",
            Self::SpendCap => "spend_cap",
        }
    }
}

/// Why nothing is signed, and for how long at most; `None` means until the next start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Hold {
    pub(in crate::engine) reason: WaitReason,
    pub(in crate::engine) left: Option<Duration>,
    /// Whether callers learn of it.
    pub(in crate::engine) is_announced: bool,
}

/// The limits on signing, for all lanes together.
#[derive(Debug)]
pub(in crate::engine) struct Limits {
    config: LimitsConfig,
    spending: Arc<Spending>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    stopped: Option<Failure>,
    is_starting: bool,
}

impl Limits {
    pub(in crate::engine) fn new(config: LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            config,
            spending: Arc::default(),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Notes how a transaction that was sent ended.
    pub(in crate::engine) fn note(&self, status: AttemptStatus, now: TimestampMs) {
        match status {
            AttemptStatus::Succeeded => {
                if self.state().breaker.succeeded() {
                    warn!("the circuit breaker closes: a transaction has succeeded");
                    self.changed.notify_waiters();
                }
            }
            AttemptStatus::Aborted => self.note_failure(now),
            // Nobody's fault, and retried. An intent that is given up in the end counts as a failure then.
            AttemptStatus::Cancelled | AttemptStatus::Dead | AttemptStatus::Signed => {}
        }
    }

    /// Notes a failure: of a transaction, or of an intent whose transactions were all cancelled.
    pub(in crate::engine) fn note_failure(&self, now: TimestampMs) {
        let mut state = self.state();
        if state.breaker.failed(&self.config, now) {
            warn!(
                failures = state.breaker.failures_in_a_row(),
                pause_s = self.config.breaker_pause.as_secs(),
                "the circuit breaker opens: nothing is signed during the pause"
            );
        }
    }

    /// Stops signing until the next start. The first reason counts.
    pub(in crate::engine) fn stop(&self, reason: Failure) {
        self.state().stopped.get_or_insert(reason);
    }

    /// Stops signing while the daemon starts, or lets it begin.
    pub(in crate::engine) fn note_starting(&self, is_starting: bool) {
        self.state().is_starting = is_starting;
        self.changed.notify_waiters();
    }

    /// Why nothing is signed now, if so.
    pub(in crate::engine) fn hold(&self, now: TimestampMs) -> Option<Hold> {
        let mut state = self.state();
        if state.is_starting {
            return Some(Hold {
                reason: WaitReason::Starting,
                left: None,
                is_announced: false,
            });
        }
        if let Some(reason) = &state.stopped {
            return Some(Hold {
                reason: WaitReason::Stopped(reason.clone()),
                left: None,
                is_announced: true,
            });
        }
        let left = state.breaker.open_for(&self.config, now)?;
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Some(Hold {
            reason: WaitReason::BreakerOpen {
                failures: state.breaker.failures_in_a_row(),
                retry_after_s: left_ms.div_ceil(1000),
            },
            left: Some(left),
            is_announced: true,
        })
    }

    /// Completes when a hold may have ended before its time.
    pub(in crate::engine) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Reads from the journal what counts against the cap, once. Called before anything is signed or
    /// taken up.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub(in crate::engine) async fn load(
        &self,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        self.spending.load(journal, clock).await
    }

    /// Reserves a budget under the cap.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub(in crate::engine) async fn reserve(
        &self,
        budget: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Result<Reservation, CapReached>, StoreError> {
        let Some(cap) = self.config.daily_gas_cap else {
            return Ok(Ok(self.spending.reserve(budget)));
        };
        self.load(journal, clock).await?;
        Ok(self.spending.reserve_under(cap, budget, clock.elapsed()))
    }

    /// Whether a budget would fit under the cap if nothing else were running.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub(in crate::engine) async fn check(
        &self,
        budget: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Result<(), CapReached>, StoreError> {
        let Some(cap) = self.config.daily_gas_cap else {
            return Ok(Ok(()));
        };
        self.load(journal, clock).await?;
        Ok(self.spending.check(cap, budget, clock.elapsed()))
    }

    /// Reserves the budget of a transaction that was signed before this process began.
    pub(in crate::engine) fn reserve_signed(&self, budget: Mist) -> Reservation {
        self.spending.reserve(budget)
    }

    /// How close the limits are to stopping new transactions.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub(in crate::engine) async fn status(
        &self,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<LimitStatus, StoreError> {
        self.load(journal, clock).await?;
        let counted = self.spending.counted(clock.elapsed());
        let hold = self.hold(clock.now()).filter(|hold| hold.is_announced);
        let brake = hold.as_ref().and_then(|hold| match hold.reason {
            WaitReason::Stopped(_) => Some(Brake::Stopped),
            WaitReason::BreakerOpen { .. } => Some(Brake::Breaker),
            _ => None,
        });
        let cap = self.spending.is_reached().then_some(Brake::SpendCap);
        Ok(LimitStatus {
            spent: counted.spent,
            reserved: counted.reserved,
            daily_cap: self.config.daily_gas_cap,
            failures_in_a_row: self.state().breaker.failures_in_a_row(),
            breaker_failures: self.config.breaker_failures,
            held: hold.map(|hold| hold.reason.into()),
            brakes: brake.into_iter().chain(cap).collect(),
            spent_since_start: self.spending.total(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each field is consistent by itself, even if a holder of the lock panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
