//! What all lanes share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, TransactionId};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::abandoned::Abandoned;
use super::budget::Budgets;
use super::config::{Backoff, EngineConfig};
use super::gas::GasPool;
use super::guard::Guard;
use super::outcomes::{Outcome, Outcomes};
use super::submit::LaneKey;
use crate::Ports;
use crate::causes::with_causes;

/// What all lanes share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ports: Ports,
    pub(super) config: EngineConfig,
    pub(super) gas: Arc<GasPool>,
    pub(super) budgets: Budgets,
    pub(super) outcomes: Outcomes,
    pub(super) abandoned: Abandoned,
    pub(super) guard: Arc<Guard>,
    pub(super) stopping: CancellationToken,
}

/// What came of insisting on a write.
#[derive(Debug)]
pub(super) enum Written {
    /// It is in the journal.
    Yes,
    /// The journal says that what was to be written about is elsewhere already.
    Disagrees(StoreError),
    /// The daemon stopped before it was taken.
    Stopped,
}

impl Shared {
    /// Shares the ports under a configuration, until `stopping` is cancelled.
    pub(super) fn new(ports: Ports, config: EngineConfig, stopping: CancellationToken) -> Self {
        Self {
            gas: GasPool::new(ports.signer.address()),
            guard: Guard::new(config.guard),
            ports,
            config,
            budgets: Budgets::default(),
            outcomes: Outcomes::default(),
            abandoned: Abandoned::default(),
            stopping,
        }
    }

    /// Writes what became of these intents of a lane, by the transaction that was `executed` if one
    /// was, until the journal takes the writing, or says that it would not help to try again, or the
    /// daemon stops. After the first failure those who wait are told.
    pub(super) async fn insist<Writing>(
        &self,
        intents: &[Intent],
        executed: Option<Digest>,
        mut write: impl FnMut() -> Writing,
    ) -> Written
    where
        Writing: Future<Output = Result<(), StoreError>>,
    {
        let mut backoff = Backoff::new(&self.config);
        let mut is_told = false;
        let written = loop {
            match write().await {
                Ok(()) => break Written::Yes,
                Err(error @ StoreError::Unavailable(_)) => {
                    error!(
                        error = with_causes(&error),
                        "the journal can't be written; trying again"
                    );
                    self.tell_stuck(intents, executed, &error);
                    is_told = true;
                }
                Err(error) => break Written::Disagrees(error),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return Written::Stopped,
                () = backoff.pause() => {}
            }
        };
        if is_told {
            self.tell_unstuck(intents);
        }
        written
    }

    /// Tells who waits for these intents, or for any other of their lane, that nothing is done for
    /// now, because of the database. What was executed stays so: those who wait for it are told that
    /// it was, and by which transaction.
    pub(super) fn tell_stuck(
        &self,
        intents: &[Intent],
        executed: Option<Digest>,
        error: &StoreError,
    ) {
        let Some(lane) = intents.first().map(LaneKey::of) else {
            return;
        };
        self.outcomes.hold_lane(lane, |id| {
            let executed = executed.filter(|_| intents.iter().any(|intent| intent.id == id));
            let done = executed.map(|digest| format!("transaction {digest} was executed, but "));
            let done = done.unwrap_or_default();
            Failure::Internal {
                reason: format!(
                    "{done}the journal can't be reached, which is tried again: {error}"
                ),
            }
        });
    }

    /// Takes that back: the database answers again.
    pub(super) fn tell_unstuck(&self, intents: &[Intent]) {
        if let Some(first) = intents.first() {
            self.outcomes.release_lane(LaneKey::of(first));
        }
    }

    /// Announces an intent's end, once: it has no place in its lane any more.
    pub(super) fn announce(&self, length: &AtomicUsize, id: TransactionId, outcome: Outcome) {
        if self.outcomes.finish(id, outcome) {
            length.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Ends a while after the daemon was told to stop: long enough for an answer that is about to
    /// come, short enough to wait for.
    pub(super) async fn grace(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(self.config.stopping_grace).await;
    }
}
