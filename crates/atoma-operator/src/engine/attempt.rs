//! One attempt: prepare, sign, write down, send, conclude.

use std::pin::pin;
use std::sync::Arc;

use atoma_domain::journal::{Attempt, Failure, Intent};
use atoma_domain::ports::{StoreError, TransactionPlan, UnfinishedIntent};
use tokio::time::{Instant, timeout};
use tracing::{error, info};

use super::conclusion::write_down;
use super::config::Backoff;
use super::fate::{Sent, pursue};
use super::funding::Payment;
use super::lane::Lane;
use super::shared::Shared;
use crate::causes::{internal, with_causes};

/// What a try came to.
#[derive(Debug)]
pub(super) enum Step {
    /// Every intent is final.
    Finished,
    /// These are queued again and want another signature.
    Again {
        /// Which.
        intents: Vec<Intent>,
        /// Why the network cancelled the last one, having executed it, if it did.
        cancelled: Option<String>,
    },
    /// Nothing was signed, each for its reason, which a node that lags behind would give too.
    Doubt(Vec<(Intent, Failure)>),
    /// Nothing was signed because the Sui node or the database does not answer.
    Outage {
        /// Which.
        intents: Vec<Intent>,
        /// What they said.
        why: Failure,
    },
    /// One of these is bad: try halves.
    Split(Vec<Intent>),
    /// The treasury is too small for these together.
    Short(Vec<Intent>),
    /// The daemon stops.
    Stopped,
}

/// A batch ready to be signed.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) intents: Vec<Intent>,
    pub(super) plan: TransactionPlan,
    pub(super) payment: Payment,
}

/// Whether an attempt is in the journal.
#[derive(Clone, Debug, PartialEq)]
enum Recorded {
    Yes,
    /// The journal takes no such attempt for these intents.
    Refused,
    /// The journal can't hold it, however often it is tried.
    Never(Failure),
    /// The daemon stopped before it was known.
    Unknown,
}

impl Step {
    /// All of these are doubted for the same reason.
    pub(super) fn doubt(intents: &[Intent], failure: &Failure) -> Self {
        let doubtful = intents
            .iter()
            .map(|intent| (intent.clone(), failure.clone()));
        Self::Doubt(doubtful.collect())
    }
}

impl Lane {
    /// Tries a batch once.
    pub(super) async fn attempt(&mut self, batch: Vec<Intent>) -> Step {
        let ready = match self.prepare_and_write(batch).await {
            Ok(ready) => ready,
            Err(step) => {
                self.write_done().await;
                return step;
            }
        };
        if self.shared.stopping.is_cancelled() {
            return Step::Stopped;
        }
        self.outage = None;
        // Who asks for these from now on waits for their outcome.
        let ids = ready.intents.iter().map(|intent| intent.id);
        self.shared.outcomes.release(ids);
        let attempt = match sign(&self.shared, &ready).await {
            Ok(attempt) => attempt,
            Err(reason) => {
                let failure = Failure::Internal { reason };
                return self.fail_all(&ready.intents, &failure).await;
            }
        };
        match self.record(&attempt, &ready.intents).await {
            Recorded::Yes => {}
            Recorded::Refused => return self.journalled_already(attempt, ready).await,
            Recorded::Never(failure) => return self.fail_all(&ready.intents, &failure).await,
            Recorded::Unknown => {
                // It may be in the journal: nothing else may use its coins.
                ready.payment.keep();
                return Step::Stopped;
            }
        }
        self.look_ahead(&ready.intents);
        self.send(attempt, ready, Sent::Never).await
    }

    async fn send(&mut self, attempt: Attempt, ready: Ready, sent: Sent) -> Step {
        let sent_at = Instant::now();
        let fate = pursue(&self.shared, &attempt, sent).await;
        self.pace.execution = sent_at.elapsed();
        self.settle_fate(&attempt, ready.intents, fate, ready.payment)
            .await
    }

    /// Prepares a batch. A success of before is kept to be written together with this attempt; if
    /// that takes its time, it is written alone, at the same time.
    async fn prepare_and_write(&mut self, batch: Vec<Intent>) -> Result<Ready, Step> {
        let shared = Arc::clone(&self.shared);
        let length = Arc::clone(&self.length);
        let Some(done) = self.done.take() else {
            return self.prepare_unless_stopped(batch).await;
        };
        let (prepared, done) = {
            let mut preparing = pin!(self.prepare_unless_stopped(batch));
            match timeout(shared.config.outcome_delay, preparing.as_mut()).await {
                Ok(prepared) => (prepared, Some(done)),
                Err(_) => {
                    let writing = write_down(&shared, &length, done);
                    (tokio::join!(preparing, writing).0, None)
                }
            }
        };
        self.done = done;
        prepared
    }

    /// Prepares a batch; when the daemon stops, what isn't signed stays queued in the journal.
    async fn prepare_unless_stopped(&mut self, batch: Vec<Intent>) -> Result<Ready, Step> {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            prepared = self.prepare(batch) => prepared,
            () = shared.grace() => Err(Step::Stopped),
        }
    }

    /// Writes the attempt down, with the success of before. The same attempt is tried until the
    /// journal takes it, because a writing whose answer was lost may be there. After the first
    /// failure those who wait are told.
    async fn record(&mut self, attempt: &Attempt, intents: &[Intent]) -> Recorded {
        let shared = Arc::clone(&self.shared);
        let mut backoff = Backoff::new(&shared.config);
        let mut is_told = false;
        let recorded = loop {
            let previous = self.done.as_ref().map(|done| &done.conclusion);
            let now = shared.ports.clock.now();
            let written = shared.ports.journal.record_attempt(attempt, previous, now);
            let error = match written.await {
                Ok(()) => {
                    if let Some(done) = self.done.take() {
                        done.announce(&shared, &self.length);
                    }
                    break Recorded::Yes;
                }
                Err(StoreError::Transition { .. } | StoreError::Missing { .. })
                    if self.done.is_none() =>
                {
                    break Recorded::Refused;
                }
                Err(error @ (StoreError::Corrupt { .. } | StoreError::OutOfRange { .. }))
                    if self.done.is_none() =>
                {
                    break Recorded::Never(internal(error));
                }
                Err(error) => error,
            };
            error!(
                error = with_causes(&error),
                "the attempt can't be written down, so it is not sent; trying again"
            );
            if self.done.is_some() {
                // Each for itself: one of them may be what the journal does not take.
                self.write_done().await;
            } else {
                shared.tell_stuck(intents, None, &error);
                is_told = true;
                tokio::select! {
                    () = shared.stopping.cancelled() => return Recorded::Unknown,
                    () = backoff.pause() => {}
                }
            }
            if shared.stopping.is_cancelled() {
                return Recorded::Unknown;
            }
        };
        if is_told {
            shared.tell_unstuck(intents);
        }
        recorded
    }

    /// What to do when the journal takes no new attempt for these intents: it has this one, and the
    /// answer was lost; or it has another one of theirs; or some were given up meanwhile; or these
    /// very bytes were refused before.
    async fn journalled_already(&mut self, attempt: Attempt, ready: Ready) -> Step {
        let Some(unfinished) = self.unfinished(&ready.intents).await else {
            ready.payment.keep();
            return Step::Stopped;
        };
        let digest = attempt.digest();
        let mut open = unfinished.into_iter().filter_map(|open| open.attempt);
        let others = open.find(|open| {
            open.digest() == digest || open.intents.iter().any(|id| attempt.intents.contains(id))
        });
        match others {
            Some(open) if open.digest() == digest => {
                return self.send(attempt, ready, Sent::Maybe).await;
            }
            Some(open) => {
                let (its, rest): (Vec<_>, Vec<_>) = ready
                    .intents
                    .into_iter()
                    .partition(|intent| open.intents.contains(&intent.id));
                drop(ready.payment);
                self.backlog.add_first(rest);
                let payment = Payment::known(&self.shared, &open);
                self.resume(open, payment, its).await;
                return Step::Finished;
            }
            None => {}
        }
        drop(ready.payment);
        let intents = self.without_ended(ready.intents).await;
        self.variation += 1;
        Step::Again {
            intents,
            cancelled: None,
        }
    }

    /// What the journal has open, asked until it answers; `None` when the daemon stops before. After
    /// the first failure those who wait for these are told.
    async fn unfinished(&self, intents: &[Intent]) -> Option<Vec<UnfinishedIntent>> {
        let mut backoff = Backoff::new(&self.shared.config);
        let mut is_told = false;
        loop {
            match self.shared.ports.journal.unfinished().await {
                Ok(unfinished) => {
                    if is_told {
                        self.shared.tell_unstuck(intents);
                    }
                    return Some(unfinished);
                }
                Err(error) => {
                    error!(error = with_causes(&error), "the journal can't be read");
                    self.shared.tell_stuck(intents, None, &error);
                    is_told = true;
                }
            }
            tokio::select! {
                () = self.shared.stopping.cancelled() => return None,
                () = backoff.pause() => {}
            }
        }
    }

    /// Takes up an attempt from before this process began.
    pub(super) async fn resume(
        &mut self,
        attempt: Attempt,
        payment: Payment,
        intents: Vec<Intent>,
    ) {
        info!(digest = %attempt.digest(), "taking up an attempt whose fate is not known");
        let fate = pursue(&self.shared, &attempt, Sent::Maybe).await;
        let step = self.settle_fate(&attempt, intents, fate, payment).await;
        self.take_back(step);
    }

    /// Puts back into the backlog what an attempt's end leaves to be done.
    pub(super) fn take_back(&mut self, step: Step) {
        match step {
            Step::Again { intents, .. } | Step::Split(intents) | Step::Short(intents) => {
                self.backlog.add_first(intents);
            }
            // The others are what a preparation comes to.
            _ => {}
        }
    }
}

async fn sign(shared: &Shared, ready: &Ready) -> Result<Attempt, String> {
    let plan = &ready.plan;
    let unsigned = shared.ports.chain.build(plan);
    let unsigned = unsigned.map_err(|error| with_causes(&error))?;
    let signed = shared.ports.signer.sign(unsigned).await;
    Ok(Attempt {
        intents: ready.intents.iter().map(|intent| intent.id).collect(),
        transaction: signed.map_err(|error| with_causes(&error))?,
        expires_after: plan.expires_after,
        badge: plan.badge.clone(),
        gas: plan.gas.clone(),
        gas_budget: plan.gas_budget,
    })
}
