//! How far a node lags behind the network.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atoma_domain::ports::{ChainError, Clock};

use super::url::NodeUrl;

/// The largest lag at which a node's view of the contract is used.
#[derive(Clone, Debug)]
pub struct MaxLag {
    /// The limit, for the age of the node's newest checkpoint.
    pub limit: Duration,
    /// The clock for that age.
    pub clock: Arc<dyn Clock>,
}

/// The check of a node's lag. Clones share what they have seen.
#[derive(Clone)]
pub(crate) struct Freshness {
    max_lag: Option<MaxLag>,
    reported: Arc<Mutex<Reported>>,
}

/// What nodes have reported as the time of their newest checkpoint. One wrong report must not make all
/// others look late, so the newest time that two reports have reached is kept apart. Repeating a time does
/// not confirm it: the network's time goes on.
#[derive(Debug, Default)]
struct Reported {
    newest: Option<Reached>,
    confirmed: Option<Reached>,
}

/// A checkpoint time that nodes have reported.
#[derive(Clone, Copy, Debug)]
struct Reached {
    timestamp_ms: u64,
    /// When this process saw it first.
    first: Instant,
    /// When a report last reached it.
    last: Instant,
}

impl Reached {
    const fn new(timestamp_ms: u64, at: Instant) -> Self {
        Self {
            timestamp_ms,
            first: at,
            last: at,
        }
    }

    /// The least that the network's time can be then.
    fn network_time_ms(self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.first);
        self.timestamp_ms.saturating_add(millis(since))
    }

    /// Whether a report has reached it lately.
    fn is_recent(&self, at: Instant, limit: Duration) -> bool {
        at.saturating_duration_since(self.last) <= limit
    }
}

impl Reported {
    /// Takes up a report. Forgets a time that no report has reached for longer than the limit: the node
    /// that reported it is gone, or was wrong.
    fn note(&mut self, timestamp_ms: u64, at: Instant, limit: Duration) {
        let report = Reached::new(timestamp_ms, at);
        let seen_twice = match &mut self.newest {
            Some(newest) if timestamp_ms > newest.timestamp_ms => {
                newest.last = at;
                Some(*newest)
            }
            Some(newest) if timestamp_ms == newest.timestamp_ms => {
                newest.last = at;
                None
            }
            // Also the newest one has reached this time.
            Some(_) => Some(report),
            None => None,
        };
        if let Some(seen) = seen_twice {
            match &mut self.confirmed {
                Some(known) if known.timestamp_ms > seen.timestamp_ms => {}
                Some(known) if known.timestamp_ms == seen.timestamp_ms => known.last = at,
                confirmed => *confirmed = Some(seen),
            }
        }
        let is_recent = |reached: &Reached| reached.is_recent(at, limit);
        self.confirmed = self.confirmed.filter(is_recent);
        self.newest = match self.newest.filter(is_recent) {
            Some(newest) if newest.timestamp_ms >= timestamp_ms => Some(newest),
            _ => Some(report),
        };
    }
}

impl Freshness {
    pub(crate) fn new(max_lag: Option<MaxLag>) -> Self {
        Self {
            max_lag,
            reported: Arc::default(),
        }
    }

    /// Whether there is a limit.
    pub(crate) const fn is_limited(&self) -> bool {
        self.max_lag.is_some()
    }

    /// The time of the clock, if there is one.
    pub(crate) fn clock_ms(&self) -> Option<u64> {
        let max_lag = self.max_lag.as_ref()?;
        Some(max_lag.clock.now().get())
    }

    /// Checks the time of a node's newest checkpoint. The network's time is that of the clock, or what
    /// nodes have reported plus the time that has passed since, whichever is later: a clock that is
    /// behind does not hide that a node has stopped, or that another one is further. A node that agrees
    /// with the clock is compared with confirmed reports only: either it and the clock are wrong, or the
    /// one report that is later.
    ///
    /// # Errors
    /// [`ChainError::Late`] when it is older than the limit.
    pub(crate) fn check(&self, node: &NodeUrl, timestamp_ms: u64) -> Result<(), ChainError> {
        self.check_at(Instant::now(), node, timestamp_ms)
    }

    fn check_at(&self, at: Instant, node: &NodeUrl, timestamp_ms: u64) -> Result<(), ChainError> {
        let Some(MaxLag { limit, clock }) = &self.max_lag else {
            return Ok(());
        };
        let clock = clock.now().get();
        let agrees_with_clock = clock.abs_diff(timestamp_ms) <= millis(*limit);
        let reported = {
            let mut reported = self.reported();
            reported.note(timestamp_ms, at, *limit);
            match agrees_with_clock {
                true => reported.confirmed,
                false => reported.newest,
            }
        };
        let network = reported.map_or(0, |reached| reached.network_time_ms(at));
        let now = network.max(clock);
        let lag = Duration::from_millis(now.saturating_sub(timestamp_ms));
        if lag <= *limit {
            return Ok(());
        }
        Err(ChainError::Late {
            node: node.to_string(),
            lag_s: lag.as_secs(),
            limit_s: limit.as_secs(),
        })
    }

    fn reported(&self) -> MutexGuard<'_, Reported> {
        // At worst a panic of a holder leaves a time unconfirmed.
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Freshness")
            .field("max_lag", &self.max_lag)
            .finish_non_exhaustive()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use atoma_domain::TimestampMs;

    use super::*;

    const MINUTE: u64 = 60_000;
    const NOW: u64 = 1_000 * MINUTE;

    #[derive(Debug)]
    struct FixedClock(u64);

    impl Clock for FixedClock {
        fn now(&self) -> TimestampMs {
            TimestampMs::new(self.0)
        }
    }

    /// The check by a clock that shows this time: of a checkpoint's time, so many seconds later.
    fn at(clock_ms: u64) -> impl Fn(u64, u64) -> bool {
        let freshness = Freshness::new(Some(MaxLag {
            limit: Duration::from_secs(300),
            clock: Arc::new(FixedClock(clock_ms)),
        }));
        let node: NodeUrl = "http://node".parse().unwrap();
        let start = Instant::now();
        move |timestamp_ms, seconds| {
            let at = start + Duration::from_secs(seconds);
            freshness.check_at(at, &node, timestamp_ms).is_ok()
        }
    }

    #[test]
    fn a_checkpoint_older_than_the_limit_is_late() {
        let is_fresh = at(NOW);
        assert!(is_fresh(NOW - 5 * MINUTE, 0));
        assert!(!is_fresh(NOW - 5 * MINUTE - 1, 0));
        assert!(is_fresh(NOW, 0));
        // A time to come, because this clock is behind.
        assert!(is_fresh(NOW + MINUTE, 0));
    }

    #[test]
    fn a_clock_that_is_behind_hides_neither_a_node_that_stops_nor_one_that_lags() {
        let is_fresh = at(NOW - 1_000 * MINUTE);
        assert!(is_fresh(NOW, 0));
        // Another node at the same address.
        assert!(!is_fresh(NOW - 6 * MINUTE, 0));
        assert!(is_fresh(NOW, 300));
        assert!(!is_fresh(NOW, 301));
        assert!(is_fresh(NOW + 5 * MINUTE, 301));
    }

    /// One answer was wrong. The others agree with the clock.
    #[test]
    fn a_time_far_in_the_future_makes_no_other_node_late() {
        for wrong in [NOW + 6 * MINUTE, NOW + 1_000_000 * MINUTE, u64::MAX] {
            let is_fresh = at(NOW);
            assert!(is_fresh(NOW, 0));
            assert!(is_fresh(wrong, 1));
            assert!(is_fresh(NOW, 2), "{wrong}");
            assert!(is_fresh(NOW + 1, 3), "{wrong}");
            // The clock still shows which nodes are late.
            assert!(!is_fresh(NOW - 6 * MINUTE, 4), "{wrong}");
            // However often it says so: the network's time would go on.
            for seconds in [5, 6] {
                is_fresh(wrong, seconds);
            }
            assert!(is_fresh(NOW, 7), "{wrong}");
        }
    }

    /// A time that goes on is confirmed, and makes the others late while somebody says so.
    #[test]
    fn a_wrong_time_that_goes_on_is_forgotten_with_the_node_that_says_so() {
        let is_fresh = at(NOW);
        let wrong = NOW + 6 * MINUTE;
        assert!(is_fresh(NOW, 0));
        for seconds in [1, 2] {
            assert!(is_fresh(wrong + seconds, seconds));
        }
        assert!(!is_fresh(NOW, 3));
        assert!(!is_fresh(NOW, 302));
        assert!(is_fresh(NOW, 303));
    }

    /// Nothing tells which node is right until the one that is further is not heard of any more.
    #[test]
    fn a_wrong_time_is_forgotten_even_if_the_clock_is_wrong_too() {
        let is_fresh = at(NOW - 1_000 * MINUTE);
        assert!(is_fresh(NOW, 0));
        assert!(is_fresh(NOW + 1_000 * MINUTE, 1));
        assert!(!is_fresh(NOW, 2));
        assert!(!is_fresh(NOW + 5 * MINUTE, 301));
        assert!(is_fresh(NOW + 5 * MINUTE, 302));
        assert!(!is_fresh(NOW - MINUTE, 303));
    }

    /// The clock is a little behind, and so is one of two nodes.
    #[test]
    fn a_node_that_agrees_with_a_wrong_clock_is_late_if_others_confirm_it() {
        let is_fresh = at(NOW - 10 * MINUTE);
        assert!(is_fresh(NOW, 0));
        assert!(is_fresh(NOW + 1_000, 1));
        assert!(!is_fresh(NOW - 12 * MINUTE, 2));
    }

    #[test]
    fn without_a_limit_every_node_is_fresh() {
        let node: NodeUrl = "http://node".parse().unwrap();
        assert!(Freshness::new(None).check(&node, 0).is_ok());
    }
}
