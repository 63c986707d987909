//! The messages that wait for one receiver.

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::alarms::{Delivery, DeliveryEnd, GIVE_UP_AFTER, MOST_REFUSALS, retry_pause};
use atoma_domain::ports::{AlarmStore, Clock, Notifier, NotifyError, StoreError};
use atoma_domain::{TimestampMs, with_causes};
use tokio::sync::Notify;
use tracing::{debug, error, warn};

use super::figures::{Counts, count};

/// How many messages are read at once.
const AT_ONCE: u32 = 20;
/// The pause between two looks for messages whose pause is over.
const LOOK: Duration = Duration::from_secs(5);

/// Sends the messages to one receiver, in order.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) store: Arc<dyn AlarmStore>,
    pub(super) clock: Arc<dyn Clock>,
    /// Spreads the pauses: a number from 0 to 1.
    pub(super) jitter: fn() -> f64,
    pub(super) counts: Counts,
    /// Told when a message may have been added.
    pub(super) added: Notify,
}

impl Outbox {
    /// Sends what is due, up to the first message that the receiver doesn't take. Whether there may be more.
    ///
    /// # Errors
    /// When the database fails. What was sent since is sent again, under the same number.
    pub(super) async fn step(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let receiver = &self.notifier.receiver().name;
        let due = self.store.due_deliveries(receiver, now, AT_ONCE).await?;
        let may_be_more = !due.is_empty();
        for delivery in due {
            let sent = self
                .notifier
                .notify(&delivery.notification, Some(delivery.id))
                .await;
            let end = self.end(&delivery, sent, self.clock.now());
            self.store.end_delivery(delivery.id, end).await?;
            if let DeliveryEnd::Again(_) = end {
                return Ok(false);
            }
        }
        Ok(may_be_more)
    }

    /// What becomes of a message that was sent.
    fn end(
        &self,
        delivery: &Delivery,
        sent: Result<(), NotifyError>,
        now: TimestampMs,
    ) -> DeliveryEnd {
        let receiver = &self.notifier.receiver().name;
        let problem = match sent {
            Ok(()) => {
                count(&self.counts.delivered);
                debug!(receiver, delivery = %delivery.id, "told of an alarm");
                return DeliveryEnd::Done;
            }
            Err(problem) => problem,
        };
        let attempts = delivery.attempts.saturating_add(1);
        let age = now.get().saturating_sub(delivery.notification.at.get());
        let is_old = Duration::from_millis(age) >= GIVE_UP_AFTER;
        let is_refused = matches!(problem, NotifyError::Refused { .. });
        if is_old || is_refused && attempts >= MOST_REFUSALS {
            count(&self.counts.given_up);
            error!(
                receiver,
                delivery = %delivery.id,
                alarm = %delivery.notification.alarm.id,
                kind = %delivery.notification.alarm.key.kind,
                attempts,
                "gave up a message about an alarm: {problem}"
            );
            return DeliveryEnd::Done;
        }
        count(&self.counts.failed);
        let wanted = match &problem {
            NotifyError::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        };
        let pause = retry_pause(attempts, (self.jitter)(), wanted);
        warn!(
            receiver,
            delivery = %delivery.id,
            attempts,
            pause_s = pause.as_secs(),
            "can't tell of an alarm; retrying: {problem}"
        );
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        DeliveryEnd::Again(TimestampMs::new(now.get().saturating_add(pause)))
    }

    /// Sends messages as they come.
    pub(super) async fn run(&self) {
        loop {
            match self.step().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => warn!(
                    error = with_causes(&error),
                    "can't read or write messages about alarms; retrying"
                ),
            }
            tokio::select! {
                () = self.added.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
