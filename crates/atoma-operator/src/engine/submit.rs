//! The engine's front: opening intents, waiting for them, and taking up what a crash left open.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoma_domain::journal::{
    EntryOutcome, Failure, Intent, IntentStatus, NewIntent, PlannedRequest,
};
use atoma_domain::ports::{JournalKey, Opened, StoreError};
use atoma_domain::{Address, Digest, ObjectId, TransactionId};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::config::EngineConfig;
use super::gas::GasPool;
use super::guard::Guard;
use super::lane::{Lane, LaneHandle, Shared, Work};
use super::outcomes::Outcome;
use crate::Ports;

/// Drives intents to the chain. Cheap to clone; the work belongs to the engine, not to who asked.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    lanes: Arc<Mutex<HashMap<LaneKey, LaneHandle>>>,
    /// Held while intents are written and given to their lanes.
    opening: Arc<tokio::sync::Mutex<()>>,
    tasks: TaskTracker,
}

/// What is serialised: one badge, or the address for what needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum LaneKey {
    Address(Address),
    Badge(ObjectId),
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Submission {
    /// It is in the journal and on its way, now or since an earlier request.
    Accepted(TransactionId),
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

/// An intent as far as it got within the time waited.
#[derive(Clone, Debug, PartialEq)]
pub struct Waited {
    /// The intent.
    pub id: TransactionId,
    /// Where it stands.
    pub status: IntentStatus,
    /// The digest of the transaction that may have reached the network.
    pub tx_digest: Option<Digest>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// Why an intent was not given up.
#[derive(Debug, thiserror::Error)]
pub enum AbandonError {
    /// It can't be.
    #[error("{0}")]
    Refused(Failure),
    /// The journal failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// An engine that nothing runs in yet. It works until `stopping` is cancelled.
    pub fn new(ports: Ports, config: EngineConfig, stopping: CancellationToken) -> Self {
        let gas = GasPool::new(ports.signer.address());
        let guard = Guard::new(config.guard);
        Self {
            shared: Arc::new(Shared {
                ports,
                config,
                gas,
                budgets: super::budget::Budgets::default(),
                outcomes: super::outcomes::Outcomes::default(),
                abandoned: super::abandoned::Abandoned::default(),
                guard,
                stopping,
            }),
            lanes: Arc::default(),
            opening: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Takes up everything that the journal holds unfinished: signed attempts first, whose fate is
    /// settled before their lane does anything else. Call it before serving writes.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn recover(&self) -> Result<(), StoreError> {
        let unfinished = self.shared.ports.journal.unfinished().await?;
        if unfinished.is_empty() {
            return Ok(());
        }
        info!(intents = unfinished.len(), "taking up unfinished intents");
        let mut resumed: BTreeMap<(LaneKey, Digest), (_, Vec<Intent>)> = BTreeMap::new();
        let mut queued: BTreeMap<LaneKey, Vec<Intent>> = BTreeMap::new();
        for open in unfinished {
            self.shared.outcomes.track(open.intent.id);
            let lane = lane_key(&open.intent);
            match open.attempt {
                Some(attempt) => resumed
                    .entry((lane, attempt.digest()))
                    .or_insert_with(|| (attempt, Vec::new()))
                    .1
                    .push(open.intent),
                None => queued.entry(lane).or_default().push(open.intent),
            }
        }
        for ((lane, _), (attempt, intents)) in resumed {
            let count = intents.len();
            self.send(lane, count, Work::Resume(Box::new(attempt), intents));
        }
        for (lane, intents) in queued {
            self.send(lane, intents.len(), Work::Intents(intents));
        }
        Ok(())
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
    /// parts. Where one of its intents finds its lane full, none is written.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_request(
        &self,
        intents: Vec<NewIntent>,
        request: Option<PlannedRequest>,
    ) -> Result<Vec<Submission>, StoreError> {
        // Detached, so that a caller that goes away can't leave journalled intents without a lane.
        let engine = self.clone();
        let opening = self
            .tasks
            .spawn(async move { engine.open(intents, request).await });
        opening
            .await
            .unwrap_or_else(|error| Err(StoreError::Unavailable(Box::new(error))))
    }

    async fn open(
        &self,
        intents: Vec<NewIntent>,
        request: Option<PlannedRequest>,
    ) -> Result<Vec<Submission>, StoreError> {
        let mut submissions: Vec<Option<Submission>> =
            intents.iter().map(|intent| self.obstacle(intent)).collect();
        let obstructed = submissions.iter().flatten().next().cloned();
        if let (Some(_), Some(obstacle)) = (&request, obstructed) {
            return Ok(vec![obstacle; intents.len()]);
        }
        let (places, admitted): (Vec<_>, Vec<_>) = intents
            .into_iter()
            .enumerate()
            .filter(|(place, _)| matches!(submissions.get(*place), Some(None)))
            .unzip();
        // One at a time, so that who joins an intent finds it with its lane.
        let _opening = self.opening.lock().await;
        let now = self.shared.ports.clock.now();
        let opened = self
            .shared
            .ports
            .journal
            .open(&admitted, request.as_ref(), now)
            .await?;
        let mut work: BTreeMap<LaneKey, Vec<Intent>> = BTreeMap::new();
        for (place, opened) in places.into_iter().zip(opened) {
            submissions[place] = Some(match opened {
                Opened::New(intent) => {
                    let id = intent.id;
                    self.shared.outcomes.track(id);
                    work.entry(lane_key(&intent)).or_default().push(intent);
                    Submission::Accepted(id)
                }
                Opened::Joined(intent) => {
                    let id = intent.id;
                    if self.is_orphan(id).await? {
                        self.shared.outcomes.track(id);
                        work.entry(lane_key(&intent)).or_default().push(intent);
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

    /// Whether an unfinished intent has no lane: the journal took it, but its answer was lost.
    async fn is_orphan(&self, id: TransactionId) -> Result<bool, StoreError> {
        if self.shared.outcomes.watch(id).is_some() {
            return Ok(false);
        }
        // Concluded in the journal before it is forgotten here: what is not final there was never
        // known here.
        Ok(!self.look_up(id).await?.status.is_final())
    }

    /// Waits until all of the intents are final, or `limit` has passed; tells how far they are.
    ///
    /// # Errors
    /// When the journal can't be read for one that isn't known to this process.
    pub async fn wait(
        &self,
        ids: &[TransactionId],
        limit: Duration,
    ) -> Result<Vec<Waited>, StoreError> {
        let deadline = Instant::now() + limit;
        let mut waited = Vec::with_capacity(ids.len());
        for id in ids {
            let outcome = match self.shared.outcomes.watch(*id) {
                Some(mut receiver) => {
                    let finished =
                        tokio::time::timeout_at(deadline, receiver.wait_for(Option::is_some)).await;
                    match finished {
                        Ok(Ok(outcome)) => outcome.clone(),
                        // Late, or told and dropped at once: the journal knows.
                        _ => None,
                    }
                }
                None => None,
            };
            waited.push(match outcome {
                Some(Outcome {
                    status,
                    tx_digest,
                    failure,
                }) => Waited {
                    id: *id,
                    status,
                    tx_digest,
                    failure,
                },
                None => self.look_up(*id).await?,
            });
        }
        Ok(waited)
    }

    /// Gives an intent up, if nothing of it can execute any more: it fails, and is not signed
    /// (again).
    ///
    /// # Errors
    /// [`Failure::AlreadyFinal`], or [`Failure::MayStillExecute`] when its transaction is not
    /// decided within `limit`; then nothing has changed.
    pub async fn abandon(&self, id: TransactionId, limit: Duration) -> Result<(), AbandonError> {
        let before = self.look_up(id).await?;
        if before.status.is_final() {
            return Err(AbandonError::Refused(Failure::AlreadyFinal {
                transaction_id: id,
            }));
        }
        self.shared.abandoned.mark(id);
        let waited = self.wait(&[id], limit).await?;
        let after = waited.into_iter().next().unwrap_or(before);
        if matches!(after.failure, Some(Failure::Abandoned {})) {
            return Ok(());
        }
        self.shared.abandoned.unmark(id);
        Err(AbandonError::Refused(if after.status.is_final() {
            Failure::AlreadyFinal { transaction_id: id }
        } else {
            Failure::MayStillExecute {
                transaction_id: id,
                tx_digest: after.tx_digest,
            }
        }))
    }

    async fn look_up(&self, id: TransactionId) -> Result<Waited, StoreError> {
        let record = self
            .shared
            .ports
            .journal
            .find(JournalKey::Id(id))
            .await?
            .ok_or_else(|| StoreError::Missing {
                what: format!("transaction {id}"),
            })?;
        Ok(Waited {
            id,
            status: record.status,
            tx_digest: record.tx_digest,
            failure: record.failure,
        })
    }

    /// Waits until all lanes have stopped; call it after cancelling the token.
    pub async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Why writes are paused, if they are: too many transactions in a row have failed.
    pub fn paused(&self) -> Option<Failure> {
        self.shared.guard.pause(self.shared.ports.clock.now())
    }

    /// What the operator should see to, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let low = self.shared.config.low_gas_balance;
        self.shared
            .gas
            .balance()
            .filter(|balance| balance.get() < low)
            .map(|balance| {
                format!(
                    "the operator's coins hold {balance} MIST, less than {low}: send SUI to {}",
                    self.shared.ports.signer.address()
                )
            })
            .into_iter()
            .collect()
    }

    /// What keeps an intent from being taken in at all.
    fn obstacle(&self, intent: &NewIntent) -> Option<Submission> {
        let failure = if self.shared.stopping.is_cancelled() {
            Failure::ShuttingDown {}
        } else if let Some(pause) = self.paused() {
            pause
        } else if self.is_full(intent) {
            Failure::QueueFull {
                node_small_id: intent.actor.node(),
            }
        } else {
            return None;
        };
        Some(Submission::Refused(failure))
    }

    /// What the lanes share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn is_full(&self, intent: &NewIntent) -> bool {
        let key = match intent.actor.badge() {
            Some(badge) => LaneKey::Badge(badge),
            None => LaneKey::Address(intent.actor.address()),
        };
        self.lanes().get(&key).is_some_and(|lane| {
            lane.length.load(Ordering::Relaxed) >= self.shared.config.queue_limit
        })
    }

    fn send(&self, key: LaneKey, intents: usize, work: Work) {
        let lane = self.lane(key);
        lane.length.fetch_add(intents, Ordering::Relaxed);
        // A lane ends only when the engine stops; then the journal keeps the work.
        let _ = lane.sender.send(work);
    }

    fn lane(&self, key: LaneKey) -> LaneHandle {
        self.lanes()
            .entry(key)
            .or_insert_with(|| {
                let (sender, receiver) = mpsc::unbounded_channel();
                let length = Arc::new(AtomicUsize::new(0));
                let lane = Lane::new(Arc::clone(&self.shared), Arc::clone(&length));
                self.tasks.spawn(lane.run(receiver));
                LaneHandle { sender, length }
            })
            .clone()
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<LaneKey, LaneHandle>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lane_key(intent: &Intent) -> LaneKey {
    match intent.actor.badge() {
        Some(badge) => LaneKey::Badge(badge),
        None => LaneKey::Address(intent.actor.address()),
    }
}
