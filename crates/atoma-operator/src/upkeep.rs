//! Keeps the database small: drops what concluded attempts carried once it is old enough.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::ports::{Clock, StoreError, Upkeep};
use atoma_domain::{TimestampMs, with_causes};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How many attempts one database transaction covers: few enough to hold up nobody.
const AT_ONCE: u32 = 200;
/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(600);

/// Keeps the journal small.
#[derive(Clone, Debug)]
pub struct JournalUpkeep {
    database: Arc<dyn Upkeep>,
    clock: Arc<dyn Clock>,
    keep: Duration,
}

impl JournalUpkeep {
    /// Drops what attempts carried once they have been concluded for longer than `keep`.
    pub fn new(database: Arc<dyn Upkeep>, clock: Arc<dyn Clock>, keep: Duration) -> Self {
        Self {
            database,
            clock,
            keep,
        }
    }

    /// Drops all that is old enough now, in small parts. Returns for how many attempts.
    ///
    /// # Errors
    /// When the database fails. What was dropped before stays dropped.
    pub async fn step(&self) -> Result<u64, StoreError> {
        let keep_ms = u64::try_from(self.keep.as_millis()).unwrap_or(u64::MAX);
        let now = self.clock.now().get();
        let Some(before) = now.checked_sub(keep_ms).map(TimestampMs::new) else {
            return Ok(0);
        };
        let mut dropped = 0;
        loop {
            let part = self.database.drop_carried(before, AT_ONCE).await?;
            dropped += part;
            if part < u64::from(AT_ONCE) {
                return Ok(dropped);
            }
        }
    }

    /// Does so again and again, until stopped.
    pub async fn run(self, stopping: CancellationToken) {
        let rounds = async {
            loop {
                match self.step().await {
                    Ok(0) => {}
                    Ok(dropped) => debug!(
                        attempts = dropped,
                        "dropped the bytes of concluded transactions"
                    ),
                    Err(error) => warn!(
                        error = with_causes(&error),
                        "can't drop the bytes of concluded transactions; retrying"
                    ),
                }
                tokio::time::sleep(INTERVAL).await;
            }
        };
        stopping.run_until_cancelled(rounds).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::engine::testing::SetClock;

    /// A journal with attempts by the time of their conclusion.
    #[derive(Debug)]
    struct Concluded(Mutex<Vec<u64>>);

    #[async_trait]
    impl Upkeep for Concluded {
        async fn drop_carried(&self, before: TimestampMs, limit: u32) -> Result<u64, StoreError> {
            let mut left = limit;
            let mut times = self.0.lock().unwrap();
            let count = times.len();
            times.retain(|time| {
                let drops = *time < before.get() && left > 0;
                left -= u32::from(drops);
                !drops
            });
            Ok(u64::try_from(count - times.len()).unwrap())
        }
    }

    #[tokio::test]
    async fn what_is_old_enough_is_dropped_in_parts() {
        let journal = Arc::new(Concluded(Mutex::new((1..=950).collect())));
        let clock = Arc::new(SetClock::default());
        let keep = Duration::from_millis(1_000);
        let upkeep = JournalUpkeep::new(journal.clone(), clock.clone(), keep);
        let left = async |now| {
            clock.set(TimestampMs::new(now));
            let dropped = upkeep.step().await.unwrap();
            (dropped, journal.0.lock().unwrap().len())
        };
        // The clock is before the first day of all.
        assert_eq!(left(500).await, (0, 950));
        assert_eq!(left(1_001).await, (0, 950));
        assert_eq!(left(1_901).await, (900, 50));
        assert_eq!(left(1_901).await, (0, 50));
        assert_eq!(left(9_999).await, (50, 0));
    }
}
