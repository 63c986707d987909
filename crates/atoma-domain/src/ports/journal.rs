//! The transaction journal, made durable.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, Intent, IntentRecord, IntentStatus, NewIntent,
    PlannedRequest, Recalled, RequestKey,
};
use crate::{Digest, IntentId, Mist, NodeSmallId, ObjectId, StackSmallId, TimestampMs};

/// The transaction journal. Every method is one database transaction, durable (`fsync`) when it
/// returns; a transition outside the state machine of [`crate::journal`] is refused.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// Writes intents down, each on its own merits, all in one database transaction; answers in
    /// order. What [closes a record](crate::journal::Action::closes_record) also freezes the selected
    /// node's record of the stack; what can't be (no message to settle, open reservations, already
    /// in settlement) is refused. A
    /// `request` is remembered with what became of its parts, unless none is in the journal then.
    ///
    /// # Errors
    /// [`StoreError::KnownRequest`] when of the request's key something else is known than what the
    /// request [expects](PlannedRequest::expected); nothing was written then.
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError>;

    /// What would become of the wish to open these, under the same rules and with nothing written.
    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError>;

    /// What is known of a request key, used in the last seven days.
    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError>;

    /// Writes a signed attempt down and makes its intents `Submitted`; with it, what came of the
    /// `previous` one, as [`conclude`](Self::conclude) would. Both are written or neither.
    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError>;

    /// Writes down what came of an attempt, for it and all its intents. A final failure frees the
    /// intents' keys and thaws the stack's record; success keeps the key where the action is once
    /// for ever.
    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError>;

    /// Fails a queued intent, of which nothing was sent: frees its key, thaws the record.
    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError>;

    /// Every intent that is not final, ascending, with the attempt that may be with the network.
    async fn unfinished(&self) -> Result<Vec<UnfinishedIntent>, StoreError>;

    /// The digest of the last attempt that executed with this badge, or else of the one that
    /// registered it; `None` when there is neither. On chain it is the badge's last transaction,
    /// unless somebody else used the badge since.
    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError>;

    /// The gas spent by attempts concluded at or after `since`.
    async fn gas_spent_since(&self, since: TimestampMs) -> Result<Mist, StoreError>;

    /// One intent; `None` when the journal has no such.
    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError>;

    /// Every attempt that carries an intent, oldest first.
    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError>;

    /// Intents, newest first.
    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError>;
}

/// What became of the wish to open an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// It is in the journal.
    New(Intent),
    /// The same, with the same parameters, is already under way.
    Joined(Intent),
    /// It can't be.
    Refused(Failure),
}

/// An intent that is not final.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfinishedIntent {
    /// The intent.
    pub intent: Intent,
    /// Its open attempt, shared with the other intents of a batch.
    pub attempt: Option<Attempt>,
}

/// How an intent can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalKey {
    /// By its number.
    Id(IntentId),
    /// By the digest of any of its attempts; of a batch the first intent. The others are
    /// [listed](JournalFilter::tx_digest), and named by the [attempt](Journal::attempts_of).
    Digest(Digest),
}

/// Which intents to list; `None` is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Of that [kind](crate::journal::Action::kind).
    pub kind: Option<&'static str>,
    /// Of that status.
    pub status: Option<IntentStatus>,
    /// Of that node.
    pub node: Option<NodeSmallId>,
    /// About that stack.
    pub stack: Option<StackSmallId>,
    /// Carried by that attempt.
    pub tx_digest: Option<Digest>,
}
