//! Recording served work.

mod inputs;
mod record;
mod stack;

use async_trait::async_trait;
use atoma_domain::model::{NewMessage, ReservationId, WorkRecord, WorkSummary};
use atoma_domain::ports::{ServedWork, StoreError, WorkError};
use atoma_domain::{Address, ComputeUnits, NodeSmallId, StackSmallId};

pub(crate) use self::inputs::settlement_inputs;
use self::record::{Record, add, out_of_range, work_records};
use self::stack::{known_stack, open_reservation, remove_reservation, unknown_stack};
use crate::columns::{number, row_number};
use crate::store::{SqliteState, commit, unavailable};

#[async_trait]
impl ServedWork for SqliteState {
    async fn record_message(&self, message: &NewMessage) -> Result<WorkSummary, WorkError> {
        let mut transaction = self.write().await?;
        let stack = known_stack(&mut transaction, message.stack_small_id).await?;
        let node = message.node_small_id.unwrap_or(stack.selected_node);
        let mut record = Record::load(&mut transaction, stack.id, node).await?;
        // Another node's record is its own check of the work: settlement doesn't close it.
        if node == stack.selected_node {
            stack.check_open(&record)?;
        }
        if let Some(reservation) = message.reservation {
            let held = open_reservation(&mut transaction, reservation).await?;
            if held.stack != stack.id || node != stack.selected_node {
                return Err(WorkError::UnknownReservation(reservation));
            }
            remove_reservation(&mut transaction, reservation).await?;
            record.give_back(held.units)?;
        }
        record.check_fits(&stack, message.num_compute_units)?;
        record.computed = add(record.computed, message.num_compute_units)?;
        let summary = record.append(message.message_hash)?;
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
        let stack = known_stack(&mut transaction, stack).await?;
        if stack.owner != owner {
            return Err(unknown_stack(stack.id));
        }
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        stack.check_open(&record)?;
        record.check_fits(&stack, units)?;
        record.reserved = add(record.reserved, units)?;
        record.save(&mut transaction).await?;
        let id = sqlx::query(
            "INSERT INTO reservations (stack_small_id, num_compute_units) VALUES (?, ?)",
        )
        .bind(number(stack.id.get()))
        .bind(number(units.get()))
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?
        .last_insert_rowid();
        let id = u64::try_from(id).map_err(|_| out_of_range("a reservation's number"))?;
        commit(transaction).await?;
        Ok(ReservationId::new(id))
    }

    async fn correct_reservation(
        &self,
        reservation: ReservationId,
        units: ComputeUnits,
    ) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let held = open_reservation(&mut transaction, reservation).await?;
        let stack = known_stack(&mut transaction, held.stack).await?;
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.give_back(held.units)?;
        record.check_fits(&stack, units)?;
        record.reserved = add(record.reserved, units)?;
        record.save(&mut transaction).await?;
        sqlx::query("UPDATE reservations SET num_compute_units = ? WHERE id = ?")
            .bind(number(units.get()))
            .bind(row_number(reservation.get()))
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        Ok(commit(transaction).await?)
    }

    async fn release_reservation(&self, reservation: ReservationId) -> Result<(), WorkError> {
        let mut transaction = self.write().await?;
        let held = open_reservation(&mut transaction, reservation).await?;
        let stack = known_stack(&mut transaction, held.stack).await?;
        let mut record = Record::load(&mut transaction, stack.id, stack.selected_node).await?;
        record.give_back(held.units)?;
        record.save(&mut transaction).await?;
        remove_reservation(&mut transaction, reservation).await?;
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
             WHERE w.stack_small_id = ? AND w.node_small_id = ? AND w.merkle_root IS NOT NULL"
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
