//! What all lanes share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::journal::{Failure, Intent};
use atoma_domain::ports::StoreError;
use atoma_domain::{Digest, IntentId, ObjectId, ObjectReference};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
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
    /// The badges that somebody else was seen to use, at which version.
    foreign_uses: Mutex<BTreeMap<ObjectId, u64>>,
    /// How many attempts from before this process are not decided yet.
    pub(super) undecided: watch::Sender<usize>,
    pub(super) stopping: CancellationToken,
    /// Where the engine's work runs, whoever asks for it: a request's own runtime may end with its
    /// server's worker. `None` is wherever it is asked for.
    runtime: Option<Handle>,
    tasks: TaskTracker,
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
            foreign_uses: Mutex::default(),
            undecided: watch::Sender::new(0),
            stopping,
            runtime: Handle::try_current().ok(),
            tasks: TaskTracker::new(),
        }
    }

    /// Runs work that the engine's end waits for.
    pub(super) fn spawn<Work>(&self, work: Work) -> JoinHandle<Work::Output>
    where
        Work: Future + Send + 'static,
        Work::Output: Send + 'static,
    {
        match &self.runtime {
            Some(runtime) => self.tasks.spawn_on(work, runtime),
            None => self.tasks.spawn(work),
        }
    }

    /// Waits until all work has ended.
    pub(super) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
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

    /// Notes that somebody else used a badge, for the operator to see.
    pub(super) fn note_foreign_use(&self, badge: &ObjectReference) {
        let mut uses = self
            .foreign_uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        uses.insert(*badge.object_id(), badge.version());
    }

    /// One sentence for each badge that somebody else was seen to use.
    pub(super) fn foreign_uses(&self) -> Vec<String> {
        let uses = self
            .foreign_uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sentence = |(badge, version): (&ObjectId, &u64)| {
            format!(
                "badge {badge} was used by somebody else, at version {version}: is another daemon running with this key?"
            )
        };
        uses.iter().map(sentence).collect()
    }

    /// Announces an intent's end, once: it has no place in its lane any more.
    pub(super) fn announce(&self, length: &AtomicUsize, id: IntentId, outcome: Outcome) {
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
