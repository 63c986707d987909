//! The time that idempotency keys age by.
//!
//! The system's clock alone must not decide that a key is seven days old. A clock that jumps ahead would
//! have all keys deleted, and when it is right again a repeated message would be recorded twice. So there is
//! a second measure: the sum of the steps from one stored key to the next, of which each counts for at most
//! an hour. A jump adds an hour, and a step back adds nothing. A key is deleted when it is too old by both.

use atoma_domain::TimestampMs;
use atoma_domain::journal::REQUEST_KEY_LIFETIME_MS;
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;

use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// What a step counts for at most. Larger ones make a jump of the clock cost more; with smaller ones a
/// service that stores few keys keeps more of them.
const LONGEST_STEP_MS: u64 = 60 * 60 * 1000;

/// The moment at which a key is stored.
pub(crate) struct KeyTime {
    now: TimestampMs,
    elapsed: u64,
}

impl KeyTime {
    /// Takes the step to `now`. Call it once for each write that stores a key.
    pub(crate) async fn step(
        connection: &mut SqliteConnection,
        now: TimestampMs,
    ) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT * FROM key_clock WHERE id = 1")
            .fetch_optional(&mut *connection)
            .await
            .map_err(statement_failed)?;
        let (last, elapsed) = match &row {
            Some(row) => {
                let cells = Cells::new(row, "key_clock", "id");
                // A damaged clock begins anew: keys are kept for longer, and no message is refused.
                let last = cells.number("stepped_at").unwrap_or(now.get());
                (last, cells.number("elapsed").unwrap_or(0))
            }
            None => (now.get(), 0),
        };
        let step = now.get().saturating_sub(last).min(LONGEST_STEP_MS);
        let elapsed = elapsed.saturating_add(step);
        sqlx::query(
            "INSERT INTO key_clock (id, stepped_at, elapsed) VALUES (1, $1, $2) \
             ON CONFLICT (id) DO UPDATE \
             SET stepped_at = excluded.stepped_at, elapsed = excluded.elapsed",
        )
        .bind(number(now.get()))
        .bind(number(elapsed))
        .execute(connection)
        .await
        .map_err(statement_failed)?;
        Ok(Self { now, elapsed })
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
