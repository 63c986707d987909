//! The engine's front: opening intents and giving them to their lanes.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::journal::{
    EntryOutcome, Failure, Intent, IntentStatus, NewIntent, PlannedRequest,
};
use atoma_domain::ports::{Opened, StoreError};
use atoma_domain::{Address, IntentId, ObjectId};
use tokio_util::sync::CancellationToken;

use super::config::EngineConfig;
use super::guard::Brakes;
use super::lane::{Lane, LaneHandle, Work};
use super::outcomes::Outcome;
use super::shared::Shared;
use crate::Ports;

/// Drives intents to the chain. Cheap to clone; the work belongs to the engine, not to who asked.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    lanes: Arc<Mutex<HashMap<LaneKey, LaneHandle>>>,
    /// Held while intents are written and given to their lanes: across calls of the database, and
    /// never across one of the network.
    pub(super) opening: Arc<tokio::sync::Mutex<()>>,
}

/// What is serialised: one badge, or the address for what needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LaneKey {
    Address(Address),
    Badge(ObjectId),
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Submission {
    /// It is in the journal and on its way, now or since an earlier request.
    Accepted(IntentId),
    /// It is not, for this reason; nothing was written.
    Refused(Failure),
}

impl From<EntryOutcome> for Submission {
    fn from(outcome: EntryOutcome) -> Self {
        match outcome {
            EntryOutcome::Accepted(id) => Self::Accepted(id),
            EntryOutcome::Refused(failure) => Self::Refused(failure),
        }
    }
}

impl Engine {
    /// An engine that nothing runs in yet. It works until `stopping` is cancelled, in the runtime that
    /// it is made in; made outside of one, in that of whoever asks first.
    pub fn new(ports: Ports, config: EngineConfig, stopping: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared::new(ports, config, stopping)),
            lanes: Arc::default(),
            opening: Arc::default(),
        }
    }

    /// Writes intents down and sets them on their way; answers in order. The work goes on whether
    /// or not anybody waits for it.
    ///
    /// # Errors
    /// When the journal can't be written: nothing was begun.
    pub async fn submit(&self, intents: Vec<NewIntent>) -> Result<Vec<Submission>, StoreError> {
        self.submit_request(intents, None).await
    }

    /// The same for a request under a client's key, which is remembered with what became of its
    /// parts: what could not be taken in now may be when it is repeated.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_request(
        &self,
        intents: Vec<NewIntent>,
        request: Option<PlannedRequest>,
    ) -> Result<Vec<Submission>, StoreError> {
        let engine = self.clone();
        self.detached(async move { engine.open(intents, request).await })
            .await
            .unwrap_or_else(|error| Err(StoreError::Unavailable(Box::new(error))))
    }

    /// Does something to its end, though the caller may go away: journalled intents must not be
    /// left without a lane.
    pub(super) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        self.shared.spawn(work).await
    }

    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    async fn open(
        &self,
        intents: Vec<NewIntent>,
        mut request: Option<PlannedRequest>,
    ) -> Result<Vec<Submission>, StoreError> {
        // One at a time, so that who joins an intent finds it with its lane, and places in a lane
        // are not given away twice.
        let _opening = self.opening.lock().await;
        let mut taken = BTreeMap::new();
        let mut submissions: Vec<Option<Submission>> = intents
            .iter()
            .map(|intent| self.obstacle(intent, &mut taken).map(Submission::Refused))
            .collect();
        if let Some(request) = &mut request {
            note_obstacles(request, &submissions);
        }
        let (places, admitted): (Vec<_>, Vec<_>) = intents
            .into_iter()
            .enumerate()
            .filter(|(place, _)| matches!(submissions.get(*place), Some(None)))
            .unzip();
        let Ports { journal, clock, .. } = &self.shared.ports;
        let opened = journal
            .open(&admitted, request.as_ref(), clock.now())
            .await?;
        let mut work: BTreeMap<LaneKey, Vec<Intent>> = BTreeMap::new();
        for (place, opened) in places.into_iter().zip(opened) {
            submissions[place] = Some(match opened {
                Opened::New(intent) => {
                    let id = intent.id;
                    self.shared.outcomes.track(&intent);
                    work.entry(LaneKey::of(&intent)).or_default().push(intent);
                    Submission::Accepted(id)
                }
                Opened::Joined(intent) => {
                    let id = intent.id;
                    if self.is_orphan(id).await {
                        self.shared.outcomes.track(&intent);
                        work.entry(LaneKey::of(&intent)).or_default().push(intent);
                    } else {
                        self.ask_again(&intent);
                    }
                    Submission::Accepted(id)
                }
                Opened::Refused(failure) => Submission::Refused(failure),
            });
        }
        for (lane, intents) in work {
            self.send(lane, intents.len(), Work::Intents(intents));
        }
        Ok(submissions.into_iter().flatten().collect())
    }

    /// A claim that waits for the treasury is tried again when it is asked for again.
    fn ask_again(&self, intent: &Intent) {
        let id = intent.id;
        if self.shared.outcomes.held(id) == Some(Failure::TreasuryShort {}) {
            self.shared.outcomes.release(std::iter::once(id));
            self.send(LaneKey::of(intent), 0, Work::Again(id));
        }
    }

    /// Gives an unfinished intent a lane if it has none: the journal took it, but its answer was
    /// lost.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    pub(super) async fn adopt_orphan(&self, intent: Intent) {
        let _opening = self.opening.lock().await;
        if self.is_orphan(intent.id).await {
            self.shared.outcomes.track(&intent);
            self.send(LaneKey::of(&intent), 1, Work::Intents(vec![intent]));
        }
    }

    /// Whether a queued intent has no lane; not, where that can't be found out. Of what is signed the
    /// recovery knows the attempt.
    async fn is_orphan(&self, id: IntentId) -> bool {
        // Concluded in the journal before it is forgotten here: what is not final there was never
        // known here.
        self.shared.outcomes.watch(id).is_none()
            && matches!(self.look_up(id).await, Ok(found) if found.status == IntentStatus::Queued)
    }

    /// Waits until all lanes have stopped; call it after cancelling the token.
    pub async fn stopped(&self) {
        self.shared.ended().await;
    }

    /// Has nothing signed any more until the next start: what is queued stays queued, and only what
    /// was signed before is pursued.
    pub fn stop_signing(&self, reason: Failure) {
        self.shared.guard.stop(reason);
    }

    /// Why writes are paused, if they are; a start that is not complete is no pause.
    pub fn paused(&self) -> Option<Failure> {
        let hold = self.shared.guard.hold(self.shared.ports.clock.now());
        hold.filter(|hold| hold.is_told).map(|hold| hold.reason)
    }

    /// How far the brakes are from holding.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn brakes(&self) -> Result<Brakes, StoreError> {
        let Ports { journal, clock, .. } = &self.shared.ports;
        self.shared
            .guard
            .brakes(journal.as_ref(), clock.as_ref())
            .await
    }

    /// Why nothing is done about an unfinished intent for now, if so.
    pub fn held(&self, id: IntentId) -> Option<Failure> {
        self.shared.outcomes.held(id)
    }

    /// What the operator should see to, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let low_balance = self.low_balance().map(|balance| {
            format!(
                "the operator's coins hold {balance} MIST, less than {}: send SUI to {}",
                self.shared.config.low_gas_balance,
                self.shared.ports.signer.address()
            )
        });
        let held = self.shared.outcomes.all_held().into_iter();
        let held = held.map(|(reason, count)| format!("transactions that wait: {count}; {reason}"));
        let foreign_uses = self.shared.foreign_uses();
        let warnings = low_balance.into_iter().chain(held);
        warnings.chain(foreign_uses).collect()
    }

    /// What keeps an intent from being taken in at all; else it has one of the places `taken` in its
    /// lane.
    pub(super) fn obstacle(
        &self,
        intent: &NewIntent,
        taken: &mut BTreeMap<LaneKey, usize>,
    ) -> Option<Failure> {
        if self.shared.stopping.is_cancelled() {
            return Some(Failure::ShuttingDown {});
        }
        // What joins needs no place, and is held already.
        if self.is_under_way(intent) {
            return None;
        }
        if let Some(pause) = self.paused() {
            return Some(pause);
        }
        let key = match intent.actor.badge() {
            Some(badge) => LaneKey::Badge(badge),
            None => LaneKey::Address(intent.actor.address()),
        };
        let taken = taken.entry(key).or_default();
        let length = self
            .lanes()
            .get(&key)
            .map_or(0, |lane| lane.length.load(Ordering::Relaxed));
        if length + *taken >= self.shared.config.queue_limit {
            return Some(Failure::QueueFull {
                node_small_id: intent.actor.node(),
            });
        }
        *taken += 1;
        None
    }

    /// Whether an unfinished intent has the right to do what this one wants.
    pub(crate) fn is_under_way(&self, intent: &NewIntent) -> bool {
        let key = intent.action.key(&intent.actor);
        self.shared.outcomes.is_open(&key)
    }

    /// Ends when the daemon is told to stop.
    pub(crate) async fn told_to_stop(&self) {
        self.shared.stopping.cancelled().await;
    }

    /// Announces the end of an intent that its lane has no part in.
    pub(super) fn leave_lane(&self, intent: &Intent, outcome: Outcome) {
        let lane = self.lane(LaneKey::of(intent));
        self.shared.announce(&lane.length, intent.id, outcome);
    }

    /// What the lanes share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn send(&self, key: LaneKey, intents: usize, work: Work) {
        let lane = self.lane(key);
        lane.length.fetch_add(intents, Ordering::Relaxed);
        // A lane ends only when the engine stops; then the journal keeps the work.
        let _ = lane.sender.send(work);
    }

    fn lane(&self, key: LaneKey) -> LaneHandle {
        self.lanes()
            .entry(key)
            .or_insert_with(|| {
                let (lane, handle) = Lane::new(Arc::clone(&self.shared));
                self.shared.spawn(lane.run());
                handle
            })
            .clone()
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<LaneKey, LaneHandle>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a request remember which of the intents that it was to open met an obstacle.
fn note_obstacles(request: &mut PlannedRequest, submissions: &[Option<Submission>]) {
    let entries = request.entries.iter_mut();
    let to_open = entries.filter(|entry| entry.outcome.is_none());
    for (entry, submission) in to_open.zip(submissions) {
        if let Some(Submission::Refused(obstacle)) = submission {
            entry.outcome = Some(EntryOutcome::Refused(obstacle.clone()));
        }
    }
}

impl LaneKey {
    pub(super) fn of(intent: &Intent) -> Self {
        match intent.actor.badge() {
            Some(badge) => Self::Badge(badge),
            None => Self::Address(intent.actor.address()),
        }
    }
}
