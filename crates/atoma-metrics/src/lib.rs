//! The Prometheus metrics of the node daemon.
//!
//! - Counted as it happens: requests to the HTTP API ([`HttpMetrics`]) and calls of the Sui node
//!   ([`MeteredChain`]), and what the operating system knows about the process.
//! - Read when asked for: everything else, from [`Measurements`]. Such a metric can't miss what another process
//!   did to the database, and survives a restart.
//!
//! Names follow Prometheus' conventions: base units, `_total` for counters. Amounts are in the currency's smallest
//! unit (`mist`, `micro_usdc`), because they are whole numbers there. `docs/metrics.md` lists all metrics; it is
//! made from the code by [`metrics_page`].

mod chain;
mod http;
mod page;
mod values;
mod written;

use atoma_operator::Measurements;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, Registry, TextEncoder};

pub use chain::MeteredChain;
pub use http::HttpMetrics;
pub use page::metrics_page;
pub use prometheus::Error as MetricsError;

use chain::ChainMetrics;
use written::Written;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of one daemon. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    counted: Registry,
    http: HttpMetrics,
    chain: ChainMetrics,
}

impl Metrics {
    /// Metrics that have counted nothing.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn new() -> Result<Self, MetricsError> {
        let counted = Registry::new();
        let http = HttpMetrics::registered(&counted)?;
        let chain = ChainMetrics::registered(&counted)?;
        counted.register(Box::new(ProcessCollector::for_self()))?;
        Ok(Self {
            counted,
            http,
            chain,
        })
    }

    /// Counts the requests to the HTTP API.
    pub const fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn render(&self, measured: &Measurements) -> Result<Vec<u8>, MetricsError> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.gather(measured)?, &mut text)?;
        Ok(text)
    }

    fn gather(&self, measured: &Measurements) -> Result<Vec<MetricFamily>, MetricsError> {
        let read = Written::default();
        values::write(&read, measured)?;
        let mut families = self.counted.gather();
        families.extend(read.gather());
        Ok(families)
    }
}
