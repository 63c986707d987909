//! Logging to standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` sets the filter (default `info`), `ATOMA_LOG_FORMAT=json` the format.
/// There are colours on a terminal only. A second call changes nothing.
pub(crate) fn start() {
    let configured = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let configured = configured.filter(|filter| EnvFilter::try_new(filter).is_ok());
    let filter = EnvFilter::new(filter(configured.as_deref().unwrap_or("info")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        // It would report a failed write by another write to the same broken output, which panics.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let json = std::env::var("ATOMA_LOG_FORMAT").is_ok_and(|format| format == "json");
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// The filter without the HTTP library's own messages: it reports as errors what any client can send. The
/// API logs such requests at DEBUG. A filter that names the library is left as it is.
fn filter(configured: &str) -> String {
    const LIBRARY: &str = "actix_http";
    if configured.contains(LIBRARY) {
        return configured.to_owned();
    }
    format!("{configured},{LIBRARY}=off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_http_library_is_silent_unless_it_is_named() {
        assert_eq!(filter("info"), "info,actix_http=off");
        assert_eq!(filter("warn,actix_http=trace"), "warn,actix_http=trace");
        assert!(EnvFilter::try_new(filter("debug,atoma_api=info")).is_ok());
    }
}
