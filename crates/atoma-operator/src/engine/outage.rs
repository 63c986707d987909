//! A time in which a lane can prepare nothing, because the Sui node or the database does not
//! answer. The lane's intents stay queued, however long it lasts.

use std::time::Duration;

use atoma_domain::journal::Failure;
use tokio::time::Instant;

use super::config::{Backoff, EngineConfig};
use super::guard::Hold;

/// After so many fruitless rounds those who wait are told.
const ROUNDS_UNTOLD: u32 = 1;
/// After so many others are tried.
const ROUNDS_ALONE: u32 = 3;

/// What a lane knows of an outage.
#[derive(Debug)]
pub(super) struct Outage {
    why: Failure,
    backoff: Backoff,
    rounds: u32,
    until: Instant,
}

impl Outage {
    pub(super) fn new(config: &EngineConfig) -> Self {
        Self {
            why: Failure::NotReady {
                reasons: Vec::new(),
            },
            backoff: Backoff::new(config),
            rounds: 0,
            until: Instant::now(),
        }
    }

    /// Notes one more fruitless round.
    pub(super) fn lasts(&mut self, why: Failure) {
        self.why = why;
        self.rounds = self.rounds.saturating_add(1);
        self.until = Instant::now() + self.backoff.take();
    }

    /// Whether it lasts longer than a node's hiccup.
    pub(super) const fn is_long(&self) -> bool {
        self.rounds > ROUNDS_ALONE
    }

    /// The pause before the next round, if it is not over.
    pub(super) fn hold(&self) -> Option<Hold> {
        let left = self.until.saturating_duration_since(Instant::now());
        (left > Duration::ZERO).then(|| Hold {
            reason: self.why.clone(),
            left: Some(left),
            is_told: self.rounds > ROUNDS_UNTOLD,
        })
    }
}
