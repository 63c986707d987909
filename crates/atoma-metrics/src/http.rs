//! Requests to the HTTP API.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, Result};

/// From a read of one row to a request that waits for its transactions.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 90.0,
];
/// The methods that have a label of their own: a client may send any other.
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PATCH", "DELETE"];

/// Counts the requests to the HTTP API. Clones share the counts.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
}

/// A request that runs. It counts as in flight until it is dropped.
#[derive(Debug)]
pub struct RequestInFlight(IntGauge);

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    pub(crate) fn registered(registry: &Registry) -> Result<Self> {
        let labels = ["method", "route"];
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "atoma_http_requests_total",
                    "Requests to the HTTP API that were answered.",
                ),
                &["method", "route", "status"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "atoma_http_request_duration_seconds",
                    "How long requests to the HTTP API took until their answer began.",
                )
                .buckets(BUCKETS.into()),
                &labels,
            )?,
            in_flight: IntGauge::new(
                "atoma_http_requests_in_flight",
                "Requests to the HTTP API that are being worked on.",
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.durations.clone()))?;
        registry.register(Box::new(metrics.in_flight.clone()))?;
        Ok(metrics)
    }

    /// Counts a request as in flight.
    pub fn begin(&self) -> RequestInFlight {
        self.in_flight.inc();
        RequestInFlight(self.in_flight.clone())
    }

    /// Counts an answered request. `route` is the route's pattern, never the path itself, which a client chooses;
    /// `None` is a path without a route.
    pub fn answered(&self, method: &str, route: Option<&str>, status: u16, duration: Duration) {
        let method = METHODS
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("other");
        let route = route.unwrap_or("none");
        let status = status.to_string();
        self.requests
            .with_label_values(&[method, route, &status])
            .inc();
        self.durations
            .with_label_values(&[method, route])
            .observe(duration.as_secs_f64());
    }
}
