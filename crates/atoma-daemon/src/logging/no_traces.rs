//! A binary that makes no traces.

use thiserror::Error;
use tracing_subscriber::layer::Identity;

/// The variables that name a collector.
pub(super) const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// There are none.
#[derive(Debug)]
pub(super) enum Traces {}

/// A collector is named in vain.
#[derive(Debug, Error)]
#[error("this binary was built without traces; build it with `--features otlp`")]
pub(super) struct NotBuilt;

/// # Errors
/// [`NotBuilt`], always.
pub(super) const fn exported() -> Result<(Traces, Identity), NotBuilt> {
    Err(NotBuilt)
}
