//! Messages for people in a chat.

use atoma_domain::alarms::AlarmEvent;
use serde_json::{Value, json};

use super::message::Message;

/// The most characters of a message in Discord.
const DISCORD_LONGEST: usize = 2_000;

/// Slack reads `<…>` as links and mentions, which is all that must be escaped.
pub(super) fn slack(message: &Message<'_>) -> Value {
    let text = text(message)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    json!({ "text": text })
}

/// Nobody is mentioned, whatever the text has.
pub(super) fn discord(message: &Message<'_>) -> Value {
    let text: String = text(message).chars().take(DISCORD_LONGEST).collect();
    json!({ "content": text, "allowed_mentions": { "parse": [] } })
}

fn text(message: &Message<'_>) -> String {
    let told = message.notification;
    let alarm = &told.alarm;
    let (severity, kind) = (alarm.severity(), alarm.key.kind);
    let head = match told.event {
        AlarmEvent::Fired => format!("[{severity}] {kind}"),
        AlarmEvent::Reminder => format!("[{severity}, goes on] {kind}"),
        AlarmEvent::Acknowledged => format!("[acknowledged] {kind}"),
        AlarmEvent::Resolved => format!("[resolved] {kind}"),
        AlarmEvent::Test => String::from("[test]"),
    };
    let is_firing = matches!(told.event, AlarmEvent::Fired | AlarmEvent::Reminder);
    let left = match alarm.deadline {
        Some(deadline) if is_firing => {
            let left = deadline.get().saturating_sub(message.now.get());
            format!(" Time left: {}.", hours(left))
        }
        _ => String::new(),
    };
    let advice = match alarm.id.get() {
        0 => String::new(),
        _ if !is_firing => String::new(),
        id => format!(" Acknowledge: atoma-daemon alarms acknowledge {id}"),
    };
    format!(
        "{head}: {}.{left}{advice}\nOperator {}",
        alarm.summary, message.source
    )
}

/// Milliseconds in hours and minutes.
fn hours(ms: u64) -> String {
    let minutes = ms / 60_000;
    format!("{} h {} min", minutes / 60, minutes % 60)
}
