//! The daemon's parts over a network.

use std::path::Path;

use atoma_daemon::{Config, Daemon, Overrides};
use tokio_util::sync::CancellationToken;

/// A daemon with the configuration of a directory, at any port.
pub(crate) async fn daemon(dir: &Path) -> Daemon {
    let overrides = Overrides {
        http_addr: Some("127.0.0.1:0".parse().unwrap()),
        ..Overrides::default()
    };
    let config = Config::load(&dir.join("daemon.toml"), overrides).unwrap();
    Daemon::build(config, CancellationToken::new())
        .await
        .unwrap()
}
