//! A client's request under a key of its own, so that repeating it does nothing twice.

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::{Hash32, IntentId, NodeSmallId, StackSmallId};

/// For how long a key is remembered, in milliseconds: seven days.
pub const REQUEST_KEY_LIFETIME_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// An idempotency key with what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Method, path, query and the client's key: the same key elsewhere is another.
    pub scope: String,
    /// The hash of the body.
    pub body: Hash32,
}

/// A request about to be opened under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRequest {
    /// The key.
    pub key: RequestKey,
    /// What is known of it already: it is opened only while that holds.
    pub known: Option<Vec<RequestEntry>>,
    /// Its parts, in order.
    pub entries: Vec<PlannedEntry>,
}

impl PlannedRequest {
    /// What a store must know of the key, no more and no less, for the request to be opened.
    pub fn expected(&self) -> Recalled {
        let known = self.known.clone();
        known.map_or(Recalled::Unknown, Recalled::Entries)
    }
}

/// One part of a request, before anything is written.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedEntry {
    /// The stack that it is about.
    pub stack_small_id: Option<StackSmallId>,
    /// The node that acts.
    pub node_small_id: Option<NodeSmallId>,
    /// What the operator should see.
    pub warnings: Vec<String>,
    /// What became of it already; `None`: it is the next of the intents to be opened.
    pub outcome: Option<EntryOutcome>,
}

/// One part of a request that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// The stack that it is about.
    pub stack_small_id: Option<StackSmallId>,
    /// The node that acts.
    pub node_small_id: Option<NodeSmallId>,
    /// What the operator should see.
    pub warnings: Vec<String>,
    /// What became of it at the time.
    pub outcome: EntryOutcome,
}

impl RequestEntry {
    /// Whether it was refused for a reason that passes: a repeated request may still begin it.
    pub const fn can_be_begun(&self) -> bool {
        matches!(&self.outcome, EntryOutcome::Refused(failure) if failure.is_transient())
    }
}

/// What became of a part of a request when the request was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// It is in the journal: how it went stands there.
    Accepted(IntentId),
    /// It was refused.
    Refused(Failure),
}

/// What is known of a request key.
#[derive(Clone, Debug, PartialEq)]
pub enum Recalled {
    /// Nothing: it is new, forgotten, or the request journalled nothing.
    Unknown,
    /// It was used with another body.
    OtherBody,
    /// The same request was made before.
    Entries(Vec<RequestEntry>),
}
