//! What systemd is told: ready, reloading, stopping, and that the daemon is alive.
//!
//! Without `NOTIFY_SOCKET` in the environment, nobody is told anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use atoma_domain::ports::{ChainEvents, StoreError};
use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Tells systemd how far the daemon is. Clones know alike whether it was told that the daemon is ready.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supervisor(Arc<AtomicBool>);

impl Supervisor {
    /// Says that the API serves. The Sui node may be down: the daemon keeps trying, and a restart would not help.
    pub(crate) fn ready(&self) {
        self.0.store(true, Ordering::Relaxed);
        tell_ready("serving");
    }

    /// Says that the configuration is being read again; [`reloaded`](Self::reloaded) ends it. Before the daemon is
    /// ready, nothing is said: that end would say that it is.
    pub(crate) fn reloading(&self) {
        let Ok(now) = NotifyState::monotonic_usec_now() else {
            return;
        };
        if self.0.load(Ordering::Relaxed) {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// Says that the configuration has been read again.
    pub(crate) fn reloaded(&self, status: &str) {
        if self.0.load(Ordering::Relaxed) {
            tell_ready(status);
        }
    }
}

fn tell_ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Says that the daemon stops.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells the watchdog that the daemon is alive, if systemd asks for it, until `stopping` is cancelled.
pub(crate) fn start_watchdog(events: Arc<dyn ChainEvents>, stopping: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    tokio::spawn(async move {
        let rounds = watch(events, limit / 3);
        stopping.run_until_cancelled(rounds).await;
    });
}

async fn watch(events: Arc<dyn ChainEvents>, interval: Duration) {
    loop {
        // An error is an answer too: a restart cures neither a full disk nor a locked database.
        let _ = touch(events.as_ref()).await;
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(interval).await;
    }
}

/// Takes a reader's turn and a writer's, without changing anything: if one of them never ends, neither does
/// this.
async fn touch(events: &dyn ChainEvents) -> Result<(), StoreError> {
    match events.progress().await?.epoch {
        Some(epoch) => events.note_epoch(epoch).await,
        None => Ok(()),
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        warn!(%error, "can't tell systemd about the state of the daemon");
    }
}
