//! Alarms: what the operator must look at, found at an interval and told to the receivers of the configuration.
//!
//! `rules.rs` says what is wrong, from the figures that metrics are made of, and `reports.rs` is where other parts say so. `watch.rs`
//! keeps the alarms up to date; when to tell of one is decided by the domain (`atoma_domain::alarms`). `outbox.rs` delivers the
//! messages that wait in the database, and `emergency.rs` tells of a database that can't be written itself.

mod emergency;
mod figures;
mod outbox;
mod reports;
mod rules;
mod tell;
mod watch;

pub use figures::{AlarmFigures, ReceiverFigures};
pub use reports::AlarmReports;
pub(crate) use rules::{Facts, MOST_STACKS, judge};
pub use rules::{Found, Thresholds};
pub use tell::Told;
pub use watch::{AlarmConfig, Alarms};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
