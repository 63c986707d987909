//! A time in which a lane can prepare nothing, because the Sui node or the database does not answer.
//! The lane's intents stay queued, however long that lasts.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::EngineConfig;
use crate::engine::backoff::Backoff;
use crate::engine::limits::Hold;
use crate::engine::wait_reason::WaitReason;

/// Callers learn of the outage after this many failed rounds.
const SILENT_ROUNDS: u32 = 1;
/// After this many failed rounds with the same batch, others get their turn.
const ROUNDS_ALONE: u32 = 3;

/// An outage, as far as the lane knows.
#[derive(Debug)]
pub(super) struct Outage {
    reason: WaitReason,
    backoff: Backoff,
    rounds: u32,
    until: Instant,
}

impl Outage {
    /// An outage that begins now.
    pub(super) fn new(config: &EngineConfig, reason: WaitReason) -> Self {
        let mut backoff = Backoff::new(config);
        Self {
            reason,
            until: Instant::now() + backoff.take(),
            backoff,
            rounds: 1,
        }
    }

    /// Notes one more failed round.
    pub(super) fn lasts(&mut self, reason: WaitReason) {
        self.reason = reason;
        self.rounds = self.rounds.saturating_add(1);
        self.until = Instant::now() + self.backoff.take();
    }

    /// Whether it lasts longer than a node's hiccup.
    pub(super) const fn is_long(&self) -> bool {
        self.rounds > ROUNDS_ALONE
    }

    /// The pause before the next round, while it lasts.
    pub(super) fn hold(&self) -> Option<Hold> {
        let left = self.until.saturating_duration_since(Instant::now());
        (left > Duration::ZERO).then(|| Hold {
            reason: self.reason.clone(),
            left: Some(left),
            is_announced: self.rounds > SILENT_ROUNDS,
        })
    }
}
