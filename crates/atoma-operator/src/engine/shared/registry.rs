//! The unfinished intents of this process, and who waits for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use atoma_domain::journal::{ActionKey, Actor, Failure, Intent, IntentRecord, IntentStatus};
use atoma_domain::{Address, Digest, IntentId, ObjectId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::changed::Changed;
use crate::engine::wait_reason::WaitReason;

/// What is serialised: one badge, or the address for actions that need no badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::engine) enum LaneKey {
    Address(Address),
    Badge(ObjectId),
}

impl LaneKey {
    pub(in crate::engine) const fn of(intent: &Intent) -> Self {
        Self::of_actor(&intent.actor)
    }

    pub(in crate::engine) const fn of_actor(actor: &Actor) -> Self {
        match actor.badge() {
            Some(badge) => Self::Badge(badge),
            None => Self::Address(actor.address()),
        }
    }
}

/// An intent's outcome, as far as this process knows.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct IntentOutcome {
    pub(in crate::engine) status: IntentStatus,
    pub(in crate::engine) tx_digest: Option<Digest>,
    pub(in crate::engine) failure: Option<Failure>,
}

impl From<IntentRecord> for IntentOutcome {
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
pub(in crate::engine) enum IntentProgress {
    /// Its lane works on it, or will.
    Underway,
    /// Nothing is done about it for now.
    Held(WaitReason),
    /// Final.
    Final(IntentOutcome),
}

/// The unfinished intents of this process.
#[derive(Debug, Default)]
pub(in crate::engine) struct IntentRegistry {
    index: Mutex<Index>,
    /// That an intent has come, or stands differently.
    pub(in crate::engine) changed: Changed,
}

#[derive(Debug, Default)]
struct Index {
    intents: HashMap<IntentId, Tracked>,
    /// Which of them holds a key.
    holders: HashMap<ActionKey, IntentId>,
    /// How many of them each lane has.
    lanes: HashMap<LaneKey, usize>,
}

#[derive(Debug)]
struct Tracked {
    key: ActionKey,
    lane: LaneKey,
    /// When this process took it up.
    since: Instant,
    progress: watch::Sender<IntentProgress>,
}

impl IntentRegistry {
    /// Starts to track an intent, which takes a place in its lane.
    pub(in crate::engine) fn track(&self, intent: &Intent) {
        let key = intent.action.key(&intent.actor);
        let lane = LaneKey::of(intent);
        let index = &mut *self.lock();
        index.holders.insert(key.clone(), intent.id);
        index.intents.entry(intent.id).or_insert_with(|| {
            *index.lanes.entry(lane).or_default() += 1;
            Tracked {
                key,
                lane,
                since: Instant::now(),
                progress: watch::Sender::new(IntentProgress::Underway),
            }
        });
        self.changed.note();
    }

    /// How many unfinished intents a lane has.
    pub(in crate::engine) fn in_lane(&self, lane: LaneKey) -> usize {
        self.lock().lanes.get(&lane).copied().unwrap_or_default()
    }

    /// How many unfinished intents each lane has, and since when it has had the oldest.
    pub(in crate::engine) fn lanes(&self) -> BTreeMap<LaneKey, (usize, Instant)> {
        let mut lanes = BTreeMap::new();
        for tracked in self.lock().intents.values() {
            let (count, oldest) = lanes.entry(tracked.lane).or_insert((0, tracked.since));
            *count += 1;
            *oldest = tracked.since.min(*oldest);
        }
        lanes
    }

    /// Whether an unfinished intent holds the key.
    pub(in crate::engine) fn is_held_key(&self, key: &ActionKey) -> bool {
        self.lock().holders.contains_key(key)
    }

    /// The unfinished intent that has this key.
    pub(in crate::engine) fn holder(&self, key: &ActionKey) -> Option<IntentId> {
        self.lock().holders.get(key).copied()
    }

    /// A receiver of the intent's progress; `None` when it is finished or not this process's.
    pub(in crate::engine) fn watch(&self, id: IntentId) -> Option<watch::Receiver<IntentProgress>> {
        let index = self.lock();
        let tracked = index.intents.get(&id);
        tracked.map(|tracked| tracked.progress.subscribe())
    }

    /// Why nothing is done about an intent for now, if so.
    pub(in crate::engine) fn held(&self, id: IntentId) -> Option<WaitReason> {
        match &*self.lock().intents.get(&id)?.progress.borrow() {
            IntentProgress::Held(reason) => Some(reason.clone()),
            IntentProgress::Underway | IntentProgress::Final(_) => None,
        }
    }

    /// How many intents are held, by the reason.
    pub(in crate::engine) fn all_held(&self) -> BTreeMap<String, usize> {
        let mut held = BTreeMap::new();
        for tracked in self.lock().intents.values() {
            if let IntentProgress::Held(reason) = &*tracked.progress.borrow() {
                *held.entry(reason.to_string()).or_default() += 1;
            }
        }
        held
    }

    /// How many intents are held for this reason.
    pub(in crate::engine) fn held_for(&self, reason: &WaitReason) -> usize {
        let registered = self.lock();
        let intents = registered.intents.values();
        let held = IntentProgress::Held(reason.clone());
        intents
            .filter(|tracked| *tracked.progress.borrow() == held)
            .count()
    }

    /// Announces that nothing is done about these intents for now, and why.
    pub(in crate::engine) fn hold(&self, ids: impl Iterator<Item = IntentId>, reason: &WaitReason) {
        self.set(ids, &IntentProgress::Held(reason.clone()));
    }

    /// Announces that they are under way again.
    pub(in crate::engine) fn release(&self, ids: impl Iterator<Item = IntentId>) {
        self.set(ids, &IntentProgress::Underway);
    }

    /// Announces that the database holds up a lane, to each of its intents in its own words. An
    /// intent that is held for another reason stays so.
    pub(in crate::engine) fn hold_lane(
        &self,
        lane: LaneKey,
        reason: impl Fn(IntentId) -> WaitReason,
    ) {
        self.set_lane(lane, |id| IntentProgress::Held(reason(id)));
    }

    /// Announces that the lane goes on.
    pub(in crate::engine) fn release_lane(&self, lane: LaneKey) {
        self.set_lane(lane, |_| IntentProgress::Underway);
    }

    fn set(&self, ids: impl Iterator<Item = IntentId>, progress: &IntentProgress) {
        let index = self.lock();
        for id in ids {
            if let Some(tracked) = index.intents.get(&id) {
                tracked.set(progress);
            }
        }
        self.changed.note();
    }

    fn set_lane(&self, lane: LaneKey, progress: impl Fn(IntentId) -> IntentProgress) {
        let index = self.lock();
        for (id, tracked) in &index.intents {
            if tracked.lane == lane && !tracked.is_held_otherwise() {
                tracked.set(&progress(*id));
            }
        }
        self.changed.note();
    }

    /// Announces the final outcome, forgets the intent and frees its place in its lane. The first
    /// announcement counts; later ones do nothing.
    pub(in crate::engine) fn finish(&self, id: IntentId, outcome: IntentOutcome) {
        let index = &mut *self.lock();
        let Some(tracked) = index.intents.remove(&id) else {
            return;
        };
        // An abandoned intent may have lost its key to another one already.
        if index.holders.get(&tracked.key) == Some(&id) {
            index.holders.remove(&tracked.key);
        }
        if let Some(intents) = index.lanes.get_mut(&tracked.lane) {
            *intents = intents.saturating_sub(1);
        }
        tracked
            .progress
            .send_replace(IntentProgress::Final(outcome));
        self.changed.note();
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // Nothing in here panics between two changes that belong together.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracked {
    fn set(&self, progress: &IntentProgress) {
        self.progress.send_if_modified(|known| {
            let changes = known != progress;
            known.clone_from(progress);
            changes
        });
    }

    /// Whether it waits for something other than the database.
    fn is_held_otherwise(&self) -> bool {
        match &*self.progress.borrow() {
            IntentProgress::Held(WaitReason::Database { .. }) | IntentProgress::Underway => false,
            IntentProgress::Held(_) | IntentProgress::Final(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::claim;

    fn stuck(id: IntentId) -> WaitReason {
        WaitReason::Database {
            reason: format!("{id} waits for the database"),
        }
    }

    #[test]
    fn what_the_journal_can_never_store_stays_held() {
        let registry = IntentRegistry::default();
        let one = claim(1);
        registry.track(&one);
        let never = WaitReason::Unwritable {
            reason: String::from("a rule"),
        };
        registry.hold(std::iter::once(one.id), &never);
        let lane = LaneKey::of(&one);
        registry.hold_lane(lane, stuck);
        registry.release_lane(lane);
        assert_eq!(registry.held(one.id), Some(never));
    }

    #[test]
    fn holding_a_lane_leaves_other_lanes_and_other_reasons_alone() {
        let registry = IntentRegistry::default();
        let [one, two, parked] = [1, 2, 3].map(claim);
        let mut other = claim(4);
        if let Actor::Node { node_badge_id, .. } = &mut other.actor {
            *node_badge_id = atoma_domain::ObjectId::ZERO;
        }
        for intent in [&one, &two, &parked, &other] {
            registry.track(intent);
        }
        let short = WaitReason::Treasury;
        registry.hold(std::iter::once(parked.id), &short);
        let lane = LaneKey::of(&one);
        // Told anew as often as it is tried.
        for _ in 0..2 {
            registry.hold_lane(lane, stuck);
            assert_eq!(registry.held(one.id), Some(stuck(one.id)));
            assert_eq!(registry.held(two.id), Some(stuck(two.id)));
            assert_eq!(registry.held(parked.id), Some(short.clone()));
            assert_eq!(registry.held(other.id), None);
        }
        registry.hold_lane(LaneKey::of(&other), stuck);
        registry.release_lane(lane);
        assert_eq!(registry.held(one.id), None);
        assert_eq!(registry.held(two.id), None);
        assert_eq!(registry.held(parked.id), Some(short));
        assert_eq!(registry.held(other.id), Some(stuck(other.id)));
    }
}
