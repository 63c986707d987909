//! Alarms in numbers, for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use atoma_domain::alarms::Severity;

/// Alarms in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmFigures {
    /// How many alarms fire that nobody has acknowledged; `None` if the database can't be read.
    pub firing: Option<BTreeMap<Severity, u64>>,
    /// Each receiver, in the order of the configuration.
    pub receivers: Vec<ReceiverFigures>,
}

/// A receiver of alarms in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverFigures {
    /// Its name in the configuration.
    pub name: String,
    /// Messages that it has confirmed since the start.
    pub delivered: u64,
    /// Tries that failed, after which the message was tried again.
    pub failed: u64,
    /// Messages that were given up.
    pub given_up: u64,
    /// Messages that wait; `None` if the database can't be read.
    pub waiting: Option<u64>,
}

/// What happened to the messages to a receiver since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) delivered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) given_up: AtomicU64,
}

impl Counts {
    /// In numbers.
    pub(super) fn figures(&self, name: &str, waiting: Option<u64>) -> ReceiverFigures {
        ReceiverFigures {
            name: name.to_owned(),
            delivered: self.delivered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
            waiting,
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
