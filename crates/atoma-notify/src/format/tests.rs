use atoma_domain::alarms::{
    Alarm, AlarmEvent, AlarmKey, AlarmKind, AlarmState, Notification, Subject,
};
use atoma_domain::{AlarmId, DeliveryId, StackSmallId, TimestampMs};
use serde_json::json;

use super::*;

fn notification(event: AlarmEvent) -> Notification {
    Notification {
        event,
        alarm: Alarm {
            id: AlarmId::new(5),
            key: AlarmKey {
                kind: AlarmKind::AttestationDue,
                subject: Subject::Stack(StackSmallId::new(13)),
            },
            state: AlarmState::Firing,
            summary: String::from("node 3 must attest <@everyone> & soon"),
            deadline: Some(TimestampMs::new(12_060_000)),
            since: TimestampMs::new(1_000),
            acknowledged_at: None,
            absent_since: None,
            resolved_at: None,
            told_at: Some(TimestampMs::new(1_000)),
        },
        at: TimestampMs::new(1_000),
    }
}

fn sent(format: WebhookFormat, event: AlarmEvent) -> Vec<Value> {
    let message = Message {
        notification: &notification(event),
        delivery: Some(DeliveryId::new(7)),
        source: "0xa0",
        secret: Some("a routing key of some length"),
        now: TimestampMs::new(60_000),
    };
    bodies(&message, format)
}

fn body(format: WebhookFormat, event: AlarmEvent) -> Value {
    let mut sent = sent(format, event);
    assert_eq!(sent.len(), 1);
    sent.remove(0)
}

#[test]
fn the_daemons_own_format_has_everything() {
    let expected = json!({
        "delivery": 7,
        "event": "fired",
        "source": "0xa0",
        "at_ms": 1_000,
        "alarm": {
            "id": 5,
            "kind": "attestation_due",
            "severity": "critical",
            "state": "firing",
            "subject": "stack 13",
            "summary": "node 3 must attest <@everyone> & soon",
            "since_ms": 1_000,
            "deadline_ms": 12_060_000,
        },
    });
    assert_eq!(body(WebhookFormat::Json, AlarmEvent::Fired), expected);
}

#[test]
fn chats_get_a_sentence_that_mentions_nobody() {
    let slack = body(WebhookFormat::Slack, AlarmEvent::Fired);
    assert_eq!(
        slack["text"],
        "[critical] attestation_due: node 3 must attest &lt;@everyone&gt; &amp; soon. Time left: 3 h 20 min. \
         Acknowledge: atoma-daemon alarms acknowledge 5\nOperator 0xa0"
    );
    let discord = body(WebhookFormat::Discord, AlarmEvent::Resolved);
    assert_eq!(
        discord["content"],
        "[resolved] attestation_due: node 3 must attest <@everyone> & soon.\nOperator 0xa0"
    );
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    let test = body(WebhookFormat::Slack, AlarmEvent::Test);
    assert!(test["text"].as_str().unwrap().starts_with("[test]: "));
}

#[test]
fn a_long_message_fits_into_discord() {
    let mut long = notification(AlarmEvent::Fired);
    long.alarm.summary = "ä".repeat(5_000);
    let message = Message {
        notification: &long,
        delivery: None,
        source: "0xa0",
        secret: None,
        now: TimestampMs::new(0),
    };
    let sent = bodies(&message, WebhookFormat::Discord);
    let text = sent[0]["content"].as_str().unwrap();
    assert_eq!(text.chars().count(), 2_000);
}

#[test]
fn pagerduty_gets_the_life_of_one_incident() {
    let trigger = body(WebhookFormat::PagerDuty, AlarmEvent::Fired);
    let key = "atoma/0xa0/attestation_due/5/stack 13";
    assert_eq!(trigger["event_action"], "trigger");
    assert_eq!(trigger["dedup_key"], key);
    assert_eq!(trigger["routing_key"], "a routing key of some length");
    assert_eq!(trigger["payload"]["severity"], "critical");
    assert_eq!(trigger["payload"]["class"], "attestation_due");
    for (event, action) in [
        (AlarmEvent::Reminder, "trigger"),
        (AlarmEvent::Acknowledged, "acknowledge"),
        (AlarmEvent::Resolved, "resolve"),
    ] {
        let body = body(WebhookFormat::PagerDuty, event);
        assert_eq!(body["event_action"], action);
        assert_eq!(body["dedup_key"], key);
    }
    let test = sent(WebhookFormat::PagerDuty, AlarmEvent::Test);
    assert_eq!(test.len(), 2);
    assert_eq!(test[0]["payload"]["severity"], "info");
    assert_eq!(test[1]["event_action"], "resolve");
    assert_eq!(test[0]["dedup_key"], test[1]["dedup_key"]);
    assert_ne!(test[0]["dedup_key"], key);
}
