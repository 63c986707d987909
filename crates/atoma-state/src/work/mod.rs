//! Recording served work.

mod inputs;
mod record;
mod reservations;
mod stack;

use async_trait::async_trait;
use atoma_domain::model::{NewMessage, ReservationId, WorkRecord, WorkSummary};
use atoma_domain::ports::{ServedWork, StoreError, WorkError};
use atoma_domain::{Address, ComputeUnits, NodeSmallId, StackSmallId};

pub(crate) use self::inputs::settlement_inputs;
use self::record::{StoredRecord, work_records};
use self::stack::{ServedStack, unknown_stack};
use crate::columns::number;
use crate::error::unavailable;
use crate::store::{SqliteState, commit};

#[async_trait]
impl ServedWork for SqliteState {
    async fn record_message(&self, message: &NewMessage) -> Result<WorkSummary, WorkError> {
        let mut transaction = self.write().await?;
        let stack = ServedStack::load(&mut transaction, message.stack_small_id).await?;
        let node = message.node_small_id.unwrap_or(stack.selected_node);
        let mut record = StoredRecord::load(&mut transaction, stack.id, node).await?;
        // Another node's record is its own check of the work: settlement doesn't close it.
        if node == stack.selected_node {
            stack.check_open(&record)?;
        }
        if let Some(id) = message.reservation {
            let reservation = reservations::load(&mut transaction, id).await?;
            if reservation.stack != stack.id || node != stack.selected_node {
                return Err(WorkError::UnknownReservation(id));
            }
            reservations::delete(&mut transaction, id).await?;
            record.release(reservation.units)?;
        }
        stack.check_fits(&record, message.num_compute_units)?;
        let summary = record.append(message.message_hash, message.num_compute_units)?;
        record.save(&mut transaction).await?;
        commit(transaction).await?;
        Ok(summary)
    }

    async fn reserve_units(
        &self,
        stack: StackSmallId,
        owner: Address,
        units: ComputeUnits,
    ) -> Result<ReservationId, WorkError> {
        let mut transaction = self.write().await?;
        let stack = ServedStack::load(&mut transaction, stack).await?;
        if stack.owner != owner {
            return Err(unknown_stack(stack.id));
        }
        let mut record =
            StoredRecord::load(&mut transaction, stack.id, stack.selected_node).await?;
        stack.check_open(&record)?;
        stack.check_fits(&record, units)?;
        record.reserve(units)?;
        record.save(&mut transaction).await?;
        let id = reservations::insert(&mut transaction, stack.id, units).await?;
        commit(transaction).await?;
        Ok(id)
    }

    async fn correct_reservation(
        &self,
        reservation: ReservationId,
        units: ComputeUnits,
    ) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let before = reservations::load(&mut transaction, reservation).await?;
        let stack = ServedStack::load(&mut transaction, before.stack).await?;
        let mut record =
            StoredRecord::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.release(before.units)?;
        stack.check_fits(&record, units)?;
        record.reserve(units)?;
        record.save(&mut transaction).await?;
        reservations::update(&mut transaction, reservation, units).await?;
        Ok(commit(transaction).await?)
    }

    async fn release_reservation(&self, reservation: ReservationId) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let before = reservations::load(&mut transaction, reservation).await?;
        let stack = ServedStack::load(&mut transaction, before.stack).await?;
        let mut record =
            StoredRecord::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.release(before.units)?;
        record.save(&mut transaction).await?;
        reservations::delete(&mut transaction, reservation).await?;
        Ok(commit(transaction).await?)
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
        .map_err(unavailable)?;
        row.map(|row| record::work_record(&row, stack, node))
            .transpose()
    }
}
