//! Storing alarms, and the messages about them that wait.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::alarms::{
    Alarm, AlarmChange, AlarmPolicy, AlarmState, Delivery, DeliveryEnd, Observation, Receiver,
};
use crate::{AlarmId, DeliveryId, TimestampMs};

/// The alarms, and the messages about them. A change and the messages that it leads to are one database transaction, so no
/// message is lost. Each waits for its receiver until [`end_delivery`](Self::end_delivery), across crashes.
#[async_trait]
pub trait AlarmStore: Debug + Send + Sync {
    /// Brings the alarms up to date with an observation, by [`next`](crate::alarms::next). Returns what has changed.
    /// Messages to receivers that are not named are forgotten.
    async fn observe(
        &self,
        observation: &Observation,
        policy: &AlarmPolicy,
        receivers: &[Receiver],
        now: TimestampMs,
    ) -> Result<Vec<AlarmChange>, StoreError>;

    /// Acknowledges an alarm, and returns it as it is now. Repeating it does nothing, and neither does acknowledging one that is
    /// resolved. `None` if there is no such alarm.
    async fn acknowledge(
        &self,
        id: AlarmId,
        receivers: &[Receiver],
        now: TimestampMs,
    ) -> Result<Option<Alarm>, StoreError>;

    /// The alarms, or those in one state, newest first. Of those that are resolved, the latest 1,000 are kept.
    async fn alarms(
        &self,
        state: Option<AlarmState>,
        page: Page<AlarmId>,
    ) -> Result<Vec<Alarm>, StoreError>;

    /// The messages to a receiver that may be sent now, the oldest first. A message that has to wait holds up those behind
    /// it: they would meet the same obstacle, and messages keep their order.
    async fn due_deliveries(
        &self,
        receiver: &str,
        now: TimestampMs,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Notes how a try to deliver a message ended.
    async fn end_delivery(&self, id: DeliveryId, end: DeliveryEnd) -> Result<(), StoreError>;

    /// How many messages wait for a receiver.
    async fn waiting_deliveries(&self, receiver: &str) -> Result<u64, StoreError>;
}
