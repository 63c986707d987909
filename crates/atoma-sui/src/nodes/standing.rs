//! How one node stands: what it has told, and whether it is left aside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoma_domain::ports::{AsideReason, ChainError, LeftAside};
use atoma_domain::{CheckpointNumber, ObjectId, TimestampMs, with_causes};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::node::{self, is_rate_limit};

/// A checkpoint that a node named as its newest, and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) height: CheckpointNumber,
    pub(super) at: TimestampMs,
}

/// How a node stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// Its address, without secrets.
    node: String,
    /// The highest that it has named and has.
    newest: Mutex<Option<Newest>>,
    aside: Mutex<Option<Aside>>,
    /// Told whenever any of the nodes is left aside or taken back.
    changes: Arc<watch::Sender<()>>,
}

/// Why the node is left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aside {
    pub(super) why: LeftAside,
    /// The object that it showed at an old version, and the version that it must show.
    pub(super) object: Option<(ObjectId, u64)>,
}

/// Whether the error says that this side's own limit on requests was used up.
pub(super) fn is_own_limit(error: &ChainError) -> bool {
    matches!(error, ChainError::Unavailable(source) if node::is_own_limit(source.as_ref()))
}

impl Aside {
    pub(super) const fn new(reason: AsideReason, detail: String) -> Self {
        Self {
            why: LeftAside { reason, detail },
            object: None,
        }
    }

    /// Why the node that gave this error is to be left aside, if it is.
    pub(super) fn of(error: &ChainError) -> Option<Self> {
        let reason = match error {
            // The node was not asked.
            _ if is_own_limit(error) => return None,
            ChainError::Unavailable(source) if is_rate_limit(source.as_ref()) => {
                AsideReason::RateLimited
            }
            ChainError::Unavailable(_) | ChainError::Malformed { .. } => AsideReason::Unreachable,
            ChainError::OtherChain { .. } => AsideReason::OtherChain,
            ChainError::Late { .. } => AsideReason::Lags,
            ChainError::Behind { .. } => AsideReason::OldObjects,
            _ => return None,
        };
        let object = match error {
            ChainError::Behind { object, known, .. } => Some((*object, *known)),
            _ => None,
        };
        Some(Self {
            object,
            ..Self::new(reason, with_causes(error))
        })
    }

    /// Whether an answer shows that the reason has passed. The others take a look.
    const fn passes_with_an_answer(&self) -> bool {
        matches!(
            self.why.reason,
            AsideReason::Unreachable | AsideReason::RateLimited
        )
    }
}

impl Standing {
    pub(super) fn new(node: String, changes: Arc<watch::Sender<()>>) -> Self {
        Self {
            node,
            newest: Mutex::default(),
            aside: Mutex::default(),
            changes,
        }
    }

    /// Its address, without secrets.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// Why it is left aside, if it is.
    pub(super) fn aside(&self) -> Option<Aside> {
        lock(&self.aside).clone()
    }

    pub(super) fn is_aside(&self) -> bool {
        lock(&self.aside).is_some()
    }

    /// The newest checkpoint that it has named and has.
    pub(super) fn newest(&self) -> Option<Newest> {
        *lock(&self.newest)
    }

    /// Notes a checkpoint that it has.
    pub(super) fn note_newest(&self, newest: Newest) {
        let mut known = lock(&self.newest);
        if known.is_none_or(|known| known.height <= newest.height) {
            *known = Some(newest);
        }
    }

    /// Leaves the node aside.
    pub(super) fn set_aside(&self, aside: Aside) {
        let before = lock(&self.aside).replace(aside.clone());
        if before.map(|before| before.why.reason) == Some(aside.why.reason) {
            return;
        }
        let (node, reason) = (&self.node, aside.why.reason.name());
        warn!(%node, reason, detail = aside.why.detail, "leaving a Sui node aside");
        self.changes.send_replace(());
    }

    /// Notes that the node has answered.
    pub(super) fn note_answer(&self) {
        self.restore_if(Aside::passes_with_an_answer);
    }

    /// Takes the node back: a look at it found nothing wrong.
    pub(super) fn restore(&self) {
        self.restore_if(|_| true);
    }

    fn restore_if(&self, has_passed: impl Fn(&Aside) -> bool) {
        let mut aside = lock(&self.aside);
        if !aside.as_ref().is_some_and(has_passed) {
            return;
        }
        *aside = None;
        drop(aside);
        info!(node = %self.node, "a Sui node that was left aside is in use again");
        self.changes.send_replace(());
    }
}

fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    // Holders only copy and replace.
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
