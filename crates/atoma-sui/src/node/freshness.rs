//! How far a node lags behind the network.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
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
    newest: Arc<Mutex<Option<Newest>>>,
}

/// The newest checkpoint time that any node has reported, and when this process saw it first.
#[derive(Clone, Copy)]
struct Newest {
    timestamp_ms: u64,
    seen: Instant,
}

impl Newest {
    /// The least that the network's time can be then.
    fn network_time_ms(self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.seen);
        self.timestamp_ms.saturating_add(millis(since))
    }
}

impl Freshness {
    pub(crate) fn new(max_lag: Option<MaxLag>) -> Self {
        Self {
            max_lag,
            newest: Arc::default(),
        }
    }

    /// Whether there is a limit.
    pub(crate) const fn is_limited(&self) -> bool {
        self.max_lag.is_some()
    }

    /// Checks the time of a node's newest checkpoint. The network's time is that of the clock, or what
    /// nodes have reported plus the time that has passed since, whichever is later: a clock that is
    /// behind does not hide that a node has stopped, or that another one is further.
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
        let now = self.note(timestamp_ms, at).network_time_ms(at);
        let now = now.max(clock.now().get());
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

    /// Remembers a time if it is the newest; returns the newest.
    fn note(&self, timestamp_ms: u64, at: Instant) -> Newest {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match *newest {
            Some(known) if known.timestamp_ms >= timestamp_ms => known,
            _ => *newest.insert(Newest {
                timestamp_ms,
                seen: at,
            }),
        }
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

    #[test]
    fn without_a_limit_every_node_is_fresh() {
        let node: NodeUrl = "http://node".parse().unwrap();
        assert!(Freshness::new(None).check(&node, 0).is_ok());
    }
}
