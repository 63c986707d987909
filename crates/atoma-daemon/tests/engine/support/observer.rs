//! Observes what is signed, recorded and sent, across all generations and daemons that share an
//! observer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use atoma_domain::Digest;
use atoma_domain::journal::{
    Attempt, AttemptOutcome, AttemptRecord, AttemptStatus, Conclusion, Failure, IntentRecord,
    NewIntent, PlannedRequest, Recalled, RequestKey,
};
use atoma_domain::ports::{
    GasSpent, Journal, JournalFilter, JournalKey, Opened, Page, Stock, StoreError,
};
use atoma_domain::{IntentId, ObjectId, ObjectReference, TimestampMs};

/// Observes the calls between an engine and its journal, and the submissions.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    seen: Mutex<Vec<Observation>>,
}

/// One observed event.
#[derive(Clone, Debug)]
struct Observation {
    event: Event,
    /// Whether the journal accepted it; `None` if the daemon crashed before the answer.
    accepted: Option<bool>,
}

#[derive(Clone, Debug)]
enum Event {
    Recorded(Attempt),
    Concluded(Conclusion),
    Sent(Digest),
}

impl Observation {
    /// The attempt that the journal accepted here, if it did.
    fn recorded(&self) -> Option<Digest> {
        match &self.event {
            Event::Recorded(attempt) if self.accepted == Some(true) => Some(attempt.digest()),
            _ => None,
        }
    }
}

impl Observer {
    fn begin(&self, event: Event) -> usize {
        let mut seen = self.seen();
        seen.push(Observation {
            event,
            accepted: None,
        });
        seen.len() - 1
    }

    fn end(&self, place: usize, accepted: bool) {
        self.seen()[place].accepted = Some(accepted);
    }

    /// Observes a submission.
    pub(crate) fn sends(&self, digest: Digest) {
        let place = self.begin(Event::Sent(digest));
        self.end(place, true);
    }

    /// Every transaction that was ever sent.
    pub(crate) fn sent(&self) -> BTreeSet<Digest> {
        let sent = |seen: &Observation| match seen.event {
            Event::Sent(digest) => Some(digest),
            _ => None,
        };
        self.seen().iter().filter_map(sent).collect()
    }

    /// The outcome of every concluded attempt. If it was concluded twice, both outcomes must agree.
    pub(crate) fn outcomes(&self) -> BTreeMap<Digest, AttemptOutcome> {
        let mut outcomes: BTreeMap<Digest, AttemptOutcome> = BTreeMap::new();
        for seen in self.seen().iter() {
            if let Event::Concluded(conclusion) = &seen.event {
                let outcome = conclusion.outcome.clone();
                let status = outcome.status();
                if let Some(before) = outcomes.insert(conclusion.digest, outcome) {
                    assert_eq!(before.status(), status, "{}", conclusion.digest);
                }
            }
        }
        outcomes
    }

    /// How many attempts ended with this status.
    pub(crate) fn count(&self, status: AttemptStatus) -> usize {
        let outcomes = self.outcomes().into_values();
        outcomes
            .filter(|outcome| outcome.status() == status)
            .count()
    }

    /// The attempts that are in the journal. Looked up there, because the journal may have accepted
    /// an attempt without answering.
    async fn written(&self, journal: &dyn Journal) -> BTreeSet<Digest> {
        let recorded = |seen: &Observation| match &seen.event {
            Event::Recorded(attempt) => Some(attempt.digest()),
            _ => None,
        };
        let recorded: BTreeSet<Digest> = self.seen().iter().filter_map(recorded).collect();
        let mut written = BTreeSet::new();
        for digest in recorded {
            let found = journal.find(JournalKey::Digest(digest)).await.unwrap();
            if found.is_some() {
                written.insert(digest);
            }
        }
        written
    }

    /// Checks that nothing was sent before it was recorded, and that no attempt uses a version of a
    /// badge or coin before the journal had the outcome of every earlier attempt that uses it.
    /// Returns the attempts in the journal.
    pub(crate) async fn assert_signed_in_order(&self, journal: &dyn Journal) -> BTreeSet<Digest> {
        let written = self.written(journal).await;
        // Of several tries to record the same attempt one counts: the accepted one, else the one
        // without an answer, but never one that the journal rejected.
        let taken: BTreeSet<Digest> = self
            .seen()
            .iter()
            .filter_map(Observation::recorded)
            .collect();
        let counts = |digest: &Digest, accepted: Option<bool>| match accepted {
            Some(is_taken) => is_taken,
            None => written.contains(digest) && !taken.contains(digest),
        };
        let mut known = BTreeSet::new();
        let mut ended = BTreeSet::new();
        let mut users: BTreeMap<(ObjectId, u64), Digest> = BTreeMap::new();
        let mut user = |used: &ObjectReference, digest: Digest| {
            let before = users.insert((*used.object_id(), used.version()), digest);
            before.filter(|before| *before != digest)
        };
        for Observation { event, accepted } in self.seen().iter() {
            match event {
                Event::Recorded(attempt) if counts(&attempt.digest(), *accepted) => {
                    let digest = attempt.digest();
                    known.insert(digest);
                    for used in attempt.badge.iter().chain(&attempt.gas) {
                        let Some(before) = user(used, digest) else {
                            continue;
                        };
                        assert!(
                            ended.contains(&before),
                            "{before}, which is open, and {digest} both use {used:?}"
                        );
                    }
                }
                Event::Concluded(conclusion) if *accepted != Some(false) => {
                    ended.insert(conclusion.digest);
                }
                Event::Sent(digest) => {
                    assert!(
                        known.contains(digest),
                        "{digest} was sent before it was recorded"
                    );
                }
                Event::Recorded(_) | Event::Concluded(_) => {}
            }
        }
        written
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Observation>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal whose calls an observer sees.
#[derive(Debug)]
pub(crate) struct ObservedJournal {
    pub(crate) inner: Arc<dyn Journal>,
    pub(crate) observer: Arc<Observer>,
}

#[async_trait]
impl Journal for ObservedJournal {
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        self.inner.open(intents, request, now).await
    }

    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError> {
        self.inner.would_open(intents, now).await
    }

    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError> {
        self.inner.recall(key, now).await
    }

    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.inner.attempts_of(id).await
    }

    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        let concluded = previous.map(|previous| Event::Concluded(previous.clone()));
        let concluded = concluded.map(|event| self.observer.begin(event));
        let recorded = self.observer.begin(Event::Recorded(attempt.clone()));
        let answer = self.inner.record_attempt(attempt, previous, now).await;
        for place in concluded.into_iter().chain([recorded]) {
            self.observer.end(place, answer.is_ok());
        }
        answer
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        let place = self.observer.begin(Event::Concluded(conclusion.clone()));
        let answer = self.inner.conclude(conclusion, now).await;
        self.observer.end(place, answer.is_ok());
        answer
    }

    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError> {
        self.inner.fail(id, failure, now).await
    }

    async fn take_stock(&self) -> Result<Stock, StoreError> {
        self.inner.take_stock().await
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        self.inner.last_use(badge).await
    }

    async fn knows_use(&self, badge: ObjectId, digest: Digest) -> Result<bool, StoreError> {
        self.inner.knows_use(badge, digest).await
    }

    async fn acknowledge_use(&self, badge: ObjectId, digest: Digest) -> Result<(), StoreError> {
        self.inner.acknowledge_use(badge, digest).await
    }

    async fn unreadable(&self) -> Result<Vec<String>, StoreError> {
        self.inner.unreadable().await
    }

    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError> {
        self.inner.recent_gas_coins().await
    }

    async fn gas_spent(
        &self,
        since: TimestampMs,
        now: TimestampMs,
    ) -> Result<Vec<GasSpent>, StoreError> {
        self.inner.gas_spent(since, now).await
    }

    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError> {
        self.inner.find(key).await
    }

    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError> {
        self.inner.list(filter, page).await
    }
}
