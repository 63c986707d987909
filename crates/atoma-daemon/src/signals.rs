//! SIGINT and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Cancels the token when the process receives SIGINT (Ctrl-C) or SIGTERM.
pub(crate) fn cancel_on_interrupt(token: CancellationToken) {
    tokio::spawn(async move {
        let signals = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        );
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            warn!("can't handle SIGINT and SIGTERM; kill the process to stop it");
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
