//! How many requests a caller may send in a minute.
//!
//! Each token has a bucket for reads and one for writes, callers without a token share two, and all requests that
//! fail authentication share one. So the number of buckets depends on the configuration alone, not on who calls.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::caller::Caller;
use crate::error::ApiError;

/// How many requests may come in a minute. `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Reads of each token, and of all callers without a token together.
    pub reads_per_minute: Option<NonZeroU32>,
    /// Writes, likewise.
    pub writes_per_minute: Option<NonZeroU32>,
    /// Requests of all clients together that no token allows.
    pub failures_per_minute: Option<NonZeroU32>,
}

impl Default for RateLimits {
    /// Services record as fast as they serve. Only what fails is limited.
    fn default() -> Self {
        Self {
            reads_per_minute: None,
            writes_per_minute: None,
            failures_per_minute: NonZeroU32::new(600),
        }
    }
}

/// Time since the buckets were made, by the runtime's clock.
#[derive(Clone, Copy, Debug)]
struct Elapsed(Instant);

impl Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A token bucket that holds what may come in a minute, and is refilled evenly. It begins full.
struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Elapsed, NoOpMiddleware<Duration>>,
    clock: Elapsed,
    /// The setting that limits it.
    setting: &'static str,
}

impl Bucket {
    fn new(per_minute: Option<NonZeroU32>, setting: &'static str) -> Option<Self> {
        let clock = Elapsed(Instant::now());
        let quota = Quota::per_minute(per_minute?);
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, clock),
            clock,
            setting,
        })
    }

    fn take(&self, caller: &str) -> Result<(), ApiError> {
        self.limiter.check().map_err(|refused| {
            let wait = refused.earliest_possible().duration_since(self.clock.now());
            let wait = Duration::from(wait);
            ApiError::RateLimited {
                caller: caller.to_owned(),
                setting: self.setting,
                retry_after_s: wait.as_secs().saturating_add(1),
            }
        })
    }
}

/// The buckets of one caller.
struct Buckets {
    reads: Option<Bucket>,
    writes: Option<Bucket>,
}

impl Buckets {
    fn new(limits: &RateLimits) -> Self {
        Self {
            reads: Bucket::new(limits.reads_per_minute, "reads_per_minute"),
            writes: Bucket::new(limits.writes_per_minute, "writes_per_minute"),
        }
    }
}

/// The buckets of all callers.
pub(crate) struct Rates {
    tokens: BTreeMap<Arc<str>, Buckets>,
    without_token: Buckets,
    failures: Option<Bucket>,
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rates").finish_non_exhaustive()
    }
}

impl Rates {
    /// Full buckets for tokens with these names.
    pub(crate) fn new(limits: &RateLimits, names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let names = names.into_iter();
        Self {
            tokens: names.map(|name| (name, Buckets::new(limits))).collect(),
            without_token: Buckets::new(limits),
            failures: Bucket::new(limits.failures_per_minute, "failures_per_minute"),
        }
    }

    /// Counts a request of this caller.
    ///
    /// # Errors
    /// When it has sent too many.
    pub(crate) fn take(&self, caller: &Caller, is_read: bool) -> Result<(), ApiError> {
        let buckets = caller.token().and_then(|name| self.tokens.get(name));
        let buckets = buckets.unwrap_or(&self.without_token);
        let bucket = if is_read {
            &buckets.reads
        } else {
            &buckets.writes
        };
        take(bucket.as_ref(), caller.name())
    }

    /// Counts a request that no token allows.
    ///
    /// # Errors
    /// When there were too many, from whomever.
    pub(crate) fn take_failure(&self) -> Result<(), ApiError> {
        take(self.failures.as_ref(), "nobody")
    }
}

fn take(bucket: Option<&Bucket>, caller: &str) -> Result<(), ApiError> {
    bucket.map_or(Ok(()), |bucket| bucket.take(caller))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_domain::Hash32;

    fn rates(limits: RateLimits) -> Rates {
        Rates::new(&limits, ["one", "two"].map(Arc::from))
    }

    /// When to try again, in seconds.
    fn refused(taken: Result<(), ApiError>) -> u64 {
        match taken.unwrap_err() {
            ApiError::RateLimited { retry_after_s, .. } => retry_after_s,
            other => unreachable!("{other}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_is_refilled_evenly_and_holds_a_minute() {
        let rates = rates(RateLimits {
            reads_per_minute: NonZeroU32::new(6),
            ..RateLimits::default()
        });
        let one = Caller::of_token("one", Hash32::of(&[]));
        for _ in 0..6 {
            rates.take(&one, true).unwrap();
        }
        assert_eq!(refused(rates.take(&one, true)), 11);
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert_eq!(refused(rates.take(&one, true)), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        rates.take(&one, true).unwrap();
        assert_eq!(refused(rates.take(&one, true)), 11);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        for _ in 0..6 {
            rates.take(&one, true).unwrap();
        }
        refused(rates.take(&one, true));
    }

    #[tokio::test(start_paused = true)]
    async fn each_token_has_its_own_and_callers_without_one_share() {
        let rates = rates(RateLimits {
            reads_per_minute: NonZeroU32::new(1),
            writes_per_minute: NonZeroU32::new(1),
            ..RateLimits::default()
        });
        // A token may have the name that stands for none.
        let callers = [
            Caller::of_token("one", Hash32::of(&[])),
            Caller::of_token("two", Hash32::of(&[])),
            Caller::named("one"),
        ];
        for caller in &callers {
            for is_read in [true, false] {
                rates.take(caller, is_read).unwrap();
                refused(rates.take(caller, is_read));
            }
        }
        refused(rates.take(&Caller::named("anybody"), true));
        rates.take_failure().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn by_default_only_failures_are_limited() {
        let rates = rates(RateLimits::default());
        let one = Caller::of_token("one", Hash32::of(&[]));
        for _ in 0..600 {
            rates.take_failure().unwrap();
        }
        assert_eq!(refused(rates.take_failure()), 1);
        for _ in 0..200_000 {
            rates.take(&one, false).unwrap();
        }
        rates.take(&one, true).unwrap();
    }
}
