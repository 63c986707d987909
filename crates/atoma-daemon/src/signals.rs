//! Signals that end the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Cancels the token on Ctrl-C or a request to terminate.
pub(crate) fn cancel_on_interrupt(token: CancellationToken) {
    tokio::spawn(async move {
        let signals = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        );
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            warn!("signals can't be heard; the process must be killed to stop");
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("stopping");
        token.cancel();
    });
}
