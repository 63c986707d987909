//! Attempts that were executed, of which no node tells yet what came: it was thrown away, or an
//! index lags. Badge and coins have moved on, so their lane goes on with others. They stay signed in
//! the journal until a node tells.

use std::collections::VecDeque;
use std::time::Duration;

use atoma_domain::journal::{Attempt, Intent};
use tokio::time::Instant;
use tracing::{debug, info};

use super::conclusion::outcome_of;
use super::guard::Reservation;
use super::lane::Lane;
use crate::causes::with_causes;

/// A lane's attempts of which the outcome is not told.
#[derive(Debug)]
pub(super) struct Untold {
    attempts: VecDeque<Entry>,
    interval: Duration,
    next_look: Instant,
}

#[derive(Debug)]
struct Entry {
    attempt: Attempt,
    intents: Vec<Intent>,
    /// What it spent is not in the journal.
    reservation: Reservation,
}

impl Untold {
    /// None yet; every `interval` one of them is asked for.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            attempts: VecDeque::new(),
            interval,
            next_look: Instant::now(),
        }
    }

    /// Adds an attempt with the intents that wait for it.
    pub(super) fn add(&mut self, attempt: Attempt, intents: Vec<Intent>, reservation: Reservation) {
        self.attempts.push_back(Entry {
            attempt,
            intents,
            reservation,
        });
        self.next_look = Instant::now() + self.interval;
    }

    /// Whether it is time to ask.
    fn is_due(&self) -> bool {
        !self.attempts.is_empty() && self.next_look <= Instant::now()
    }

    /// Ends when it is time to ask.
    pub(super) async fn due(&self) {
        if self.attempts.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.next_look).await;
    }
}

impl Lane {
    /// Asks for the outcome of the next such attempt, if it is time.
    pub(super) async fn ask_for_untold(&mut self) {
        if !self.untold.is_due() {
            return;
        }
        self.untold.next_look = Instant::now() + self.untold.interval;
        let Some(entry) = self.untold.attempts.pop_front() else {
            return;
        };
        let digest = entry.attempt.digest();
        let executed = match self.shared.ports.chain.lookup(digest).await {
            Ok(Some(executed)) => executed,
            Ok(None) => return self.untold.attempts.push_back(entry),
            Err(error) => {
                debug!(%digest, error = with_causes(&error), "the outcome can't be asked for");
                return self.untold.attempts.push_back(entry);
            }
        };
        info!(%digest, "what came of a transaction is told at last");
        let explicit_budget = entry.intents.first().and_then(|intent| intent.gas.budget);
        let outcome = outcome_of(executed, entry.attempt.intents.len(), explicit_budget);
        let Entry {
            attempt,
            intents,
            reservation,
        } = entry;
        let step = self.conclude(&attempt, intents, outcome, Some(reservation));
        let step = step.await;
        self.take_back(step);
    }
}
