//! One badge's lane: its intents one after the other, because every transaction of a badge moves
//! the badge's version.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use atoma_domain::journal::{Attempt, Intent};
use atoma_domain::ports::ViewQuery;
use atoma_domain::{IntentId, MicroUsdc, ObjectReference};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{Instrument, debug, info_span};

use super::ahead::{Ahead, Pace};
use super::backlog::Backlog;
use super::conclusion::Done;
use super::funding::Payment;
use super::guard::Hold;
use super::outage::Outage;
use super::parked::Parked;
use super::shared::Shared;
use super::untold::Untold;
use crate::causes::with_causes;

/// Work for a lane.
#[derive(Debug)]
pub(super) enum Work {
    /// An attempt signed before this process began, what pays for it, and its intents.
    Resume(Box<Attempt>, Payment, Vec<Intent>),
    /// Intents to be attempted.
    Intents(Vec<Intent>),
    /// One that it may have parked, asked for again.
    Again(IntentId),
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
    /// What the contract's treasury held when it was last read.
    pub(super) treasury: MicroUsdc,
    /// What is being read for the next intent.
    pub(super) ahead: Option<Ahead>,
    pub(super) pace: Pace,
    /// A success that is yet to be written down: with the next attempt, if one follows at once.
    pub(super) done: Option<Done>,
    /// What is added to budgets, in MIST, so that bytes refused before are not made again.
    pub(super) variation: u64,
    pub(super) backlog: Backlog,
    pub(super) parked: Parked,
    pub(super) untold: Untold,
    /// Why and until when nothing can be prepared, if so.
    pub(super) outage: Option<Outage>,
    pub(super) length: Arc<AtomicUsize>,
    work: mpsc::UnboundedReceiver<Work>,
    /// Who waits was told that nothing is done for now.
    is_held: bool,
}

impl Lane {
    /// A lane with the engine's end of it.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, LaneHandle) {
        let (sender, work) = mpsc::unbounded_channel();
        let length = Arc::new(AtomicUsize::new(0));
        let handle = LaneHandle {
            sender,
            length: Arc::clone(&length),
        };
        let lane = Self {
            badge: None,
            treasury: MicroUsdc::ZERO,
            ahead: None,
            pace: Pace::default(),
            done: None,
            variation: 0,
            backlog: Backlog::default(),
            parked: Parked::new(shared.config.treasury_interval),
            untold: Untold::new(shared.config.untold_interval),
            outage: None,
            length,
            work,
            is_held: false,
            shared,
        };
        (lane, handle)
    }

    /// Works until the engine is dropped or stops. What is unfinished then is in the journal.
    pub(super) async fn run(mut self) {
        while self.step().await {}
        self.write_done().await;
    }

    /// One batch, or one thing to wait for; false at the end.
    async fn step(&mut self) -> bool {
        while let Ok(next) = self.work.try_recv() {
            self.accept(next).await;
        }
        if self.shared.stopping.is_cancelled() {
            return false;
        }
        self.ask_for_untold().await;
        if let Some(hold) = self.hold() {
            return self.sit_out(hold).await;
        }
        self.end_hold();
        if self.parked.is_due() {
            self.look_at_the_treasury().await;
        }
        if self.backlog.is_empty() {
            // Nothing follows that it could be written with.
            self.write_done().await;
            return self.idle().await;
        }
        let config = &self.shared.config;
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
                self.resume(*attempt, payment, intents).await;
                self.shared.undecided.send_modify(|left| *left -= 1);
            }
            Work::Intents(intents) => self.backlog.add(intents),
            Work::Again(id) => self.backlog.add(self.parked.take(id).into_iter().collect()),
        }
    }

    /// Waits for work; false at the end.
    async fn idle(&mut self) -> bool {
        let next = tokio::select! {
            () = self.shared.stopping.cancelled() => return false,
            next = self.work.recv() => next,
            () = self.parked.due() => return true,
            () = self.untold.due() => return true,
        };
        match next {
            Some(next) => self.accept(next).await,
            None => return false,
        }
        true
    }

    /// Why nothing is to be signed now, if so.
    pub(super) fn hold(&self) -> Option<Hold> {
        let now = self.shared.ports.clock.now();
        self.shared
            .guard
            .hold(now)
            .or_else(|| self.outage.as_ref()?.hold())
    }

    /// Tells those who wait, then waits until the hold may be over or work comes.
    async fn sit_out(&mut self, hold: Hold) -> bool {
        self.write_done().await;
        if hold.is_told {
            self.is_held = true;
            let waiting = self.backlog.iter().map(|intent| intent.id);
            self.shared.outcomes.hold(waiting, &hold.reason);
        }
        let shared = Arc::clone(&self.shared);
        let mut changed = pin!(shared.guard.closed());
        // Registered before looking again, so that a closing in between is not missed.
        changed.as_mut().enable();
        if self.hold().is_none() {
            return true;
        }
        let next = tokio::select! {
            () = shared.stopping.cancelled() => return false,
            next = self.work.recv() => next,
            () = changed => return true,
            () = self.untold.due() => return true,
            () = pause(hold.left) => return true,
        };
        match next {
            Some(next) => self.accept(next).await,
            None => return false,
        }
        true
    }

    fn end_hold(&mut self) {
        // An outage is over only when something could be prepared again.
        if self.outage.is_none() && std::mem::take(&mut self.is_held) {
            let waiting = self.backlog.iter().map(|intent| intent.id);
            self.shared.outcomes.release(waiting);
        }
    }

    /// Tries a parked claim if the treasury has grown, or if one was not tried.
    async fn look_at_the_treasury(&mut self) {
        self.parked.looked();
        let query = ViewQuery::default();
        let treasury = match self.shared.ports.chain.view(&query).await {
            Ok(view) => view.parameters.fee_treasury,
            Err(error) => {
                debug!(error = with_causes(&error), "the treasury can't be read");
                return;
            }
        };
        self.treasury = treasury;
        let abandoned = &self.shared.abandoned;
        self.parked.drop_those(|id| abandoned.take_failed(id));
        if let Some(claim) = self.parked.look(treasury) {
            self.backlog.add_first(vec![claim]);
        }
    }

    /// The oldest intent that waits.
    pub(super) fn next_intent(&self) -> Option<&Intent> {
        self.backlog.next()
    }
}

async fn pause(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep_until(Instant::now() + left).await,
        None => std::future::pending().await,
    }
}
