//! The running lanes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use crate::engine::lane::{Lane, Work};
use crate::engine::shared::{Context, LaneKey};

/// The running lanes, by what they serialise. A lane starts with its first work.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    senders: Mutex<HashMap<LaneKey, UnboundedSender<Work>>>,
}

impl Lanes {
    /// Gives a lane work.
    pub(super) fn send(&self, context: &Arc<Context>, key: LaneKey, work: Work) {
        let mut senders = self.lock();
        let sender = senders.entry(key).or_insert_with(|| {
            let (lane, sender) = Lane::new(Arc::clone(context));
            context.spawn(lane.run());
            sender
        });
        // A lane ends only when the engine stops; then the journal keeps the work.
        let _ = sender.send(work);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneKey, UnboundedSender<Work>>> {
        // Every change is one call, so the map is whole even if a holder panicked.
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
