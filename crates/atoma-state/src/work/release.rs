//! Ending reservations.

use std::sync::Arc;

use atoma_domain::model::Holder;
use atoma_domain::ports::{ReservationError, StoreError};
use atoma_domain::{ReservationId, TimestampMs};
use sqlx::SqliteConnection;

use super::loaded::Loaded;
use super::needs::Needs;
use super::operation::Operation;
use crate::columns::row_number;
use crate::key_clock::KeyClock;

/// Ends the reservations whose lease has expired in a transaction that writes.
pub(crate) async fn end_expired(
    connection: &mut SqliteConnection,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let mut needs = Needs::default();
    needs.at(now);
    let (batch, reads) = needs.reads();
    let results = batch.query(connection).await?;
    // No key is read.
    let mut loaded = reads.take(results, Arc::<KeyClock>::default())?;
    loaded.end_expired(now);
    let writes = loaded.writes();
    match writes.is_empty() {
        true => Ok(()),
        false => writes.run(connection).await,
    }
}

/// Ends a reservation.
pub(super) struct Release {
    pub(super) id: ReservationId,
    pub(super) now: TimestampMs,
}

impl Operation for Release {
    type Answer = ();
    type Error = ReservationError;

    fn now(&self) -> TimestampMs {
        self.now
    }

    fn needs(&self, needs: &mut Needs) {
        needs.reservation(self.id);
    }

    fn run(&self, loaded: &mut Loaded) -> Result<(), ReservationError> {
        loaded.end_expired(self.now);
        let is_released = row_number(self.id.get()).is_some_and(|id| loaded.release(id));
        is_released
            .then_some(())
            .ok_or(ReservationError::NotFound(self.id))
    }
}

/// Ends the reservations of a holder; the answer is how many were open.
pub(super) struct ReleaseHeldBy {
    pub(super) holder: Holder,
    pub(super) now: TimestampMs,
}

impl Operation for ReleaseHeldBy {
    type Answer = u64;
    type Error = StoreError;

    fn now(&self) -> TimestampMs {
        self.now
    }

    fn needs(&self, needs: &mut Needs) {
        needs.held_by(&self.holder);
    }

    fn run(&self, loaded: &mut Loaded) -> Result<u64, StoreError> {
        loaded.end_expired(self.now);
        let held = loaded.reservations.held_by(&self.holder);
        for id in &held {
            loaded.release(*id);
        }
        Ok(u64::try_from(held.len()).unwrap_or(u64::MAX))
    }
}
