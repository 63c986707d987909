//! Recording served work.
//!
//! Calls that come while another one is written share the next transaction: `queue.rs` collects them, and
//! `group.rs` runs them. `operation.rs` is what they have in common.
//!
//! - `needs.rs`: what a group reads, in one round trip. `loaded.rs`: what it has read, and changes in memory, with
//!   `records.rs`, `open_reservations.rs` and `recorded.rs` (messages that a client can repeat).
//! - `message.rs`: recording a message. `reserve.rs`: choosing a stack and reserving units. `change.rs`:
//!   renewing and correcting. `release.rs`: ending reservations, also those whose lease has expired.
//! - `stack.rs`, `record.rs`, `reservations.rs`: the stack that is served, a node's record of it, and the
//!   rows of reservations.
//! - `inputs.rs`: what a settlement is made from.

mod change;
mod group;
mod inputs;
mod loaded;
mod message;
mod needs;
mod open_reservations;
mod operation;
mod queue;
mod record;
mod recorded;
mod records;
mod release;
mod reservations;
mod reserve;
mod stack;

use async_trait::async_trait;
use atoma_domain::model::{
    Holder, NewMessage, NewReservation, RecordedMessage, Reservation, ReservationChange, WorkRecord,
};
use atoma_domain::ports::{
    Page, RecordError, ReservationError, ReservationFilter, ReserveError, ServedWork, StoreError,
};
use atoma_domain::{NodeSmallId, ReservationId, StackSmallId, TimestampMs};

use self::change::Change;
pub(crate) use self::inputs::settlement_inputs;
use self::message::Record;
pub(crate) use self::open_reservations::LATEST_EXPIRY;
pub(crate) use self::queue::Queue;
use self::record::work_records;
pub(crate) use self::record::{StoredRecord, find_damaged};
pub(crate) use self::release::end_expired;
use self::release::{Release, ReleaseHeldBy};
use self::reserve::Reserve;
pub(crate) use self::stack::ServedStack;
use crate::columns::number;
use crate::error::statement_failed;
use crate::store::SqliteState;

#[async_trait]
impl ServedWork for SqliteState {
    async fn record_message(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        group::run(self, Record(message.clone())).await
    }

    async fn would_record(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        group::rehearse(self, Record(message.clone())).await
    }

    async fn reserve_units(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        let wanted = wanted.clone();
        group::run(self, Reserve { wanted, now }).await
    }

    async fn would_reserve(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        let wanted = wanted.clone();
        group::rehearse(self, Reserve { wanted, now }).await
    }

    async fn change_reservation(
        &self,
        id: ReservationId,
        change: ReservationChange,
        now: TimestampMs,
    ) -> Result<Reservation, ReservationError> {
        group::run(self, Change { id, change, now }).await
    }

    async fn release_reservation(
        &self,
        id: ReservationId,
        now: TimestampMs,
    ) -> Result<(), ReservationError> {
        group::run(self, Release { id, now }).await
    }

    async fn release_held_by(&self, holder: &Holder, now: TimestampMs) -> Result<u64, StoreError> {
        let holder = holder.clone();
        group::run(self, ReleaseHeldBy { holder, now }).await
    }

    async fn reservations(
        &self,
        filter: &ReservationFilter,
        page: Page<ReservationId>,
        now: TimestampMs,
    ) -> Result<Vec<Reservation>, StoreError> {
        reservations::list(&self.lists, filter, page, now).await
    }

    async fn work_record(
        &self,
        stack: StackSmallId,
        node: NodeSmallId,
    ) -> Result<Option<WorkRecord>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            work_records!(),
            " FROM work_records w \
             WHERE w.stack_small_id = $1 AND w.node_small_id = $2 AND w.merkle_root IS NOT NULL"
        ))
        .bind(number(stack.get()))
        .bind(number(node.get()))
        .fetch_optional(&self.readers)
        .await
        .map_err(statement_failed)?;
        row.map(|row| record::work_record(&row, stack, node))
            .transpose()
    }
}
