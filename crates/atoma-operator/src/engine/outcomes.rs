//! Telling those who wait what became of an intent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::IntentId;
use atoma_domain::journal::{ActionKey, Failure, Intent, IntentRecord};
use atoma_domain::{Digest, journal::IntentStatus};
use tokio::sync::watch;

use super::submit::LaneKey;

/// What became of an intent, as far as this process knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) status: IntentStatus,
    pub(super) tx_digest: Option<Digest>,
    pub(super) failure: Option<Failure>,
}

impl From<IntentRecord> for Outcome {
    fn from(record: IntentRecord) -> Self {
        Self {
            status: record.status,
            tx_digest: record.tx_digest,
            failure: record.failure,
        }
    }
}

/// How far an intent is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// In its lane.
    Underway,
    /// Queued, and nothing is done about it for this reason, until that is over.
    Held(Failure),
    /// Final.
    Over(Outcome),
}

/// The unfinished intents of this process, with who waits for them.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    progress: HashMap<IntentId, Tracked>,
    /// Which of them has a key.
    holders: HashMap<ActionKey, IntentId>,
}

#[derive(Debug)]
struct Tracked {
    key: ActionKey,
    lane: LaneKey,
    progress: watch::Sender<Progress>,
}

impl Outcomes {
    /// Begins to keep track of an intent.
    pub(super) fn track(&self, intent: &Intent) {
        let key = intent.action.key(&intent.actor);
        let mut open = self.lock();
        open.holders.insert(key.clone(), intent.id);
        open.progress.entry(intent.id).or_insert_with(|| Tracked {
            key,
            lane: LaneKey::of(intent),
            progress: watch::Sender::new(Progress::Underway),
        });
    }

    /// Whether an unfinished intent has the key.
    pub(super) fn is_open(&self, key: &ActionKey) -> bool {
        self.lock().holders.contains_key(key)
    }

    /// A receiver of the intent's progress; `None` when it is finished or not this process's.
    pub(super) fn watch(&self, id: IntentId) -> Option<watch::Receiver<Progress>> {
        let open = self.lock();
        let tracked = open.progress.get(&id);
        tracked.map(|tracked| tracked.progress.subscribe())
    }

    /// Why nothing is done about an intent, if so.
    pub(super) fn held(&self, id: IntentId) -> Option<Failure> {
        match &*self.lock().progress.get(&id)?.progress.borrow() {
            Progress::Held(reason) => Some(reason.clone()),
            Progress::Underway | Progress::Over(_) => None,
        }
    }

    /// How many unfinished intents nothing is done about, by the reason.
    pub(super) fn all_held(&self) -> BTreeMap<String, usize> {
        let mut held = BTreeMap::new();
        for tracked in self.lock().progress.values() {
            if let Progress::Held(reason) = &*tracked.progress.borrow() {
                *held.entry(reason.to_string()).or_default() += 1;
            }
        }
        held
    }

    /// Announces that nothing is done about these intents for now, and why.
    pub(super) fn hold(&self, ids: impl Iterator<Item = IntentId>, reason: &Failure) {
        self.set(ids, &Progress::Held(reason.clone()));
    }

    /// Announces that they are under way again.
    pub(super) fn release(&self, ids: impl Iterator<Item = IntentId>) {
        self.set(ids, &Progress::Underway);
    }

    /// Announces that a lane does nothing for now because the database does not; `reason` is that
    /// failure as each intent is to be told of it. What is held for another reason is left alone.
    pub(super) fn hold_lane(&self, lane: LaneKey, reason: impl Fn(IntentId) -> Failure) {
        self.set_lane(lane, |id| Progress::Held(reason(id)));
    }

    /// Announces that the lane goes on.
    pub(super) fn release_lane(&self, lane: LaneKey) {
        self.set_lane(lane, |_| Progress::Underway);
    }

    fn set(&self, ids: impl Iterator<Item = IntentId>, progress: &Progress) {
        let open = self.lock();
        for id in ids {
            if let Some(tracked) = open.progress.get(&id) {
                tracked.set(progress);
            }
        }
    }

    fn set_lane(&self, lane: LaneKey, progress: impl Fn(IntentId) -> Progress) {
        let open = self.lock();
        for (id, tracked) in &open.progress {
            if tracked.lane == lane && !tracked.is_held_otherwise() {
                tracked.set(&progress(*id));
            }
        }
    }

    /// Announces the final outcome and forgets the intent; false when it was announced before.
    pub(super) fn finish(&self, id: IntentId, outcome: Outcome) -> bool {
        let mut open = self.lock();
        let Some(tracked) = open.progress.remove(&id) else {
            return false;
        };
        // Given up, it may have left its key to another already.
        if open.holders.get(&tracked.key) == Some(&id) {
            open.holders.remove(&tracked.key);
        }
        tracked.progress.send_replace(Progress::Over(outcome));
        true
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing in here panics between two changes that belong together.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracked {
    fn set(&self, progress: &Progress) {
        self.progress.send_if_modified(|known| {
            let changes = known != progress;
            known.clone_from(progress);
            changes
        });
    }

    /// Whether it waits for something else than the database.
    fn is_held_otherwise(&self) -> bool {
        match &*self.progress.borrow() {
            Progress::Held(Failure::Internal { .. }) | Progress::Underway => false,
            Progress::Held(_) | Progress::Over(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::journal::Actor;

    use super::*;
    use crate::engine::testing::claim;

    fn stuck(id: IntentId) -> Failure {
        Failure::Internal {
            reason: format!("{id} waits for the database"),
        }
    }

    #[test]
    fn a_lane_is_held_and_released_alone_and_what_waits_for_something_else_is_left_alone() {
        let outcomes = Outcomes::default();
        let [one, two, parked] = [1, 2, 3].map(claim);
        let mut other = claim(4);
        if let Actor::Node { node_badge_id, .. } = &mut other.actor {
            *node_badge_id = atoma_domain::ObjectId::ZERO;
        }
        for intent in [&one, &two, &parked, &other] {
            outcomes.track(intent);
        }
        let short = Failure::TreasuryShort {};
        outcomes.hold(std::iter::once(parked.id), &short);
        let lane = LaneKey::of(&one);
        // Told anew as often as it is tried.
        for _ in 0..2 {
            outcomes.hold_lane(lane, stuck);
            assert_eq!(outcomes.held(one.id), Some(stuck(one.id)));
            assert_eq!(outcomes.held(two.id), Some(stuck(two.id)));
            assert_eq!(outcomes.held(parked.id), Some(short.clone()));
            assert_eq!(outcomes.held(other.id), None);
        }
        outcomes.hold_lane(LaneKey::of(&other), stuck);
        outcomes.release_lane(lane);
        assert_eq!(outcomes.held(one.id), None);
        assert_eq!(outcomes.held(two.id), None);
        assert_eq!(outcomes.held(parked.id), Some(short));
        assert_eq!(outcomes.held(other.id), Some(stuck(other.id)));
    }
}
