//! What was signed, written down and sent, as it was seen beside the ports, over all generations
//! and daemons that share a witness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use atoma_domain::Digest;
use atoma_domain::journal::{
    Attempt, AttemptOutcome, AttemptRecord, AttemptStatus, Conclusion, Failure, IntentRecord,
    NewIntent, PlannedRequest, Recalled, RequestKey,
};
use atoma_domain::ports::{
    Journal, JournalFilter, JournalKey, Opened, Page, StoreError, UnfinishedIntent,
};
use atoma_domain::{IntentId, Mist, ObjectId, ObjectReference, TimestampMs};

/// Sees what passes between an engine and its journal, and what is sent.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    seen: Mutex<Vec<Seen>>,
}

/// Something seen.
#[derive(Clone, Debug)]
struct Seen {
    what: What,
    /// Whether the journal took it; `None` when the daemon died before it answered.
    taken: Option<bool>,
}

#[derive(Clone, Debug)]
enum What {
    Recorded(Attempt),
    Concluded(Conclusion),
    Sent(Digest),
}

impl Seen {
    /// The attempt that the journal took here, if it did.
    fn recorded(&self) -> Option<Digest> {
        match &self.what {
            What::Recorded(attempt) if self.taken == Some(true) => Some(attempt.digest()),
            _ => None,
        }
    }
}

impl Witness {
    fn begin(&self, what: What) -> usize {
        let mut seen = self.seen();
        seen.push(Seen { what, taken: None });
        seen.len() - 1
    }

    fn end(&self, place: usize, taken: bool) {
        self.seen()[place].taken = Some(taken);
    }

    /// Bytes go to the network.
    pub(crate) fn sends(&self, digest: Digest) {
        let place = self.begin(What::Sent(digest));
        self.end(place, true);
    }

    /// All that was ever sent.
    pub(crate) fn sent(&self) -> BTreeSet<Digest> {
        let sent = |seen: &Seen| match seen.what {
            What::Sent(digest) => Some(digest),
            _ => None,
        };
        self.seen().iter().filter_map(sent).collect()
    }

    /// How every attempt ended that was concluded. Who concludes twice comes to the same twice.
    pub(crate) fn outcomes(&self) -> BTreeMap<Digest, AttemptOutcome> {
        let mut outcomes: BTreeMap<Digest, AttemptOutcome> = BTreeMap::new();
        for seen in self.seen().iter() {
            if let What::Concluded(conclusion) = &seen.what {
                let outcome = conclusion.outcome.clone();
                let status = outcome.status();
                if let Some(before) = outcomes.insert(conclusion.digest, outcome) {
                    assert_eq!(before.status(), status, "{}", conclusion.digest);
                }
            }
        }
        outcomes
    }

    /// How many attempts ended like this.
    pub(crate) fn count(&self, status: AttemptStatus) -> usize {
        let outcomes = self.outcomes().into_values();
        outcomes
            .filter(|outcome| outcome.status() == status)
            .count()
    }

    /// The attempts that are in the journal, in the order in which they came into it. Of one that
    /// the journal did not answer for, it is asked.
    async fn written(&self, journal: &dyn Journal) -> BTreeSet<Digest> {
        let recorded = |seen: &Seen| match &seen.what {
            What::Recorded(attempt) => Some(attempt.digest()),
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

    /// Nothing was sent before it was written down, and nothing signed over a version of a badge or
    /// coin before the journal had the end of every earlier attempt that uses it. Tells which attempts
    /// are in the journal.
    pub(crate) async fn assert_signed_in_order(&self, journal: &dyn Journal) -> BTreeSet<Digest> {
        let written = self.written(journal).await;
        // Of tries to write the same bytes down one counts: that which was taken, else that of which
        // nobody heard, but not one that the journal refused.
        let taken: BTreeSet<Digest> = self.seen().iter().filter_map(Seen::recorded).collect();
        let counts = |digest: &Digest, told: Option<bool>| match told {
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
        for Seen { what, taken: told } in self.seen().iter() {
            match what {
                What::Recorded(attempt) if counts(&attempt.digest(), *told) => {
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
                What::Concluded(conclusion) if *told != Some(false) => {
                    ended.insert(conclusion.digest);
                }
                What::Sent(digest) => {
                    assert!(known.contains(digest), "{digest} was sent unwritten");
                }
                What::Recorded(_) | What::Concluded(_) => {}
            }
        }
        written
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A journal beside which a witness stands.
#[derive(Debug)]
pub(crate) struct WitnessedJournal {
    pub(crate) inner: Arc<dyn Journal>,
    pub(crate) witness: Arc<Witness>,
}

#[async_trait]
impl Journal for WitnessedJournal {
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
        let concluded = previous.map(|previous| What::Concluded(previous.clone()));
        let concluded = concluded.map(|what| self.witness.begin(what));
        let recorded = self.witness.begin(What::Recorded(attempt.clone()));
        let answer = self.inner.record_attempt(attempt, previous, now).await;
        for place in concluded.into_iter().chain([recorded]) {
            self.witness.end(place, answer.is_ok());
        }
        answer
    }

    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError> {
        let place = self.witness.begin(What::Concluded(conclusion.clone()));
        let answer = self.inner.conclude(conclusion, now).await;
        self.witness.end(place, answer.is_ok());
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

    async fn unfinished(&self) -> Result<Vec<UnfinishedIntent>, StoreError> {
        self.inner.unfinished().await
    }

    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError> {
        self.inner.last_use(badge).await
    }

    async fn gas_spent_since(&self, since: TimestampMs) -> Result<Mist, StoreError> {
        self.inner.gas_spent_since(since).await
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
