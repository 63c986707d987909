//! Requests under a client's own key, which are safe to repeat.

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::{Hash32, IntentId, NodeSmallId, StackSmallId};

/// How long a key is remembered, in milliseconds: seven days.
pub const REQUEST_KEY_LIFETIME_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A client's key for a request, together with that request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The client's key and everything that it is scoped to: the same key in another scope is another
    /// key.
    pub scope: String,
    /// The hash of the request's content.
    pub body: Hash32,
}

/// A request that is about to be opened under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRequest {
    /// The key.
    pub key: RequestKey,
    /// The entries that the journal is expected to know already. The request is opened only if it does.
    pub known: Option<Vec<RequestEntry>>,
    /// The parts of the request, in order.
    pub entries: Vec<PlannedEntry>,
}

impl PlannedRequest {
    /// What the store must know about the key, no more and no less, to open the request.
    pub fn expected(&self) -> Recalled {
        let known = self.known.clone();
        known.map_or(Recalled::Unknown, Recalled::Entries)
    }
}

/// One part of a request before it is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedEntry {
    /// The stack, if it is about one.
    pub stack_small_id: Option<StackSmallId>,
    /// The node that acts, if known.
    pub node_small_id: Option<NodeSmallId>,
    /// Warnings to the operator.
    pub warnings: Vec<String>,
    /// Its outcome, if it has one already; `None` if it is the next of the intents to open.
    pub outcome: Option<EntryOutcome>,
}

/// One part of a request that was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// The stack, if it is about one.
    pub stack_small_id: Option<StackSmallId>,
    /// The node that acts, if known.
    pub node_small_id: Option<NodeSmallId>,
    /// Warnings to the operator.
    pub warnings: Vec<String>,
    /// Its outcome when the request was opened.
    pub outcome: EntryOutcome,
}

impl RequestEntry {
    /// Whether it was refused for a transient reason, so that repeating the request can still begin it.
    pub const fn can_be_begun(&self) -> bool {
        matches!(&self.outcome, EntryOutcome::Refused(failure) if failure.is_transient())
    }
}

/// The outcome of a part of a request when the request was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// It is in the journal as this intent.
    Accepted(IntentId),
    /// It was refused.
    Refused(Failure),
}

/// What the journal knows about a request's key.
#[derive(Clone, Debug, PartialEq)]
pub enum Recalled {
    /// Nothing: the key is new or expired, or its request opened no intent.
    Unknown,
    /// It was used for a request with other content.
    OtherBody,
    /// The same request was opened before.
    Entries(Vec<RequestEntry>),
}
