//! One badge's attempts, one after the other: what the last one left is where the next begins.
//!
//! [`prepare`](Pipeline::prepare) and [`execute`](Pipeline::execute) are the way of a transaction
//! from top to bottom.

use std::pin::pin;
use std::sync::Arc;

use atoma_domain::journal::{Attempt, Intent};
use atoma_domain::{MicroUsdc, Mist, ObjectReference};
use tokio::time::{Instant, timeout};
use tracing::{Instrument as _, debug_span, info, warn};

use super::log;
use super::prefetch::Prefetch;
use crate::engine::attempt::{
    BadgeAfter, Closed, Conflict, Draft, Ended, Funded, Inputs, Next, NotRecorded, Payment,
    Resolution, Sent, Signed, Unwritten, check_last_use, close, conflict, fund, note_foreign_use,
    plan, read, record, send, sign, write_down, write_end,
};
use crate::engine::shared::{Context, fail};
use crate::engine::wait_reason::WaitReason;

/// One badge's attempts.
#[derive(Debug)]
pub(super) struct Pipeline {
    context: Arc<Context>,
    /// The badge at the latest version known, from effects or from reading.
    badge: Option<ObjectReference>,
    /// That version is from an attempt of an earlier run: later ones may have moved the badge since.
    is_badge_from_earlier_run: bool,
    /// What the contract's treasury held when it was last read.
    treasury: MicroUsdc,
    prefetch: Prefetch,
    /// A success that is not in the journal yet. It is written together with the next attempt, if
    /// one follows at once.
    unwritten: Option<Unwritten>,
    /// Added to budgets, in MIST, so that refused bytes are not made again.
    variation: u64,
}

impl Pipeline {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            badge: None,
            is_badge_from_earlier_run: false,
            treasury: MicroUsdc::ZERO,
            prefetch: Prefetch::default(),
            unwritten: None,
            variation: 0,
        }
    }

    /// What the contract's treasury held when it was last read.
    pub(super) const fn treasury(&self) -> MicroUsdc {
        self.treasury
    }

    /// Prepares a batch for signing: reads, plans and funds it. A success that is not in the journal
    /// yet is kept to be written with this attempt; if preparing takes too long, it is written by
    /// itself meanwhile.
    ///
    /// # Errors
    /// What to do with the batch instead. No success is left unwritten then.
    pub(super) async fn prepare(&mut self, batch: Vec<Intent>) -> Result<Funded, Next> {
        let prepared = match self.unwritten.take() {
            None => self.prepare_unless_stopped(batch).await,
            Some(success) => {
                let context = Arc::clone(&self.context);
                let (prepared, success) = {
                    let mut preparing = pin!(self.prepare_unless_stopped(batch));
                    match timeout(context.config.outcome_delay, preparing.as_mut()).await {
                        Ok(prepared) => (prepared, Some(success)),
                        Err(_) => {
                            let writing = write_down(&context, success);
                            (tokio::join!(preparing, writing).0, None)
                        }
                    }
                };
                self.unwritten = success;
                prepared
            }
        };
        if prepared.is_err() {
            self.write_success().await;
        }
        prepared
    }

    /// Prepares a batch. When the daemon stops, whatever isn't signed stays queued in the journal.
    async fn prepare_unless_stopped(&mut self, batch: Vec<Intent>) -> Result<Funded, Next> {
        let context = Arc::clone(&self.context);
        tokio::select! {
            biased;
            prepared = self.read_plan_fund(batch).instrument(debug_span!("prepare")) => prepared,
            () = context.grace() => Err(Next::Stop),
        }
    }

    async fn read_plan_fund(&mut self, batch: Vec<Intent>) -> Result<Funded, Next> {
        let inputs = match self.prefetch.take(&batch, self.badge.as_ref()).await {
            Some(inputs) => inputs,
            None => {
                let (inputs, took) = read(&self.context, batch, self.badge.as_ref()).await?;
                self.prefetch.pace.view = took;
                inputs
            }
        };
        self.adopt_badge(&inputs).await?;
        self.treasury = inputs.view.parameters.fee_treasury;
        let Draft {
            planned,
            doubtful,
            rejected,
        } = plan(inputs, self.badge.as_ref());
        for (intent, failure) in rejected {
            fail(&self.context, &intent, failure).await;
        }
        if !doubtful.is_empty() {
            let sound = planned.map(|planned| planned.intents).unwrap_or_default();
            return Err(Next::Doubt { doubtful, sound });
        }
        let planned = planned.ok_or(Next::Nothing)?;
        fund(&self.context, planned, Mist::new(self.variation)).await
    }

    /// Signs, journals, sends and concludes a prepared transaction. `next` is the intent that will
    /// probably follow.
    pub(super) async fn execute(&mut self, funded: Funded, next: Option<&Intent>) -> Next {
        // Whoever asks for these from now on waits for their outcome.
        let ids = funded.intents.iter().map(|intent| intent.id);
        self.context.registry.release(ids);
        let signed = match sign(&self.context, funded).await {
            Ok(signed) => signed,
            Err(next) => return next,
        };
        let recorded = record(&self.context, signed, self.unwritten.take());
        let signed = match recorded.instrument(debug_span!("record")).await {
            Ok(signed) => signed,
            Err(NotRecorded::Conflict(signed)) => return self.resolve_conflict(*signed).await,
            Err(NotRecorded::Next(next)) => return next,
        };
        let badge = self.badge.as_ref();
        self.prefetch
            .begin(&self.context, &signed.intents, next, badge);
        self.send_and_conclude(signed, Sent::Never).await
    }

    async fn send_and_conclude(&mut self, signed: Signed, sent: Sent) -> Next {
        let sent_at = Instant::now();
        log::sending(&signed);
        let span = debug_span!("execute", digest = %signed.attempt.digest());
        let resolution = send(
            &self.context,
            Arc::clone(&signed.chain),
            &signed.attempt,
            sent,
        );
        let resolution = resolution.instrument(span).await;
        self.prefetch.pace.execution = sent_at.elapsed();
        self.conclude(signed, resolution, sent_at).await
    }

    /// Takes up an attempt that was signed before this process began, or that the journal holds open
    /// for another reason.
    pub(super) async fn resume(
        &mut self,
        attempt: Attempt,
        payment: Payment,
        intents: Vec<Intent>,
    ) -> Next {
        let resumed_at = Instant::now();
        info!(digest = %attempt.digest(), "taking up an unresolved attempt");
        self.is_badge_from_earlier_run = true;
        let chain = self.context.ports.chain_for_attempt();
        let sent = Sent::Maybe;
        let resolution = send(&self.context, Arc::clone(&chain), &attempt, sent).await;
        let signed = Signed {
            chain,
            intents,
            attempt,
            payment,
        };
        self.conclude(signed, resolution, resumed_at).await
    }

    /// Goes on with whatever the journal has instead of an attempt that it refused.
    async fn resolve_conflict(&mut self, signed: Signed) -> Next {
        match conflict(&self.context, signed).await {
            Conflict::Same(signed) => self.send_and_conclude(*signed, Sent::Maybe).await,
            Conflict::Other {
                attempt,
                payment,
                carried,
                rest,
            } => {
                let next = self.resume(*attempt, payment, carried).await;
                Next::Displaced {
                    rest,
                    next: Box::new(next),
                }
            }
            Conflict::Blocked { intents, by } => {
                warn!(
                    ?by,
                    "an attempt whose outcome is not in the journal uses the same object version"
                );
                Next::Wait {
                    intents,
                    reason: WaitReason::Unresolved { by },
                }
            }
            Conflict::None(intents) => {
                self.variation += 1;
                Next::Retry {
                    intents,
                    cancelled: None,
                }
            }
            Conflict::Stopped => Next::Stop,
        }
    }

    /// Takes over what a resolved attempt left, and journals its outcome.
    async fn conclude(
        &mut self,
        signed: Signed,
        resolution: Option<Resolution>,
        since: Instant,
    ) -> Next {
        let Some(resolution) = resolution else {
            // It may still execute: nothing else may use its coins.
            signed.payment.keep();
            return Next::Stop;
        };
        match close(&self.context, signed, resolution, since) {
            Closed::Ended(ended) => {
                if let BadgeAfter::Moved(badge) = &ended.badge {
                    self.note_moved(badge.as_ref());
                }
                log::ended(&ended, since.elapsed());
                self.end(ended).await
            }
            Closed::EffectsUnknown { badge, awaited } => {
                self.note_moved(badge.as_ref());
                Next::AwaitEffects(awaited)
            }
        }
    }

    /// Journals the outcome of an attempt: a success together with the next attempt, or when none
    /// follows; everything else at once.
    pub(super) async fn end(&mut self, ended: Box<Ended>) -> Next {
        let now = self.context.ports.clock.now();
        if !ended.is_requests_own_failure() {
            self.context.limits.note(ended.status(), now);
        }
        match ended.into_success() {
            Ok(success) => {
                self.write_success().await;
                let succeeded = success.ids();
                self.unwritten = Some(success);
                Next::Succeeded(succeeded)
            }
            Err(ended) => write_end(&self.context, ended).await,
        }
    }

    /// Journals the success that waits for it, if there is one.
    pub(super) async fn write_success(&mut self) {
        if let Some(success) = self.unwritten.take() {
            write_down(&self.context, success).await;
        }
    }

    /// Takes the badge's version from effects, unless a newer one is known. Without a version in the
    /// effects it has to be read again.
    fn note_moved(&mut self, badge: Option<&ObjectReference>) {
        let known = self.badge.as_ref().map(ObjectReference::version);
        match badge {
            Some(badge) if known >= Some(badge.version()) => {}
            badge => self.badge = badge.cloned(),
        }
    }

    /// Takes the badge's version from the chain, unless effects have shown a newer one since the read
    /// began. Looks who moved it, if this process did not.
    async fn adopt_badge(&mut self, inputs: &Inputs) -> Result<(), Next> {
        let intents = || inputs.gathered.iter().map(|(intent, _)| intent.clone());
        if self.badge.is_none() {
            check_last_use(&self.context, &inputs.view, intents().collect()).await?;
        }
        let Some(seen) = &inputs.view.badge else {
            return Ok(());
        };
        match &self.badge {
            Some(known) if known.version() >= seen.version() => {
                self.is_badge_from_earlier_run = false;
                return Ok(());
            }
            Some(known) if !self.is_badge_from_earlier_run => {
                note_foreign_use(&self.context, known, seen, intents().collect()).await?;
            }
            Some(_) | None => {}
        }
        self.is_badge_from_earlier_run = false;
        self.badge = Some(seen.clone());
        Ok(())
    }

    /// Notes what the contract's treasury holds.
    pub(super) const fn note_treasury(&mut self, treasury: MicroUsdc) {
        self.treasury = treasury;
    }
}
