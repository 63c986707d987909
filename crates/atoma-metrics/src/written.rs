//! Metrics whose values are known when they are written.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Counter, CounterVec, Gauge, GaugeVec, Opts, Registry, Result};

/// Metrics that are made for one answer. What is gone, such as a lane without work, leaves no stale series.
#[derive(Debug, Default)]
pub(crate) struct Written(Registry);

impl Written {
    /// A value that can go up and down.
    pub(crate) fn gauge(&self, name: &str, help: &str, value: f64) -> Result<()> {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value);
        self.register(gauge)
    }

    /// The same for each value of some labels. Without values the metric is absent.
    pub(crate) fn gauges<'v, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = ([&'v str; N], f64)>,
    ) -> Result<()> {
        let gauges = GaugeVec::new(Opts::new(name, help), &labels)?;
        for (labels, value) in values {
            gauges.with_label_values(&labels).set(value);
        }
        self.register(gauges)
    }

    /// A value that only goes up.
    pub(crate) fn counter(&self, name: &str, help: &str, value: f64) -> Result<()> {
        let counter = Counter::new(name, help)?;
        counter.inc_by(value);
        self.register(counter)
    }

    /// The same for each value of some labels. Without values the metric is absent.
    pub(crate) fn counters<'v, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        values: impl IntoIterator<Item = ([&'v str; N], f64)>,
    ) -> Result<()> {
        let counters = CounterVec::new(Opts::new(name, help), &labels)?;
        for (labels, value) in values {
            counters.with_label_values(&labels).inc_by(value);
        }
        self.register(counters)
    }

    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.0.gather()
    }

    fn register(&self, metric: impl Collector + 'static) -> Result<()> {
        self.0.register(Box::new(metric))
    }
}

/// A whole number as Prometheus has it: exact up to 2⁵³.
#[expect(
    clippy::as_conversions,
    reason = "there is no other conversion, and the nearest float is what is wanted"
)]
pub(crate) const fn float(value: u128) -> f64 {
    value as f64
}
