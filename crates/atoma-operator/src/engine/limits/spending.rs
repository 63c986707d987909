//! The daily cap on gas: what was spent in the last 24 hours, and what running transactions may spend.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::journal::Failure;
use atoma_domain::ports::{Clock, Journal, StoreError};
use atoma_domain::{Mist, TimestampMs};
use tokio::sync::OnceCell;
use tracing::warn;

use super::last_day::{DAY, LastDay};

/// What was spent, and the budgets of running transactions. The journal is read once, because adding up
/// a busy day takes longer than a settlement.
#[derive(Debug, Default)]
pub(super) struct Spending {
    loaded: OnceCell<()>,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    spent: LastDay,
    /// What was spent since the process began.
    total: Mist,
    reserved: Mist,
    /// The last budget did not fit under the cap.
    is_reached: bool,
}

/// What counts against the cap at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) spent: Mist,
    pub(super) reserved: Mist,
}

impl Sums {
    fn counted(&mut self, elapsed: Duration) -> Counted {
        Counted {
            spent: self.spent.sum(elapsed),
            reserved: self.reserved,
        }
    }
}

impl Counted {
    /// The refusal of a budget that does not fit under the cap.
    fn reached(self, daily_cap: Mist, gas_budget: Mist) -> CapReached {
        CapReached {
            is_final: self.spent.saturating_add(gas_budget) > daily_cap,
            failure: Failure::SpendCapReached {
                daily_cap,
                spent: self.spent,
                reserved: self.reserved,
                gas_budget,
            },
        }
    }
}

/// A budget that counts against the cap while its transaction runs.
#[derive(Debug)]
pub(in crate::engine) struct Reservation {
    spending: Arc<Spending>,
    budget: Mist,
}

/// A budget does not fit under the cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct CapReached {
    pub(in crate::engine) failure: Failure,
    /// It would not fit either if nothing else were running.
    pub(in crate::engine) is_final: bool,
}

impl Reservation {
    /// Ends the reservation of a transaction that has executed: what it spent counts from now on.
    pub(in crate::engine) fn spend(self, gas: Mist, elapsed: Duration) {
        let mut sums = self.spending.sums();
        sums.total = sums.total.saturating_add(gas);
        // Before the journal was read, it is the journal that will tell.
        if self.spending.loaded.initialized() {
            sums.spent.add(gas, elapsed);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut sums = self.spending.sums();
        sums.reserved = sums.reserved.checked_sub(self.budget).unwrap_or(Mist::ZERO);
    }
}

impl Spending {
    /// Reads from the journal what was spent in the last 24 hours, once.
    pub(super) async fn load(
        &self,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let load = async || {
            let now = clock.now();
            let day = u64::try_from(DAY.as_millis()).unwrap_or(u64::MAX);
            let since = TimestampMs::new(now.get().saturating_sub(day));
            let spent = journal.gas_spent(since, now).await?;
            self.sums().spent = LastDay::new(spent, now, clock.elapsed());
            Ok(())
        };
        self.loaded.get_or_try_init(load).await.copied()
    }

    /// What counts against the cap.
    pub(super) fn counted(&self, elapsed: Duration) -> Counted {
        self.sums().counted(elapsed)
    }

    /// The gas that was paid since the process began.
    pub(super) fn total(&self) -> Mist {
        self.sums().total
    }

    /// Whether the last budget did not fit under the cap.
    pub(super) fn is_reached(&self) -> bool {
        self.sums().is_reached
    }

    /// Reserves a budget, whatever the cap.
    pub(super) fn reserve(self: &Arc<Self>, budget: Mist) -> Reservation {
        let mut sums = self.sums();
        sums.reserved = sums.reserved.saturating_add(budget);
        self.reservation(budget)
    }

    /// Reserves a budget if it fits under the cap, in one step: of two lanes near the cap, one gets it.
    pub(super) fn reserve_under(
        self: &Arc<Self>,
        daily_cap: Mist,
        gas_budget: Mist,
        elapsed: Duration,
    ) -> Result<Reservation, CapReached> {
        let mut sums = self.sums();
        let counted = sums.counted(elapsed);
        let Counted { spent, reserved } = counted;
        let with_own = spent.saturating_add(gas_budget);
        let is_reached = with_own.saturating_add(reserved) > daily_cap;
        if std::mem::replace(&mut sums.is_reached, is_reached) != is_reached {
            match is_reached {
                true => {
                    warn!(%daily_cap, %spent, %reserved, %gas_budget, "the daily cap on gas is reached")
                }
                false => {
                    warn!(%daily_cap, %spent, %reserved, "the daily cap on gas has room again")
                }
            }
        }
        if is_reached {
            return Err(counted.reached(daily_cap, gas_budget));
        }
        sums.reserved = reserved.saturating_add(gas_budget);
        Ok(self.reservation(gas_budget))
    }

    /// Whether a budget would fit under the cap if nothing else were running.
    pub(super) fn check(
        &self,
        daily_cap: Mist,
        gas_budget: Mist,
        elapsed: Duration,
    ) -> Result<(), CapReached> {
        let counted = self.counted(elapsed);
        match counted.spent.saturating_add(gas_budget) <= daily_cap {
            true => Ok(()),
            false => Err(counted.reached(daily_cap, gas_budget)),
        }
    }

    fn reservation(self: &Arc<Self>, budget: Mist) -> Reservation {
        Reservation {
            spending: Arc::clone(self),
            budget,
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        // Every change is one assignment, so the sums are consistent even if a holder panicked.
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
