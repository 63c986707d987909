//! All metrics of a daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::ports::Chain;
use atoma_operator::Measurements;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, Error, Registry, TextEncoder};

use crate::chain::{ChainMetrics, MeteredChain};
use crate::disk::DiskSpace;
use crate::http::HttpMetrics;
use crate::values;
use crate::written::Written;

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
    pub fn new() -> Result<Self, Error> {
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

    /// Also tells the space left on the disk of this directory.
    ///
    /// # Errors
    /// If it tells that of another directory already.
    pub fn watch_disk(&self, directory: PathBuf) -> Result<(), Error> {
        self.counted.register(Box::new(DiskSpace::of(directory)?))
    }

    /// Counts the requests to the HTTP API.
    pub const fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// The same chain, whose calls are counted and timed.
    pub fn counting(&self, chain: Arc<dyn Chain>) -> Arc<dyn Chain> {
        Arc::new(MeteredChain::new(chain, self.chain.clone()))
    }

    /// Counts a request and a call, so that the page about all metrics has those too.
    pub(crate) fn count_examples(&self) {
        self.http
            .answered("GET", Some("/stacks"), 200, Duration::ZERO);
        self.chain.count_example();
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// Never, unless two metrics have one name.
    pub fn render(&self, measured: &Measurements) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.gather(measured)?, &mut text)?;
        Ok(text)
    }

    pub(crate) fn gather(&self, measured: &Measurements) -> Result<Vec<MetricFamily>, Error> {
        let read = Written::default();
        values::write(&read, measured)?;
        let mut families = self.counted.gather();
        families.extend(read.gather());
        Ok(families)
    }
}
