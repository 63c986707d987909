//! The durable transaction journal.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::journal::{
    Attempt, AttemptRecord, Conclusion, Failure, Intent, IntentRecord, IntentStatus, NewIntent,
    PlannedRequest, Recalled, RequestKey,
};
use crate::{Digest, IntentId, Mist, NodeSmallId, ObjectId, StackSmallId, TimestampMs};

/// The transaction journal. Every method is one database transaction, which is durable (`fsync`) when
/// the method returns. Transitions outside the state machine of [`crate::journal`] are refused.
#[async_trait]
pub trait Journal: Debug + Send + Sync {
    /// Opens intents in one database transaction, each independently of the others, and returns the
    /// results in order. An intent that [closes a record](crate::journal::Action::closes_record) also
    /// freezes the selected node's record of the stack, or is refused if it can't (no message to settle,
    /// open reservations, already in settlement). Reservations whose lease has expired are ended. An intent
    /// whose key or stack belongs to a row that can't be read is refused alone, with
    /// [`Failure::Internal`]. A `request` is stored with the outcomes of its parts, unless none of them
    /// is in the journal afterwards.
    ///
    /// # Errors
    /// [`StoreError::KnownRequest`] when the journal knows something else about the request's key than
    /// the request [expects](PlannedRequest::expected). Nothing has been written then.
    async fn open(
        &self,
        intents: &[NewIntent],
        request: Option<&PlannedRequest>,
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError>;

    /// The results that [`open`](Self::open) would have, without writing anything.
    async fn would_open(
        &self,
        intents: &[NewIntent],
        now: TimestampMs,
    ) -> Result<Vec<Opened>, StoreError>;

    /// What the journal knows about a request's key that was used in the last seven days. For the same
    /// request a key counts until more than `now` shows that seven days have passed: a clock that is ahead
    /// must not make a retry act twice.
    async fn recall(&self, key: &RequestKey, now: TimestampMs) -> Result<Recalled, StoreError>;

    /// Records a signed attempt and makes its intents `Submitted`. In the same database transaction it
    /// concludes the `previous` attempt, if given, as [`conclude`](Self::conclude) would.
    async fn record_attempt(
        &self,
        attempt: &Attempt,
        previous: Option<&Conclusion>,
        now: TimestampMs,
    ) -> Result<(), StoreError>;

    /// Concludes an attempt and moves its intents. A final failure releases an intent's key and reopens the
    /// stack's record. Success keeps the key of an action that
    /// [succeeds only once](crate::journal::Action::succeeds_only_once).
    async fn conclude(&self, conclusion: &Conclusion, now: TimestampMs) -> Result<(), StoreError>;

    /// Fails a queued intent, for which nothing can execute. Releases its key and reopens the record.
    async fn fail(
        &self,
        id: IntentId,
        failure: &Failure,
        now: TimestampMs,
    ) -> Result<(), StoreError>;

    /// All that is unfinished, and what of it can't be read.
    async fn take_stock(&self) -> Result<Stock, StoreError>;

    /// All intents without a final status, as in [`take_stock`](Self::take_stock).
    async fn unfinished(&self) -> Result<Vec<UnfinishedIntent>, StoreError> {
        Ok(self.take_stock().await?.unfinished)
    }

    /// What is wrong with each final intent, and with the coins of each recent attempt, that can't be read,
    /// one sentence each. Lists skip them, and they hide nothing that was signed. Reads all final intents.
    async fn unreadable(&self) -> Result<Vec<String>, StoreError>;

    /// The digest of the last attempt that executed with this badge, or of the one that registered it;
    /// `None` if there is neither. It is the badge's last transaction on chain, unless other software has
    /// used the badge since.
    async fn last_use(&self, badge: ObjectId) -> Result<Option<Digest>, StoreError>;

    /// Whether the journal knows that this transaction used a badge: it is an attempt's, or
    /// [acknowledged](Self::acknowledge_use).
    async fn knows_use(&self, badge: ObjectId, digest: Digest) -> Result<bool, StoreError>;

    /// Notes that the operator knows of a badge's use by a transaction that is not in the journal. It
    /// replaces the use of the same badge that was noted before.
    async fn acknowledge_use(&self, badge: ObjectId, digest: Digest) -> Result<(), StoreError>;

    /// The coins that the latest attempts used and, if they executed, left over, newest first; at most some
    /// dozens. Attempts that can't be
    /// read are skipped.
    async fn recent_gas_coins(&self) -> Result<Vec<ObjectId>, StoreError>;

    /// The gas spent by attempts that were concluded at or after `since`, in any order. A time after
    /// `now`, from before the clock was set back, is given as the time of the next attempt with a time
    /// that is past, or as `now`.
    async fn gas_spent(
        &self,
        since: TimestampMs,
        now: TimestampMs,
    ) -> Result<Vec<GasSpent>, StoreError>;

    /// An intent; `None` if it is not in the journal.
    async fn find(&self, key: JournalKey) -> Result<Option<IntentRecord>, StoreError>;

    /// All attempts of an intent, oldest first.
    async fn attempts_of(&self, id: IntentId) -> Result<Vec<AttemptRecord>, StoreError>;

    /// Intents, newest first. Those that can't be [read](Self::unreadable) are skipped.
    async fn list(
        &self,
        filter: &JournalFilter,
        page: Page<IntentId>,
    ) -> Result<Vec<IntentRecord>, StoreError>;
}

/// The result of opening an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// It was opened.
    New(Intent),
    /// This intent, with the same key and parameters, is already under way.
    Joined(Intent),
    /// It was refused.
    Refused(Failure),
}

/// The gas of one or more attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasSpent {
    /// When the last of them was concluded.
    pub at: TimestampMs,
    /// What they paid together, in MIST.
    pub gas: Mist,
}

/// The unfinished part of the journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stock {
    /// All intents without a final status, ascending, each with its attempt that may have reached the
    /// network. Those that can't be read are set aside, with all intents of an attempt that can't.
    pub unfinished: Vec<UnfinishedIntent>,
    /// What is wrong with each unfinished intent and each signed attempt that can't be read, one sentence
    /// each: other software wrote them, or the file is damaged. They may hide what was signed.
    pub unreadable: Vec<String>,
}

/// An intent without a final status.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfinishedIntent {
    /// The intent.
    pub intent: Intent,
    /// Its open attempt, shared with the other intents of a batch.
    pub attempt: Option<Attempt>,
}

/// How to find an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalKey {
    /// By its number.
    Id(IntentId),
    /// By the digest of any of its attempts. For a batch this is the first intent; the filter
    /// [`tx_digest`](JournalFilter::tx_digest) lists all, and so does each [attempt](Journal::attempts_of).
    Digest(Digest),
}

/// A filter of intents. `None` matches all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// The [kind](crate::journal::Action::kind).
    pub kind: Option<&'static str>,
    /// The status.
    pub status: Option<IntentStatus>,
    /// The node that acts.
    pub node: Option<NodeSmallId>,
    /// The stack.
    pub stack: Option<StackSmallId>,
    /// The digest of one of its attempts.
    pub tx_digest: Option<Digest>,
}
