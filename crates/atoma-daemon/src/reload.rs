//! SIGHUP: the tokens, the certificate and the rate limits are read again.

use anyhow::Context as _;
use atoma_api::AccessControl;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::exit::sentences;
use crate::supervisor::Supervisor;

/// Reads tokens, certificate and rate limits again at each SIGHUP, until `stopping` is cancelled.
pub(crate) fn reload_on_hangup(
    config: Config,
    access: AccessControl,
    supervisor: Supervisor,
    stopping: CancellationToken,
) {
    // Before anybody can send one: without this, SIGHUP ends the process.
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => {
            warn!(%error, "can't handle SIGHUP; restart the daemon to take up changed tokens");
            return;
        }
    };
    tokio::spawn(async move {
        while let Some(Some(())) = stopping.run_until_cancelled(hangups.recv()).await {
            supervisor.reloading();
            let reloaded = reload(&config, &access);
            supervisor.reloaded(match &reloaded {
                Ok(()) => "serving",
                Err(_) => "serving; the last reload failed, see the log",
            });
            match reloaded {
                Ok(()) => info!("reloaded the tokens, the certificate and the rate limits"),
                Err(failed) => {
                    for sentence in sentences(&failed, |cause| cause.to_string()) {
                        error!(
                            "can't reload, so the old tokens, certificate and rate limits stay: {sentence}"
                        );
                    }
                }
            }
        }
    });
}

/// Takes up the current configuration of tokens, encryption and rate limits. Other settings count from the next start.
fn reload(config: &Config, access: &AccessControl) -> anyhow::Result<()> {
    let config = config.load_again()?;
    let read = config.access(|name| std::env::var_os(name))?.for_api()?;
    access
        .replace(read)
        .context("the new configuration is not enough")
}
