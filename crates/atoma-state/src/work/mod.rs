//! Recording served work.
//!
//! - `stack.rs`, `record.rs`: the stack that is served, and a node's record of it.
//! - `message.rs`: recording a message. `recorded.rs`: messages that a client can repeat.
//! - `reserve.rs`: choosing a stack and reserving units. `change.rs`: renewing and correcting.
//!   `release.rs`: ending reservations, also those whose lease has expired. `reservations.rs`: their rows.
//! - `inputs.rs`: what a settlement is made from.

mod change;
mod inputs;
mod message;
mod record;
mod recorded;
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

pub(crate) use self::inputs::settlement_inputs;
use self::record::work_records;
pub(crate) use self::record::{StoredRecord, find_damaged};
pub(crate) use self::release::{LATEST_EXPIRY, end_expired};
pub(crate) use self::stack::ServedStack;
use crate::columns::number;
use crate::error::statement_failed;
use crate::store::SqliteState;

#[async_trait]
impl ServedWork for SqliteState {
    async fn record_message(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        let mut transaction = self.write().await?;
        let recorded = message::record(&mut transaction, &self.key_clock, message).await;
        transaction.end(recorded).await
    }

    async fn would_record(&self, message: &NewMessage) -> Result<RecordedMessage, RecordError> {
        let mut transaction = self.write().await?;
        let recorded = message::record(&mut transaction, &self.key_clock.scratch(), message).await;
        transaction.undo(recorded).await
    }

    async fn reserve_units(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        let mut transaction = self.write().await?;
        let reservation = reserve::reserve(&mut transaction, wanted, now).await;
        transaction.end(reservation).await
    }

    async fn would_reserve(
        &self,
        wanted: &NewReservation,
        now: TimestampMs,
    ) -> Result<Reservation, ReserveError> {
        let mut transaction = self.write().await?;
        let reservation = reserve::reserve(&mut transaction, wanted, now).await;
        transaction.undo(reservation).await
    }

    async fn change_reservation(
        &self,
        id: ReservationId,
        change: ReservationChange,
        now: TimestampMs,
    ) -> Result<Reservation, ReservationError> {
        let mut transaction = self.write().await?;
        let changed = change::change(&mut transaction, id, change, now).await;
        transaction.end(changed).await
    }

    async fn release_reservation(
        &self,
        id: ReservationId,
        now: TimestampMs,
    ) -> Result<(), ReservationError> {
        let mut transaction = self.write().await?;
        let released = release::release(&mut transaction, id, now).await;
        transaction.end(released).await
    }

    async fn release_held_by(&self, holder: &Holder, now: TimestampMs) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let released = release::release_held_by(&mut transaction, holder, now).await;
        transaction.end(released).await
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
