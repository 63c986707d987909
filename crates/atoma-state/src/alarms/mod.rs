//! Alarms, and the messages about them that wait for their receivers.
//!
//! `rows.rs` reads and writes alarms, `outbox.rs` the messages. What changes with an observation is decided by the domain, in the
//! same database transaction.

mod outbox;
mod rows;

use async_trait::async_trait;
use atoma_domain::alarms::{
    Alarm, AlarmChange, AlarmPolicy, AlarmState, Delivery, DeliveryEnd, Observation, Receiver,
    acknowledged, next,
};
use atoma_domain::ports::{AlarmStore, Page, StoreError};
use atoma_domain::{AlarmId, DeliveryId, TimestampMs};
use sqlx::SqliteConnection;

use crate::error::statement_failed;
use crate::store::SqliteState;

/// How many resolved alarms are kept.
const MOST_RESOLVED: u32 = 1_000;

#[async_trait]
impl AlarmStore for SqliteState {
    async fn observe(
        &self,
        observation: &Observation,
        policy: &AlarmPolicy,
        receivers: &[Receiver],
        now: TimestampMs,
    ) -> Result<Vec<AlarmChange>, StoreError> {
        let mut transaction = self.write().await?;
        let known = rows::watched(&mut transaction, policy.spacing, now).await?;
        let first_id = rows::next_id(&mut transaction).await?;
        let changes = next(&known, observation, policy, first_id, now);
        if changes.is_empty() {
            transaction.rollback().await?;
            return Ok(changes);
        }
        write(&mut transaction, &changes, receivers, now).await?;
        transaction.commit().await?;
        Ok(changes)
    }

    async fn acknowledge(
        &self,
        id: AlarmId,
        receivers: &[Receiver],
        now: TimestampMs,
    ) -> Result<Option<Alarm>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(alarm) = rows::find(&mut transaction, id).await? else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let Some(change) = acknowledged(&alarm, now) else {
            transaction.rollback().await?;
            return Ok(Some(alarm));
        };
        let changes = [change];
        write(&mut transaction, &changes, receivers, now).await?;
        transaction.commit().await?;
        let [change] = changes;
        Ok(Some(change.alarm))
    }

    async fn alarms(
        &self,
        state: Option<AlarmState>,
        page: Page<AlarmId>,
    ) -> Result<Vec<Alarm>, StoreError> {
        let mut connection = self.lists.acquire().await.map_err(statement_failed)?;
        rows::list(&mut connection, state, page).await
    }

    async fn due_deliveries(
        &self,
        receiver: &str,
        now: TimestampMs,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(statement_failed)?;
        outbox::due(&mut connection, receiver, now, limit).await
    }

    async fn end_delivery(&self, id: DeliveryId, end: DeliveryEnd) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        outbox::end(&mut transaction, id, end).await?;
        transaction.commit().await
    }

    async fn waiting_deliveries(&self, receiver: &str) -> Result<u64, StoreError> {
        let mut connection = self.lists.acquire().await.map_err(statement_failed)?;
        outbox::waiting(&mut connection, receiver).await
    }
}

/// Writes changed alarms, and the messages that are due about them.
async fn write(
    connection: &mut SqliteConnection,
    changes: &[AlarmChange],
    receivers: &[Receiver],
    now: TimestampMs,
) -> Result<(), StoreError> {
    for AlarmChange { alarm, message } in changes {
        rows::put(connection, alarm).await?;
        if let Some(event) = message {
            outbox::add(connection, alarm, *event, receivers, now).await?;
        }
    }
    rows::forget_old(connection, MOST_RESOLVED).await?;
    outbox::bound(connection, receivers).await
}
