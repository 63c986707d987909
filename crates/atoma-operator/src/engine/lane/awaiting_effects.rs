//! Attempts that have executed, without effects from the node yet: it pruned them, or its index
//! lags. Badge and coins have moved on, so the lane goes on with other intents. The attempts stay
//! signed in the journal until a node shows their effects.

use std::collections::VecDeque;
use std::time::Duration;

use atoma_domain::with_causes;
use tokio::time::Instant;
use tracing::debug;

use super::log;
use crate::Ports;
use crate::engine::attempt::{AwaitedAttempt, Ended, close_executed};

/// A lane's attempts whose effects are awaited.
#[derive(Debug)]
pub(super) struct AwaitingEffects {
    attempts: VecDeque<AwaitedAttempt>,
    interval: Duration,
    next_look: Instant,
}

impl AwaitingEffects {
    /// None yet. The node is asked for one of them every `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            attempts: VecDeque::new(),
            interval,
            next_look: Instant::now(),
        }
    }

    /// Adds an attempt.
    pub(super) fn add(&mut self, awaited: AwaitedAttempt) {
        self.attempts.push_back(awaited);
        self.next_look = Instant::now() + self.interval;
    }

    /// Completes when it is time to ask.
    pub(super) async fn due(&self) {
        if self.attempts.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.next_look).await;
    }

    /// Asks for the effects of the next attempt if it is time; gives its end if the node has them.
    pub(super) async fn look(&mut self, ports: &Ports) -> Option<Box<Ended>> {
        if self.next_look > Instant::now() {
            return None;
        }
        let awaited = self.attempts.pop_front()?;
        self.next_look = Instant::now() + self.interval;
        let digest = awaited.attempt.digest();
        match ports.chain.lookup(digest).await {
            Ok(Some(executed)) => {
                let since = awaited.since;
                let ended = close_executed(awaited, executed, ports.clock.elapsed());
                log::ended(&ended, since.elapsed());
                return Some(ended);
            }
            Ok(None) => {}
            Err(error) => {
                debug!(%digest, error = with_causes(&error), "can't look up an awaited transaction");
            }
        }
        self.attempts.push_back(awaited);
        None
    }
}
