//! The Prometheus metrics of the node daemon.
//! ```no_run
//! # async fn example(node: atoma_operator::Node) -> Result<(), Box<dyn std::error::Error>> {
//! let metrics = atoma_metrics::Metrics::new()?;
//! let measured = node.operator().measure().await;
//! println!("{}", String::from_utf8(metrics.render(&measured)?)?);
//! # Ok(())
//! # }
//! ```
//!
//! - Counted as it happens: requests to the HTTP API ([`HttpMetrics`]) and calls of the Sui node
//!   ([`Metrics::counting`]), and what the operating system knows about the process.
//! - Read when asked for: everything else, from [`Measurements`](atoma_operator::Measurements). Such a metric can't miss what another process
//!   did to the database, and survives a restart.
//!
//! Names follow Prometheus' conventions: base units, `_total` for counters. Amounts are in the currency's smallest
//! unit (`mist`, `micro_usdc`), because they are whole numbers there. `docs/metrics.md` lists all metrics; it is
//! made from the code by [`metrics_page`].

mod autopilot;
mod chain;
mod disk;
mod http;
mod metrics;
mod numbers;
mod page;
mod values;
mod written;

pub use disk::free_space;
pub use http::HttpMetrics;
pub use metrics::{CONTENT_TYPE, Metrics};
pub use page::metrics_page;
pub use prometheus::Error as MetricsError;
