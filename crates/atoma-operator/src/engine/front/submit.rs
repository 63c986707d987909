//! Opening intents in the journal and giving them to their lanes.

use std::collections::BTreeMap;

use atoma_domain::IntentId;
use atoma_domain::journal::{
    Action, EntryOutcome, Failure, Intent, IntentStatus, NewIntent, PlannedRequest,
};
use atoma_domain::ports::{Opened, StoreError};

use super::engine::Engine;
use crate::Ports;
use crate::engine::lane::Work;
use crate::engine::shared::LaneKey;
use crate::engine::wait_reason::WaitReason;

/// One in so many places of a lane is kept for attestations.
const KEPT_PLACES: usize = 10;

/// Whether an intent was taken in.
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
    /// Journals intents and gives them to their lanes; answers in order. The work goes on whether or
    /// not anybody waits for it.
    ///
    /// # Errors
    /// When the journal can't be written: nothing was begun.
    pub async fn submit(&self, intents: Vec<NewIntent>) -> Result<Vec<Submission>, StoreError> {
        self.submit_request(intents, None).await
    }

    /// Like [`submit`](Self::submit), for a request under a client's key. The key is remembered with
    /// the outcome of the request's parts; a part that can't be taken in now may be when the request
    /// is repeated.
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

    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    async fn open(
        &self,
        intents: Vec<NewIntent>,
        mut request: Option<PlannedRequest>,
    ) -> Result<Vec<Submission>, StoreError> {
        // One request at a time, so that a joined intent has its lane already, and places in a lane
        // are not given away twice.
        let _opening = self.opening().await;
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
        let Ports { journal, clock, .. } = &self.context().ports;
        let opened = journal
            .open(&admitted, request.as_ref(), clock.now())
            .await?;
        let mut work: BTreeMap<LaneKey, Vec<Intent>> = BTreeMap::new();
        for (place, opened) in places.into_iter().zip(opened) {
            submissions[place] = Some(match opened {
                Opened::New(intent) => {
                    let id = intent.id;
                    self.context().registry.track(&intent);
                    work.entry(LaneKey::of(&intent)).or_default().push(intent);
                    Submission::Accepted(id)
                }
                Opened::Joined(intent) => {
                    let id = intent.id;
                    if self.is_orphan(id).await {
                        self.context().registry.track(&intent);
                        work.entry(LaneKey::of(&intent)).or_default().push(intent);
                    } else {
                        self.try_again(&intent);
                    }
                    Submission::Accepted(id)
                }
                Opened::Refused(failure) => Submission::Refused(failure),
            });
        }
        for (lane, intents) in work {
            self.send(lane, Work::Intents(intents));
        }
        Ok(submissions.into_iter().flatten().collect())
    }

    /// Tries a claim that waits for the treasury, because it was asked for again.
    fn try_again(&self, intent: &Intent) {
        let id = intent.id;
        if self.context().registry.held(id) == Some(WaitReason::Treasury) {
            self.context().registry.release(std::iter::once(id));
            self.send(LaneKey::of(intent), Work::Again(id));
        }
    }

    /// Gives an unfinished intent to its lane if no lane has it: the journal took it, but the answer
    /// was lost.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "`opening` is held across calls of the database only"
    )]
    pub(super) async fn adopt_orphan(&self, intent: Intent) {
        let _opening = self.opening().await;
        if self.is_orphan(intent.id).await {
            self.context().registry.track(&intent);
            self.send(LaneKey::of(&intent), Work::Intents(vec![intent]));
        }
    }

    /// Whether a queued intent is in no lane; false if that can't be found out. Signed ones are the
    /// recovery's business.
    async fn is_orphan(&self, id: IntentId) -> bool {
        // The journal concludes an intent before the registry forgets it. So an intent that is not
        // final in the journal was never in the registry.
        self.context().registry.watch(id).is_none()
            && matches!(self.find(id).await, Ok(found) if found.status == IntentStatus::Queued)
    }

    /// Why an intent can't be taken in at all; otherwise it takes one more of the places `taken` in
    /// its lane.
    pub(super) fn obstacle(
        &self,
        intent: &NewIntent,
        taken: &mut BTreeMap<LaneKey, usize>,
    ) -> Option<Failure> {
        if self.context().stopping.is_cancelled() {
            return Some(Failure::ShuttingDown {});
        }
        // It joins an intent that has a place already, and waits with it.
        if self.is_under_way(intent) {
            return None;
        }
        if let Some(pause) = self.paused() {
            return Some(pause);
        }
        let key = LaneKey::of_actor(&intent.actor);
        let taken = taken.entry(key).or_default();
        let length = self.context().registry.in_lane(key);
        let limit = self.context().config.queue_limit;
        let places = match intent.action {
            Action::AttestSettlement { .. } => limit,
            // The last places are kept for attestations, which the contract punishes if they are late.
            _ => limit - limit / KEPT_PLACES,
        };
        if length + *taken >= places {
            return Some(Failure::QueueFull {
                node_small_id: intent.actor.node(),
            });
        }
        *taken += 1;
        None
    }
}

/// Notes in a request which of the intents to open were refused.
fn note_obstacles(request: &mut PlannedRequest, submissions: &[Option<Submission>]) {
    let entries = request.entries.iter_mut();
    let to_open = entries.filter(|entry| entry.outcome.is_none());
    for (entry, submission) in to_open.zip(submissions) {
        if let Some(Submission::Refused(obstacle)) = submission {
            entry.outcome = Some(EntryOutcome::Refused(obstacle.clone()));
        }
    }
}
