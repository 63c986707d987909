//! Logging to standard error, and traces.

#[cfg(feature = "otlp")]
mod collector;
#[cfg(not(feature = "otlp"))]
mod no_traces;
#[cfg(feature = "otlp")]
mod traces;

use std::io::{self, IsTerminal as _};

use tracing::warn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

#[cfg(not(feature = "otlp"))]
use no_traces as traces;
use traces::Traces;

/// The variable that sets the format.
const FORMAT: &str = "ATOMA_LOG_FORMAT";
/// The variables that name a collector of traces.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Logging that has started. Dropping it sends the traces that are still here.
#[derive(Debug)]
pub(crate) struct Logging {
    _traces: Option<Traces>,
}

/// Starts logging. `RUST_LOG` sets the filter (default `info`), `ATOMA_LOG_FORMAT` the format: `text` or
/// `json`. There are colours on a terminal only. `OTEL_EXPORTER_OTLP_ENDPOINT` names the collector of traces; without
/// it none are made. A second call changes nothing.
pub(crate) fn start() -> Logging {
    let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (configured, format) = (read(EnvFilter::DEFAULT_ENV), read(FORMAT));
    let wrong = configured
        .as_ref()
        .and_then(|filter| EnvFilter::try_new(filter).err());
    let usable = configured.filter(|_| wrong.is_none());
    let filter = EnvFilter::new(filter(usable.as_deref().unwrap_or("info")));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        // It would report a failed write by another write to the same broken output, which panics.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let lines = match format.as_deref() {
        Some("json") => lines.json().boxed(),
        _ => lines.boxed(),
    };
    let endpoint = ENDPOINTS.into_iter().find_map(read);
    let (traces, layer, no_traces) = match endpoint.map(|_| traces::exported()) {
        Some(Ok((traces, layer))) => (Some(traces), Some(layer), None),
        Some(Err(error)) => (None, None, Some(error)),
        None => (None, None, None),
    };
    let subscriber = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(layer);
    let _ = subscriber.try_init();
    if let Some(error) = wrong {
        let variable = EnvFilter::DEFAULT_ENV;
        warn!(%error, "{variable} is not a filter and was ignored; set it as in `info,atoma_api=debug`");
    }
    if let Some(format) = format.filter(|format| !["json", "text"].contains(&format.as_str())) {
        warn!("{FORMAT} must be `text` or `json`; `{format}` was ignored");
    }
    if let Some(error) = no_traces {
        warn!(%error, "no traces are sent");
    }
    Logging { _traces: traces }
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
