//! PagerDuty's Events API v2.

use atoma_domain::alarms::{AlarmEvent, Severity};
use serde_json::{Value, json};

use super::message::Message;

/// A trigger, or what becomes of it. A test is triggered and resolved again.
pub(super) fn bodies(message: &Message<'_>) -> Vec<Value> {
    match message.notification.event {
        AlarmEvent::Fired | AlarmEvent::Reminder => vec![trigger(message)],
        AlarmEvent::Acknowledged => vec![follow_up(message, "acknowledge")],
        AlarmEvent::Resolved => vec![follow_up(message, "resolve")],
        AlarmEvent::Test => vec![trigger(message), follow_up(message, "resolve")],
    }
}

fn trigger(message: &Message<'_>) -> Value {
    let told = message.notification;
    let alarm = &told.alarm;
    let severity = match (told.event, alarm.severity()) {
        (AlarmEvent::Test, _) => "info",
        (_, Severity::Warning) => "warning",
        (_, Severity::Critical) => "critical",
    };
    json!({
        "routing_key": message.secret,
        "event_action": "trigger",
        "dedup_key": dedup_key(message),
        "client": "atoma-daemon",
        "payload": {
            "summary": alarm.summary,
            "source": message.source,
            "severity": severity,
            "component": alarm.key.subject,
            "class": alarm.key.kind,
            "custom_details": { "alarm": alarm.id, "deadline_ms": alarm.deadline, "since_ms": alarm.since },
        },
    })
}

fn follow_up(message: &Message<'_>, action: &str) -> Value {
    json!({
        "routing_key": message.secret,
        "event_action": action,
        "dedup_key": dedup_key(message),
    })
}

/// The same for all messages about one occurrence. At most 255 characters, as PagerDuty wants it.
fn dedup_key(message: &Message<'_>) -> String {
    let told = message.notification;
    let (alarm, source) = (&told.alarm, message.source);
    let about = match told.event {
        AlarmEvent::Test => String::from("test"),
        _ => format!("{}/{}/{}", alarm.key.kind, alarm.id, alarm.key.subject),
    };
    let key = format!("atoma/{source}/{about}");
    key.chars().take(255).collect()
}
