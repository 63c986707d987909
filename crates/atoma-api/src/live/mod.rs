//! Live events of the operator's page: what has changed, so that the page reads that again.
//!
//! One task collects changes while somebody listens, and for a minute after. It writes them into a bounded log, from
//! which each stream sends what comes after its place. So a slow client and one that comes back read the same log, and
//! one that is too far behind is told to read everything again.

mod collect;
mod event;
mod hub;
mod log;
mod stream;

use actix_server::GracefulShutdownSignal;
use atoma_operator::{Autopilot, Operator};
use tokio::runtime::Handle;

use self::collect::{Sources, collect};
use self::hub::{Hub, Listener};
pub(crate) use self::stream::{StreamEnd, stream};
use crate::error::ApiError;

/// The live events, which all workers share.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    hub: Hub,
    sources: Sources,
    /// Where the events are collected: a worker's own runtime ends with it.
    runtime: Option<Handle>,
    stopping: GracefulShutdownSignal,
}

impl Live {
    /// The events of these parts of the daemon, until the server stops.
    pub(crate) fn new(
        operator: Operator,
        autopilot: Autopilot,
        stopping: GracefulShutdownSignal,
    ) -> Self {
        // Tells this run of the daemon from others. Without random bytes, two may seem the same to a page that was open
        // during both.
        let mut run = [0; 8];
        let _ = getrandom::fill(&mut run);
        let run = format!("{:016x}", u64::from_be_bytes(run));
        Self {
            hub: Hub::new(run),
            sources: Sources {
                operator,
                autopilot,
            },
            runtime: Handle::try_current().ok(),
            stopping,
        }
    }

    /// Begins to listen, after the event with this id if it is still known.
    ///
    /// # Errors
    /// When too many listen already.
    pub(crate) fn listen(&self, last_event_id: Option<&str>) -> Result<Listener, ApiError> {
        self.hub.listen(last_event_id, || {
            // It subscribes before the page reads anything.
            let collecting = collect(self.hub.clone(), self.sources.subscribe());
            match &self.runtime {
                Some(runtime) => drop(runtime.spawn(collecting)),
                None => drop(tokio::spawn(collecting)),
            }
        })
    }

    /// Tells when the server begins to stop.
    pub(crate) fn stopping(&self) -> GracefulShutdownSignal {
        self.stopping.clone()
    }
}
