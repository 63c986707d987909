//! Alarms.

use atoma_api_types::{AlarmTestView, AlarmView, ToldReceiverView};
use atoma_domain::alarms::{Alarm, Subject};
use atoma_operator::Told;

use super::time::rfc3339;

/// An alarm.
pub(crate) fn alarm_view(alarm: Alarm) -> AlarmView {
    let (node_small_id, stack_small_id) = match alarm.key.subject {
        Subject::Node(node) => (Some(node), None),
        Subject::Stack(stack) => (None, Some(stack)),
        Subject::Daemon | Subject::Named(_) => (None, None),
    };
    AlarmView {
        alarm_id: alarm.id,
        kind: alarm.key.kind.code().to_owned(),
        severity: alarm.severity(),
        state: alarm.state,
        subject: alarm.key.subject.to_string(),
        node_small_id,
        stack_small_id,
        summary: alarm.summary,
        deadline: alarm.deadline.and_then(rfc3339),
        since: rfc3339(alarm.since),
        acknowledged_at: alarm.acknowledged_at.and_then(rfc3339),
        resolved_at: alarm.resolved_at.and_then(rfc3339),
        told_at: alarm.told_at.and_then(rfc3339),
    }
}

/// How the receivers took a test message.
pub(crate) fn alarm_test_view(told: Vec<Told>) -> AlarmTestView {
    let receivers = told.into_iter().map(|told| ToldReceiverView {
        receiver: told.receiver,
        is_delivered: told.problem.is_none(),
        problem: told.problem.map(|problem| problem.to_string()),
    });
    AlarmTestView {
        receivers: receivers.collect(),
    }
}
