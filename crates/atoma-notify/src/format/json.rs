//! The daemon's own format. docs/alarms.md describes it.

use serde_json::{Value, json};

use super::message::Message;

pub(super) fn body(message: &Message<'_>) -> Value {
    let told = message.notification;
    let alarm = &told.alarm;
    json!({
        "delivery": message.delivery,
        "event": told.event,
        "source": message.source,
        "at_ms": told.at,
        "alarm": {
            "id": alarm.id,
            "kind": alarm.key.kind,
            "severity": alarm.severity(),
            "state": alarm.state,
            "subject": alarm.key.subject,
            "summary": alarm.summary,
            "since_ms": alarm.since,
            "deadline_ms": alarm.deadline,
        },
    })
}
