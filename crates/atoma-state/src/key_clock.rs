//! The time that idempotency keys age by.
//!
//! The system's clock alone must not decide that a key is seven days old. A clock that jumps ahead would
//! have all keys expire, and a repeated request would act twice. So there is a second measure, the key
//! clock: the sum of the steps from one stored key to the next. A step counts for as long as this process
//! has seen pass since the last one, and otherwise for at most an hour. A jump of the clock therefore adds
//! an hour, and a step back adds nothing. A key expires when it is too old by both.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use atoma_domain::TimestampMs;
use atoma_domain::journal::REQUEST_KEY_LIFETIME_MS;
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// What a step counts for if this process has not seen that more time has passed. Larger ones make a jump
/// of the clock cost more; with smaller ones a service that is often restarted keeps more keys.
const UNSEEN_STEP: Duration = Duration::from_secs(60 * 60);

/// What this process has seen of the key clock. Clones of a store share it.
#[derive(Debug, Default)]
pub(crate) struct KeyClock {
    seen: Mutex<Option<Seen>>,
}

/// The last step that this process has seen in the database, and when it saw it first.
#[derive(Clone, Copy, Debug)]
struct Seen {
    stepped_at: u64,
    at: Instant,
}

impl KeyClock {
    /// The longest time that may have passed between a stored step and this moment, at which it is read.
    fn longest_step(&self, stepped_at: u64, at: Instant) -> u64 {
        let mut seen = self.seen();
        let since = match *seen {
            Some(known) if known.stepped_at == stepped_at => at.saturating_duration_since(known.at),
            _ => {
                *seen = Some(Seen { stepped_at, at });
                Duration::ZERO
            }
        };
        u64::try_from(since.max(UNSEEN_STEP).as_millis()).unwrap_or(u64::MAX)
    }

    /// A copy for a call that changes nothing: what it notes must not count.
    pub(crate) fn scratch(&self) -> Self {
        Self {
            seen: Mutex::new(*self.seen()),
        }
    }

    /// Notes a step. If it is rolled back, the clock is only slower for it.
    fn note(&self, stepped_at: u64, at: Instant) {
        *self.seen() = Some(Seen { stepped_at, at });
    }

    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        // Every change is one assignment, so a panic of a holder leaves it whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A moment by both clocks.
pub(crate) struct KeyTime {
    now: TimestampMs,
    elapsed: u64,
}

/// The key clock as it is stored. A damaged one begins anew: keys are kept for longer, and no request is
/// refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StoredClock {
    stepped_at: Option<u64>,
    elapsed: u64,
}

impl StoredClock {
    /// Reads it.
    pub(crate) const READ: &str = "SELECT * FROM key_clock WHERE id = 1";
    /// Writes it. Takes the last two.
    pub(crate) const WRITE: &str = "INSERT INTO key_clock (id, stepped_at, elapsed) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE \
         SET stepped_at = excluded.stepped_at, elapsed = excluded.elapsed";

    /// The clock in its row; a new one without a row.
    pub(crate) fn read(row: Option<&SqliteRow>) -> Self {
        let Some(row) = row else {
            return Self::default();
        };
        let cells = Cells::new(row, "key_clock", "id");
        Self {
            stepped_at: cells.number("stepped_at").ok(),
            elapsed: cells.number("elapsed").unwrap_or(0),
        }
    }

    async fn load(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let row = sqlx::query(Self::READ).fetch_optional(connection).await;
        Ok(Self::read(row.map_err(statement_failed)?.as_ref()))
    }

    /// The time now, for looking up a key.
    fn time(self, clock: &KeyClock, now: TimestampMs, at: Instant) -> KeyTime {
        let last = self.stepped_at.unwrap_or(now.get());
        let longest = clock.longest_step(last, at);
        let step = now.get().saturating_sub(last).min(longest);
        KeyTime {
            now,
            elapsed: self.elapsed.saturating_add(step),
        }
    }

    /// Takes the step to `now`. Call it once for each request that stores a key.
    pub(crate) fn step(&mut self, clock: &KeyClock, now: TimestampMs) -> KeyTime {
        let at = Instant::now();
        let time = self.time(clock, now, at);
        *self = Self {
            stepped_at: Some(now.get()),
            elapsed: time.elapsed,
        };
        clock.note(now.get(), at);
        time
    }

    /// Whether the same request counts as a repetition of the one that stored a key then: until the key is too
    /// old by both clocks, since it may look old only because the system's clock is ahead.
    pub(crate) fn is_repeatable(
        self,
        clock: &KeyClock,
        now: TimestampMs,
        stored_at: u64,
        key_stored: u64,
    ) -> bool {
        stored_at >= oldest(now) || !self.time(clock, now, Instant::now()).is_expired(key_stored)
    }

    /// The stored form of its moment and its time. A clock that has not stepped has no moment.
    pub(crate) fn stored(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let stepped_at = self.stepped_at?;
        Some((number(stepped_at), number(self.elapsed)))
    }
}

impl KeyTime {
    /// Takes the step to `now`. Call it once for each write that stores a key.
    pub(crate) async fn step(
        connection: &mut SqliteConnection,
        clock: &KeyClock,
        now: TimestampMs,
    ) -> Result<Self, StoreError> {
        let mut stored = StoredClock::load(connection).await?;
        let time = stored.step(clock, now);
        let (stepped_at, elapsed) = stored.stored().unwrap_or_default();
        sqlx::query(StoredClock::WRITE)
            .bind(stepped_at)
            .bind(elapsed)
            .execute(connection)
            .await
            .map_err(statement_failed)?;
        Ok(time)
    }

    /// The moment by the key clock, in milliseconds.
    pub(crate) const fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// Whether a key that was stored then, by each of the clocks, is too old by both.
    pub(crate) fn has_outlived(&self, stored_at: u64, key_stored: u64) -> bool {
        self.is_expired(key_stored) && stored_at < oldest(self.now)
    }

    /// Whether a key that was stored at that moment by the key clock is too old by it. The caller has
    /// compared the system's clock ([`oldest`]).
    pub(crate) const fn is_expired(&self, key_stored: u64) -> bool {
        key_stored < self.elapsed.saturating_sub(REQUEST_KEY_LIFETIME_MS)
    }

    /// The stored form of the moment by the key clock.
    pub(crate) fn stored(&self) -> Vec<u8> {
        number(self.elapsed)
    }

    /// A key stored before this, by the system's clock, may be deleted if the key clock agrees.
    pub(crate) fn oldest(&self) -> Vec<u8> {
        number(oldest(self.now))
    }

    /// A key stored before this, by the key clock, may be deleted if the system's clock agrees.
    pub(crate) fn oldest_stored(&self) -> Vec<u8> {
        number(self.elapsed.saturating_sub(REQUEST_KEY_LIFETIME_MS))
    }
}

/// When the oldest key that still counts at `now` was stored, by the system's clock.
pub(crate) fn oldest(now: TimestampMs) -> u64 {
    now.get().saturating_sub(REQUEST_KEY_LIFETIME_MS)
}

/// As [`StoredClock::is_repeatable`]; reads the clock if it matters.
pub(crate) async fn is_repeatable(
    connection: &mut SqliteConnection,
    clock: &KeyClock,
    now: TimestampMs,
    stored_at: u64,
    key_stored: u64,
) -> Result<bool, StoreError> {
    if stored_at >= oldest(now) {
        return Ok(true);
    }
    let stored = StoredClock::load(connection).await?;
    Ok(stored.is_repeatable(clock, now, stored_at, key_stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_counts_for_an_hour_or_what_this_process_has_seen_pass() {
        const HOUR: u64 = 3_600_000;
        let clock = KeyClock::default();
        let start = Instant::now();
        let hours = |hours: u64| start + Duration::from_millis(hours * HOUR);
        // A step of an earlier process.
        assert_eq!(clock.longest_step(7, hours(0)), HOUR);
        assert_eq!(clock.longest_step(7, hours(5)), 5 * HOUR);
        clock.note(9, hours(5));
        assert_eq!(clock.longest_step(9, hours(105)), 100 * HOUR);
        // A step of another process, or before one that was rolled back.
        assert_eq!(clock.longest_step(7, hours(106)), HOUR);
        assert_eq!(clock.longest_step(7, hours(108)), 2 * HOUR);
    }
}
