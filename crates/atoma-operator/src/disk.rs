//! Whether the disk of the database takes a write.

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoma_domain::TimestampMs;

use crate::causes::with_causes;
use crate::ports::Ports;

/// How long a disk that took a write counts as sound, in milliseconds.
const SOUND_MS: u64 = 10_000;
/// How long one that did not counts as broken, in milliseconds.
const BROKEN_MS: u64 = 1_000;
/// The longest wait for a write.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the disk, not more often than needed. Clones share what they saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskWatch(Arc<Mutex<Option<Look>>>);

/// What a look at the disk found.
#[derive(Clone, Debug)]
struct Look {
    at: TimestampMs,
    problem: Option<String>,
}

impl Look {
    /// Whether it is recent enough. One from the future is not: the clock was set back.
    fn is_fresh(&self, now: TimestampMs) -> bool {
        let lasts = if self.problem.is_none() {
            SOUND_MS
        } else {
            BROKEN_MS
        };
        let age = now.get().checked_sub(self.at.get());
        age.is_some_and(|age| age < lasts)
    }
}

impl DiskWatch {
    /// Why the disk takes no write, if so.
    pub(crate) async fn problem(&self, ports: &Ports) -> Option<String> {
        let now = ports.clock.now();
        let known = self.last().clone();
        if let Some(known) = known.filter(|known| known.is_fresh(now)) {
            return known.problem;
        }
        let problem = match tokio::time::timeout(PATIENCE, ports.events.check_disk()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                let cause = error
                    .source()
                    .map_or_else(|| error.to_string(), with_causes);
                Some(format!("the disk of the database takes no write: {cause}"))
            }
            Err(_) => Some(format!(
                "the disk of the database took no write within {} s",
                PATIENCE.as_secs()
            )),
        };
        *self.last() = Some(Look {
            at: now,
            problem: problem.clone(),
        });
        problem
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Look>> {
        // It is replaced whole, so a panic elsewhere can't leave half of it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_lasts_longer_if_nothing_is_wrong() {
        let look = |problem: Option<&str>| Look {
            at: TimestampMs::new(50_000),
            problem: problem.map(str::to_owned),
        };
        let is_fresh = |look: Look, now| look.is_fresh(TimestampMs::new(now));
        assert!(is_fresh(look(None), 59_999));
        assert!(!is_fresh(look(None), 60_000));
        assert!(is_fresh(look(Some("full")), 50_999));
        assert!(!is_fresh(look(Some("full")), 51_000));
        assert!(!is_fresh(look(None), 49_999));
    }
}
