//! Telling all receivers at once, without the database.

use std::sync::Arc;

use atoma_domain::alarms::{Alarm, AlarmEvent, AlarmKey, AlarmState, Condition, Notification};
use atoma_domain::ports::{Notifier, NotifyError};
use atoma_domain::{AlarmId, TimestampMs};

/// Whether a receiver took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The receiver's name in the configuration.
    pub receiver: String,
    /// Why it has not confirmed the message, if so.
    pub problem: Option<NotifyError>,
}

/// Sends a message to all receivers that want it, side by side, once.
pub(super) async fn all(notifiers: &[Arc<dyn Notifier>], notification: &Notification) -> Vec<Told> {
    let severity = notification.alarm.severity();
    let wanting = notifiers
        .iter()
        .filter(|notifier| notifier.receiver().min_severity <= severity);
    let sent: Vec<_> = wanting
        .map(|notifier| {
            let receiver = notifier.receiver().name.clone();
            let (notifier, notification) = (Arc::clone(notifier), notification.clone());
            let sent = tokio::spawn(async move { notifier.notify(&notification, None).await });
            (receiver, sent)
        })
        .collect();
    let mut told = Vec::new();
    for (receiver, sent) in sent {
        let ended = sent.await.unwrap_or_else(|ended| {
            Err(NotifyError::NotReached {
                reason: format!("the task that sends ended early: {ended}"),
            })
        });
        told.push(Told {
            receiver,
            problem: ended.err(),
        });
    }
    told
}

/// A message about an alarm that is not in the database.
pub(super) fn unstored(condition: Condition, event: AlarmEvent, now: TimestampMs) -> Notification {
    let Condition {
        key: AlarmKey { kind, subject },
        summary,
        deadline,
    } = condition;
    let is_over = event == AlarmEvent::Resolved;
    Notification {
        event,
        alarm: Alarm {
            // No stored alarm has this number.
            id: AlarmId::new(0),
            key: AlarmKey { kind, subject },
            state: match is_over {
                true => AlarmState::Resolved,
                false => AlarmState::Firing,
            },
            summary,
            deadline,
            since: now,
            acknowledged_at: None,
            absent_since: None,
            resolved_at: is_over.then_some(now),
            told_at: Some(now),
        },
        at: now,
    }
}
