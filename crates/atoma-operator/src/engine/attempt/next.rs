//! What to do with a batch when an attempt ends, or can't begin.

use atoma_domain::IntentId;
use atoma_domain::journal::{Attempt, Failure, Intent};
use tokio::time::Instant;

use crate::engine::limits::Reservation;
use crate::engine::wait_reason::WaitReason;

/// What to do with a batch next.
#[derive(Debug)]
pub(in crate::engine) enum Next {
    /// Nothing: every intent of it is final, or belongs to somebody else now.
    Nothing,
    /// Nothing: these succeeded.
    Succeeded(Vec<IntentId>),
    /// Wait for the effects of an attempt that is known to have executed.
    AwaitEffects(Box<AwaitedAttempt>),
    /// Sign these again.
    Retry {
        intents: Vec<Intent>,
        /// Why the network cancelled the last transaction, if it executed and was cancelled.
        cancelled: Option<String>,
    },
    /// Ask again, since a node that lags would give the same reasons. Nothing was signed.
    Doubt {
        doubtful: Vec<(Intent, Failure)>,
        /// The rest of the batch, about which there is no doubt.
        sound: Vec<Intent>,
    },
    /// Wait until the Sui node or the database answers. Nothing was signed.
    Wait {
        intents: Vec<Intent>,
        reason: WaitReason,
    },
    /// Try halves: one of these is bad, or all together are too expensive.
    Split(Vec<Intent>),
    /// Find out which of these the treasury can pay.
    Short(Vec<Intent>),
    /// Put `rest` back, since the journal has an attempt for the others; `next` is for those.
    Displaced { rest: Vec<Intent>, next: Box<Self> },
    /// Stop, with the daemon.
    Stop,
}

impl Next {
    /// Doubt all of these, for the same reason.
    pub(super) fn doubt(intents: &[Intent], failure: &Failure) -> Self {
        let doubtful = intents
            .iter()
            .map(|intent| (intent.clone(), failure.clone()));
        Self::Doubt {
            doubtful: doubtful.collect(),
            sound: Vec::new(),
        }
    }
}

/// An attempt that has executed, without effects from the node yet.
#[derive(Debug)]
pub(in crate::engine) struct AwaitedAttempt {
    pub(in crate::engine) attempt: Attempt,
    pub(in crate::engine) intents: Vec<Intent>,
    /// The gas that it spent is not in the journal yet.
    pub(in crate::engine) reservation: Reservation,
    /// When this process sent it, or took it up.
    pub(in crate::engine) since: Instant,
}
