//! The time of a look, by chain, mirror and clock.

use std::time::Duration;

use atoma_domain::autopilot::{EpochWindow, Moment};
use atoma_domain::journal::Failure;
use atoma_domain::ports::{EpochInfo, Progress};
use tracing::debug;

use super::shared::Shared;
use crate::causes::{chain_failure, internal};

/// How long a look waits for the chain's epoch, which the attestations can do without.
const LONGEST_READ: Duration = Duration::from_secs(10);

impl Shared {
    /// The current epoch, as the chain tells it.
    pub(super) async fn epoch_info(&self) -> Result<EpochInfo, Failure> {
        let read = tokio::time::timeout(LONGEST_READ, self.chain.epoch());
        match read.await {
            Ok(info) => info.map_err(|error| chain_failure(&error)),
            Err(_) => Err(Failure::SuiNodeError {
                reason: String::from("it did not tell the epoch in time"),
            }),
        }
    }

    /// The time of a look. Without the chain's answer it is that of an earlier look or of the mirror, whichever is later.
    pub(super) async fn moment(
        &self,
        info: Option<&EpochInfo>,
        earlier: Option<&Moment>,
    ) -> Result<Moment, Failure> {
        let ports = self.operator.ports();
        let Progress { epoch, .. } = ports.events.progress().await.map_err(internal)?;
        let now = ports.clock.now();
        let told = info.map(|info| {
            let window = info.starts_at.zip(info.ends_at);
            let window = window.map(|(starts_at, ends_at)| EpochWindow { starts_at, ends_at });
            Moment::new(now, info.epoch, window)
        });
        let known = told.or_else(|| earlier.map(|moment| moment.at(now)));
        // The mirror may be ahead of the node that told the epoch.
        match (known, epoch) {
            (Some(known), Some(mirrored)) if mirrored > known.epoch() => {
                Ok(Moment::new(now, mirrored, None))
            }
            (Some(known), _) => Ok(known),
            (None, Some(mirrored)) => {
                debug!(epoch = %mirrored, "only the mirror tells the epoch");
                Ok(Moment::new(now, mirrored, None))
            }
            (None, None) => Err(Failure::SuiNodeError {
                reason: String::from("neither the Sui node nor the mirror tells the epoch"),
            }),
        }
    }
}
