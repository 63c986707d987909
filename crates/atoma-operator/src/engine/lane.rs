//! One badge's lane: its intents one after the other, because every transaction of a badge moves
//! the badge's version.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use atoma_domain::ObjectReference;
use atoma_domain::journal::{Attempt, Failure, Intent, IntentStatus};
use atoma_domain::ports::StoreError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info_span};

use super::abandoned::Abandoned;
use super::ahead::{Ahead, Pace};
use super::attempt::Step;
use super::budget::Budgets;
use super::config::{Backoff, EngineConfig};
use super::gas::GasPool;
use super::guard::Guard;
use super::outcomes::{Outcome, Outcomes};
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
    pub(super) guard: Guard,
    pub(super) stopping: CancellationToken,
}

impl Shared {
    /// Writes to the journal until it takes the writing, or says that it would not help to try
    /// again; false when the daemon stops before.
    pub(super) async fn insist<Written>(&self, mut write: impl FnMut() -> Written) -> bool
    where
        Written: Future<Output = Result<(), StoreError>>,
    {
        let mut backoff = Backoff::new(&self.config);
        loop {
            match write().await {
                Ok(()) => return true,
                // What it says is elsewhere already stays there, however often it is tried.
                Err(error @ (StoreError::Transition { .. } | StoreError::Missing { .. })) => {
                    error!(error = with_causes(&error), "the journal disagrees");
                    return true;
                }
                Err(error) => error!(
                    error = with_causes(&error),
                    "the journal can't be written; trying again"
                ),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return false,
                () = backoff.pause() => {}
            }
        }
    }

    /// Ends a while after the daemon was told to stop: long enough for an answer that is about to
    /// come, short enough to wait for.
    pub(super) async fn grace(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(self.config.stopping_grace).await;
    }
}

/// Work for a lane.
#[derive(Debug)]
pub(super) enum Work {
    /// An attempt signed before this process began, with its intents.
    Resume(Box<Attempt>, Vec<Intent>),
    /// Intents to be attempted.
    Intents(Vec<Intent>),
}

/// The engine's end of a lane.
#[derive(Clone, Debug)]
pub(super) struct LaneHandle {
    pub(super) sender: mpsc::UnboundedSender<Work>,
    /// How many intents wait or are under way; bounded by whoever sends.
    pub(super) length: Arc<AtomicUsize>,
}

/// A running lane.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) shared: Arc<Shared>,
    /// The badge at the latest version known, from effects or from reading.
    pub(super) badge: Option<ObjectReference>,
    /// What is being read for the next intent.
    pub(super) ahead: Option<Ahead>,
    pub(super) pace: Pace,
    backlog: VecDeque<Intent>,
    length: Arc<AtomicUsize>,
}

impl Lane {
    pub(super) fn new(shared: Arc<Shared>, length: Arc<AtomicUsize>) -> Self {
        Self {
            shared,
            badge: None,
            ahead: None,
            pace: Pace::default(),
            backlog: VecDeque::new(),
            length,
        }
    }

    /// Works until the engine is dropped or stops. What is unfinished then is in the journal.
    pub(super) async fn run(mut self, mut work: mpsc::UnboundedReceiver<Work>) {
        let stopping = self.shared.stopping.clone();
        loop {
            if self.backlog.is_empty() {
                let next = tokio::select! {
                    () = stopping.cancelled() => return,
                    next = work.recv() => next,
                };
                match next {
                    Some(next) => self.accept(next).await,
                    None => return,
                }
            }
            while let Ok(next) = work.try_recv() {
                self.accept(next).await;
            }
            if stopping.is_cancelled() {
                return;
            }
            let batch = self.next_batch();
            if let Some(first) = batch.first() {
                let span =
                    info_span!("intent", transaction.id = %first.id, kind = first.action.kind());
                self.process(batch).instrument(span).await;
            }
        }
    }

    async fn accept(&mut self, work: Work) {
        match work {
            Work::Resume(attempt, intents) => self.resume(*attempt, intents).await,
            Work::Intents(intents) => self.backlog.extend(intents),
        }
    }

    /// The oldest intent, with all that may share its transaction.
    fn next_batch(&mut self) -> Vec<Intent> {
        let Some(first) = self.backlog.pop_front() else {
            return Vec::new();
        };
        if !first.action.can_be_batched() {
            return vec![first];
        }
        let limit = if first.action.kind() == "attest_settlement" {
            self.shared.config.attestations_per_transaction
        } else {
            self.shared.config.claims_per_transaction
        };
        let (kind, gas) = (first.action.kind(), first.gas);
        let mut batch = vec![first];
        self.backlog.retain(|intent| {
            let joins = batch.len() < limit && intent.action.kind() == kind && intent.gas == gas;
            if joins {
                batch.push(intent.clone());
            }
            !joins
        });
        batch
    }

    /// Attempts a batch until every intent of it is final, splitting it where one of it is bad.
    async fn process(&mut self, batch: Vec<Intent>) {
        let mut waiting = vec![(batch, 0u32)];
        let mut backoff = Backoff::new(&self.shared.config);
        while let Some((batch, tries)) = waiting.pop() {
            let batch = self.without_abandoned(batch).await;
            if batch.is_empty() {
                continue;
            }
            match self.attempt(batch).await {
                Step::Finished => {}
                Step::Stopped => return,
                Step::Again(batch) if tries + 1 < self.shared.config.sign_attempts => {
                    backoff.pause().await;
                    waiting.push((batch, tries + 1));
                }
                Step::Again(batch) => {
                    let failure = Failure::ExecutionFailed {
                        reason: format!("gave up after {} attempts", tries + 1),
                    };
                    for intent in batch {
                        self.fail(&intent, failure.clone()).await;
                    }
                }
                Step::Wait(batch) => {
                    backoff.pause().await;
                    waiting.push((batch, tries));
                }
                Step::Split(mut batch) => {
                    let rest = batch.split_off(batch.len() / 2);
                    waiting.push((rest, 0));
                    waiting.push((batch, 0));
                }
            }
        }
    }

    /// Fails those that the operator gave up; nothing of them is with the network here.
    async fn without_abandoned(&self, batch: Vec<Intent>) -> Vec<Intent> {
        let mut kept = Vec::with_capacity(batch.len());
        for intent in batch {
            if self.shared.abandoned.unmark(intent.id) {
                self.fail(&intent, Failure::Abandoned {}).await;
            } else {
                kept.push(intent);
            }
        }
        kept
    }

    /// Fails an intent of which nothing is with the network.
    pub(super) async fn fail(&self, intent: &Intent, failure: Failure) {
        let Ports { journal, clock, .. } = &self.shared.ports;
        let written = self
            .shared
            .insist(|| journal.fail(intent.id, &failure, clock.now()));
        if !written.await {
            return;
        }
        self.finish(
            intent,
            Outcome {
                status: IntentStatus::Failed,
                tx_digest: None,
                failure: Some(failure),
            },
        );
    }

    /// The oldest intent that waits.
    pub(super) fn next_intent(&self) -> Option<&Intent> {
        self.backlog.front()
    }

    /// Puts intents in front of all others.
    pub(super) fn requeue(&mut self, intents: Vec<Intent>) {
        for intent in intents.into_iter().rev() {
            self.backlog.push_front(intent);
        }
    }

    /// Announces an intent's end.
    pub(super) fn finish(&self, intent: &Intent, outcome: Outcome) {
        self.length.fetch_sub(1, Ordering::Relaxed);
        self.shared.outcomes.finish(intent.id, outcome);
    }
}
