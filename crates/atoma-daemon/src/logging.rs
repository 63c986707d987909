//! Logging to standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` sets the filter (default `info`), `ATOMA_LOG_FORMAT=json` the format.
/// There are colours on a terminal only. A second call changes nothing.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let json = std::env::var("ATOMA_LOG_FORMAT").is_ok_and(|format| format == "json");
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}
