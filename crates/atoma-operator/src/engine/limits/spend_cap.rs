//! The daily cap on gas.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::journal::Failure;
use atoma_domain::ports::{Clock, Journal, StoreError};
use atoma_domain::{Mist, TimestampMs};

/// The cap looks back 24 hours.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The budgets of running transactions, counted against the cap beside what was spent.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    sum: Mutex<Mist>,
}

/// A budget that counts against the cap until the gas that was spent of it is in the journal.
#[derive(Debug)]
pub(in crate::engine) struct Reservation {
    reserved: Arc<Reserved>,
    budget: Mist,
}

/// A budget does not fit under the cap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct CapReached {
    pub(in crate::engine) failure: Failure,
    /// It would not fit either if nothing else were running.
    pub(in crate::engine) is_final: bool,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut sum = self.reserved.lock();
        *sum = sum.checked_sub(self.budget).unwrap_or(Mist::ZERO);
    }
}

impl Reserved {
    /// What all running transactions may spend.
    pub(super) fn sum(&self) -> Mist {
        *self.lock()
    }

    /// Reserves a budget without asking the cap.
    pub(super) fn add(self: &Arc<Self>, budget: Mist) -> Reservation {
        let mut sum = self.lock();
        *sum = sum.checked_add(budget).unwrap_or(Mist::new(u64::MAX));
        Reservation {
            reserved: Arc::clone(self),
            budget,
        }
    }

    /// Reserves a budget if it fits under the cap.
    pub(super) async fn add_under(
        self: &Arc<Self>,
        budget: Mist,
        daily_cap: Mist,
        journal: &dyn Journal,
        clock: &dyn Clock,
    ) -> Result<Result<Reservation, CapReached>, StoreError> {
        // Reserve first, then compare, and read what is reserved before what is spent: while another
        // lane's attempt is concluded it counts twice at worst, and never not at all.
        let reservation = self.add(budget);
        let reserved = self.sum();
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

    fn lock(&self) -> MutexGuard<'_, Mist> {
        // Every change is one assignment, so the sum is whole even if a holder panicked.
        self.sum.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The gas spent in the last 24 hours.
pub(super) async fn spent_in_a_day(
    journal: &dyn Journal,
    clock: &dyn Clock,
) -> Result<Mist, StoreError> {
    let since = clock.now().get().saturating_sub(DAY_MS);
    journal.gas_spent_since(TimestampMs::new(since)).await
}
