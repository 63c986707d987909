//! One badge's lane: its intents one after the other, because every transaction of a badge moves
//! the badge's version. Only this file changes a [`Lane`].

mod awaiting_effects;
mod backlog;
mod log;
mod outage;
mod pipeline;
mod prefetch;
mod retries;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::IntentId;
use atoma_domain::journal::{Attempt, Failure, Intent};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{Instrument, info_span};

use super::attempt::{Next, Payment};
use super::backoff::Backoff;
use super::limits::Hold;
use super::shared::{Context, fail, fail_all, without_abandoned};
use super::treasury::{Division, WaitingClaims, costs, divide};
use super::wait_reason::WaitReason;
use awaiting_effects::AwaitingEffects;
use backlog::Backlog;
use outage::Outage;
use pipeline::Pipeline;
use retries::{Retries, Turn};

/// Work for a lane.
#[derive(Debug)]
pub(super) enum Work {
    /// An attempt signed before this process began, its payment, and its intents.
    Resume(Box<Attempt>, Payment, Vec<Intent>),
    /// Intents to be attempted.
    Intents(Vec<Intent>),
    /// A claim that may wait for the treasury, and was asked for again.
    Again(IntentId),
}

/// A running lane.
#[derive(Debug)]
pub(super) struct Lane {
    context: Arc<Context>,
    inbox: mpsc::UnboundedReceiver<Work>,
    backlog: Backlog,
    pipeline: Pipeline,
    waiting_claims: WaitingClaims,
    awaiting_effects: AwaitingEffects,
    /// Why and until when nothing can be prepared, if so.
    outage: Option<Outage>,
    /// Callers were informed that nothing is done for now.
    is_held: bool,
}

impl Lane {
    /// A lane, and where to send its work.
    pub(super) fn new(context: Arc<Context>) -> (Self, mpsc::UnboundedSender<Work>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let config = &context.config;
        let lane = Self {
            inbox,
            backlog: Backlog::default(),
            pipeline: Pipeline::new(Arc::clone(&context)),
            waiting_claims: WaitingClaims::new(config.treasury_interval),
            awaiting_effects: AwaitingEffects::new(config.effects_interval),
            outage: None,
            is_held: false,
            context,
        };
        (lane, sender)
    }

    /// Works until the engine is dropped or stops. Whatever is unfinished then is in the journal.
    pub(super) async fn run(mut self) {
        while self.step().await {}
        self.pipeline.write_success().await;
    }

    /// One batch, or one thing to wait for; false at the end.
    async fn step(&mut self) -> bool {
        while let Ok(work) = self.inbox.try_recv() {
            self.accept(work).await;
        }
        if self.context.stopping.is_cancelled() {
            return false;
        }
        if let Some(ended) = self.awaiting_effects.look(&self.context.ports).await {
            let next = self.pipeline.end(ended).await;
            self.put_back(next);
        }
        if let Some(hold) = self.hold() {
            return self.sit_out(hold).await;
        }
        self.end_hold();
        if self.waiting_claims.is_due() {
            self.look_at_treasury().await;
        }
        if self.backlog.is_empty() {
            // No attempt follows that it could be written with.
            self.pipeline.write_success().await;
            return self.idle().await;
        }
        let config = &self.context.config;
        let batch = self.backlog.take(|first| match first.action.kind() {
            "attest_settlement" => config.attestations_per_transaction,
            _ => config.claims_per_transaction,
        });
        if let Some(first) = batch.first() {
            let span = info_span!("intent", transaction.id = %first.id, kind = first.action.kind());
            self.process(batch).instrument(span).await;
        }
        true
    }

    async fn accept(&mut self, work: Work) {
        match work {
            Work::Resume(attempt, payment, intents) => {
                let next = self.pipeline.resume(*attempt, payment, intents).await;
                self.put_back(next);
                self.context.unresolved.send_modify(|left| *left -= 1);
            }
            Work::Intents(intents) => self.backlog.add(intents),
            Work::Again(id) => {
                let claim = self.waiting_claims.take(id);
                self.backlog.add(claim.into_iter().collect());
            }
        }
    }

    /// Waits for work; false at the end.
    async fn idle(&mut self) -> bool {
        let work = tokio::select! {
            () = self.context.stopping.cancelled() => return false,
            work = self.inbox.recv() => work,
            () = self.waiting_claims.due() => return true,
            () = self.awaiting_effects.due() => return true,
        };
        match work {
            Some(work) => self.accept(work).await,
            None => return false,
        }
        true
    }

    /// Why nothing is signed now, if so.
    fn hold(&self) -> Option<Hold> {
        let now = self.context.ports.clock.now();
        let limits = self.context.limits.hold(now);
        limits.or_else(|| self.outage.as_ref()?.hold())
    }

    /// Informs callers, then waits until the hold may be over or work arrives.
    async fn sit_out(&mut self, hold: Hold) -> bool {
        self.pipeline.write_success().await;
        if hold.is_announced {
            self.is_held = true;
            let waiting = self.backlog.iter().map(|intent| intent.id);
            self.context.registry.hold(waiting, &hold.reason);
        }
        let context = Arc::clone(&self.context);
        let mut changed = pin!(context.limits.changed());
        // Registered before looking again, so that a change in between is not missed.
        changed.as_mut().enable();
        if self.hold().is_none() {
            return true;
        }
        let work = tokio::select! {
            () = context.stopping.cancelled() => return false,
            work = self.inbox.recv() => work,
            () = changed => return true,
            () = self.awaiting_effects.due() => return true,
            () = pause(hold.left) => return true,
        };
        match work {
            Some(work) => self.accept(work).await,
            None => return false,
        }
        true
    }

    fn end_hold(&mut self) {
        // An outage is over only when something could be prepared again.
        if self.outage.is_none() && std::mem::take(&mut self.is_held) {
            let waiting = self.backlog.iter().map(|intent| intent.id);
            self.context.registry.release(waiting);
        }
    }

    /// Attempts a batch until every intent of it is final, or goes back to the backlog because
    /// nothing can be done for now.
    async fn process(&mut self, batch: Vec<Intent>) {
        let mut retries = Retries::new(batch, &self.context.config);
        while let Some(mut turn) = retries.pop() {
            if self.context.stopping.is_cancelled() {
                return;
            }
            turn.batch = without_abandoned(&self.context, turn.batch).await;
            if turn.batch.is_empty() {
                continue;
            }
            let now = self.context.ports.clock.now();
            if self.context.limits.hold(now).is_some() {
                retries.push(turn);
                self.backlog.add_first(retries.into_intents());
                return;
            }
            let batch = std::mem::take(&mut turn.batch);
            let next = match self.pipeline.prepare(batch).await {
                Ok(_) if self.context.stopping.is_cancelled() => return,
                Ok(funded) => {
                    let next = self.pipeline.execute(funded, self.backlog.next()).await;
                    if !matches!(next, Next::Wait { .. }) {
                        self.outage = None;
                    }
                    next
                }
                Err(next) => next,
            };
            match self.take_over(next) {
                Next::Stop => return,
                Next::Wait { intents, reason } => {
                    retries.push(Turn::new(intents));
                    self.wait(retries, reason);
                    return;
                }
                Next::Retry { intents, cancelled } => {
                    self.retry(&mut retries, turn, intents, cancelled).await;
                }
                Next::Doubt { doubtful, sound } => {
                    self.backlog.add_first(sound);
                    self.doubt(&mut retries, turn, doubtful).await;
                }
                Next::Split(batch) => retries.split(&turn, batch),
                Next::Short(claims) => self.face_shortage(&mut retries, &turn, claims).await,
                Next::Nothing
                | Next::Succeeded(_)
                | Next::AwaitEffects(_)
                | Next::Displaced { .. } => {}
            }
        }
    }

    /// Takes over what the end of an attempt means for the lane's other intents; the rest is about
    /// the batch.
    fn take_over(&mut self, next: Next) -> Next {
        match next {
            Next::Succeeded(ids) => {
                for id in ids {
                    let freed = self.waiting_claims.succeeded(id);
                    let ids = freed.iter().map(|claim| claim.id);
                    self.context.registry.release(ids);
                    self.backlog.add(freed);
                }
                Next::Nothing
            }
            Next::AwaitEffects(awaited) => {
                self.awaiting_effects.add(*awaited);
                Next::Nothing
            }
            Next::Displaced { rest, next } => {
                self.backlog.add_first(rest);
                self.put_back(*next);
                Next::Nothing
            }
            next => next,
        }
    }

    /// Puts back into the backlog what the end of an attempt leaves to be done.
    fn put_back(&mut self, next: Next) {
        match self.take_over(next) {
            Next::Retry { intents, .. } | Next::Split(intents) | Next::Short(intents) => {
                self.backlog.add_first(intents);
            }
            // The others come from preparing only.
            _ => {}
        }
    }

    /// Puts a batch back while the Sui node or the database does not answer.
    fn wait(&mut self, retries: Retries, reason: WaitReason) {
        let intents = retries.into_intents();
        match &mut self.outage {
            Some(outage) => outage.lasts(reason),
            None => self.outage = Some(Outage::new(&self.context.config, reason)),
        }
        if self.outage.as_ref().is_some_and(Outage::is_long) {
            // It may be about these alone: others have their turn next.
            self.backlog.add(intents);
        } else {
            self.backlog.add_first(intents);
        }
    }

    /// Signs again after a pause, unless too many transactions of these were cancelled.
    async fn retry(
        &mut self,
        retries: &mut Retries,
        turn: Turn,
        intents: Vec<Intent>,
        cancelled: Option<String>,
    ) {
        let times = turn.cancelled + u32::from(cancelled.is_some());
        match cancelled {
            Some(reason) if times >= self.context.config.sign_attempts => {
                let now = self.context.ports.clock.now();
                self.context.limits.note_failure(now);
                let reason = format!(
                    "gave up after {times} cancelled transactions, the last because of: {reason}"
                );
                fail_all(
                    &self.context,
                    &intents,
                    &Failure::ExecutionFailed { reason },
                )
                .await;
                return;
            }
            Some(_) => self.pause(&mut retries.congestion).await,
            None => self.pause(&mut retries.backoff).await,
        }
        retries.push(Turn {
            batch: intents,
            cancelled: times,
            ..turn
        });
    }

    /// Asks again after a pause, unless these were doubted too often.
    async fn doubt(&mut self, retries: &mut Retries, turn: Turn, doubtful: Vec<(Intent, Failure)>) {
        let doubted = turn.doubted + 1;
        if doubted >= self.context.config.read_attempts {
            for (intent, failure) in doubtful {
                fail(&self.context, &intent, failure).await;
            }
            return;
        }
        self.pause(&mut retries.backoff).await;
        retries.push(Turn {
            batch: doubtful.into_iter().map(|(intent, _)| intent).collect(),
            doubted,
            ..turn
        });
    }

    /// Lets a pause pass. A success is not kept waiting by it.
    async fn pause(&mut self, backoff: &mut Backoff) {
        self.pipeline.write_success().await;
        tokio::select! {
            () = self.context.stopping.cancelled() => {}
            () = backoff.pause() => {}
        }
    }

    /// Finds out which of these claims the treasury can pay: the cheaper half is tried first. A
    /// single one waits, and so do those that are known to cost more.
    async fn face_shortage(&mut self, retries: &mut Retries, turn: &Turn, claims: Vec<Intent>) {
        if claims.len() == 1 {
            let treasury = self.pipeline.treasury();
            let dearer = retries.take_dearer();
            let waiting = &mut self.waiting_claims;
            waiting.keep(&self.context, claims, Some(treasury)).await;
            waiting.keep(&self.context, dearer, None).await;
            return;
        }
        let costs = costs(self.context.ports.state.as_ref(), &claims).await;
        let Division {
            first,
            rest,
            rest_is_dearer,
        } = divide(claims, &costs);
        retries.push(Turn {
            is_dearer: turn.is_dearer || rest_is_dearer,
            ..Turn::new(rest)
        });
        retries.push(turn.part(first));
    }

    /// Tries a waiting claim if the treasury has grown, or one that was not tried yet.
    async fn look_at_treasury(&mut self) {
        let Some((treasury, claim)) = self.waiting_claims.look(&self.context).await else {
            return;
        };
        self.pipeline.note_treasury(treasury);
        self.backlog.add_first(claim.into_iter().collect());
    }
}

async fn pause(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep_until(Instant::now() + left).await,
        None => std::future::pending().await,
    }
}
