//! How alarms go on.

use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(doc)]
use super::AlarmKind;
use super::alarm::{Alarm, AlarmEvent, AlarmState};
use super::condition::{AlarmKey, Condition, Observation};
use crate::{AlarmId, TimestampMs};

/// When messages are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmPolicy {
    /// After how long an alarm that goes on is told again. One with a deadline is told again when half of the time to it has
    /// passed, if that is sooner.
    pub repeat: Duration,
    /// The shortest time between two messages that say that the same condition holds, whichever alarm it was.
    pub spacing: Duration,
    /// How long a condition must be gone before its alarm is resolved.
    pub quiet: Duration,
}

impl Default for AlarmPolicy {
    fn default() -> Self {
        Self {
            repeat: Duration::from_secs(4 * 3_600),
            spacing: Duration::from_secs(900),
            quiet: Duration::from_secs(300),
        }
    }
}

/// An alarm that is new or has changed, and the message about it that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmChange {
    /// The alarm as it is now.
    pub alarm: Alarm,
    /// What to tell, if anything.
    pub message: Option<AlarmEvent>,
}

/// The alarms that begin, change or end with an observation. `known` are all open alarms, and those that were
/// [told](Alarm::told_at) of within the policy's spacing. New alarms are numbered from `first_id` on.
///
/// - A condition becomes an alarm once it has lasted for its kind's patience.
/// - An alarm whose condition is gone is resolved once that has lasted for the policy's quiet time; one whose kind could not be judged
///   stays as it is.
/// - At most one message in the policy's spacing says that a condition holds, unless it is
///   [told anew](AlarmKind::is_told_anew). What was never told to fire is not told
///   to be resolved.
/// - A time in the future counts as long past: the clock was set back.
pub fn next(
    known: &[Alarm],
    observation: &Observation,
    policy: &AlarmPolicy,
    first_id: AlarmId,
    now: TimestampMs,
) -> Vec<AlarmChange> {
    let mut observed: BTreeMap<&AlarmKey, _> = observation
        .conditions
        .iter()
        .map(|observed| (&observed.condition.key, observed))
        .collect();
    let mut told: BTreeMap<&AlarmKey, TimestampMs> = BTreeMap::new();
    for alarm in known {
        if let Some(at) = alarm.told_at {
            let last = told.entry(&alarm.key).or_insert(at);
            *last = at.max(*last);
        }
    }
    let mut changes = Vec::new();
    for alarm in known.iter().filter(|alarm| alarm.is_open()) {
        let change = match observed.remove(&alarm.key) {
            Some(observed) => {
                let last = told.get(&alarm.key).copied();
                goes_on(alarm, &observed.condition, last, policy, now)
            }
            None if observation.unknown.contains(&alarm.key.kind) => continue,
            None => is_absent(alarm, policy, now),
        };
        if change.message.is_some() || change.alarm != *alarm {
            changes.push(change);
        }
    }
    let mut id = first_id;
    for (key, observed) in observed {
        if observed.lasts < key.kind.patience() {
            continue;
        }
        let may_tell = may_tell(told.get(key).copied(), policy, now);
        let condition = &observed.condition;
        changes.push(AlarmChange {
            alarm: Alarm {
                id,
                key: key.clone(),
                state: AlarmState::Firing,
                summary: condition.summary.clone(),
                deadline: condition.deadline,
                since: now,
                acknowledged_at: None,
                absent_since: None,
                resolved_at: None,
                told_at: may_tell.then_some(now),
            },
            message: may_tell.then_some(AlarmEvent::Fired),
        });
        id = AlarmId::new(id.get().saturating_add(1));
    }
    changes
}

/// An alarm that somebody acknowledges. One that is acknowledged already, or resolved, stays as it is: `None`.
pub fn acknowledged(alarm: &Alarm, now: TimestampMs) -> Option<AlarmChange> {
    (alarm.state == AlarmState::Firing).then(|| AlarmChange {
        alarm: Alarm {
            state: AlarmState::Acknowledged,
            acknowledged_at: Some(now),
            ..alarm.clone()
        },
        message: alarm.told_at.map(|_| AlarmEvent::Acknowledged),
    })
}

/// `last` is when its condition was told last, by whichever alarm.
fn goes_on(
    alarm: &Alarm,
    condition: &Condition,
    last: Option<TimestampMs>,
    policy: &AlarmPolicy,
    now: TimestampMs,
) -> AlarmChange {
    let is_another = alarm.key.kind.is_told_anew()
        && (alarm.summary != condition.summary || alarm.absent_since.is_some());
    if is_another {
        return AlarmChange {
            alarm: Alarm {
                state: AlarmState::Firing,
                summary: condition.summary.clone(),
                deadline: condition.deadline,
                acknowledged_at: None,
                absent_since: None,
                told_at: Some(now),
                ..alarm.clone()
            },
            message: Some(AlarmEvent::Fired),
        };
    }
    let mut alarm = Alarm {
        summary: condition.summary.clone(),
        deadline: condition.deadline,
        absent_since: None,
        ..alarm.clone()
    };
    let is_due = may_tell(last, policy, now)
        && alarm.told_at.is_none_or(|told_at| {
            elapsed(told_at, now) >= repeat_after(told_at, alarm.deadline, policy)
        });
    if alarm.state != AlarmState::Firing || !is_due {
        return AlarmChange {
            alarm,
            message: None,
        };
    }
    let message = match alarm.told_at.replace(now) {
        Some(_) => AlarmEvent::Reminder,
        None => AlarmEvent::Fired,
    };
    AlarmChange {
        alarm,
        message: Some(message),
    }
}

fn is_absent(alarm: &Alarm, policy: &AlarmPolicy, now: TimestampMs) -> AlarmChange {
    let absent_since = alarm.absent_since.unwrap_or(now);
    if elapsed(absent_since, now) < policy.quiet {
        return AlarmChange {
            alarm: Alarm {
                absent_since: Some(absent_since),
                ..alarm.clone()
            },
            message: None,
        };
    }
    AlarmChange {
        alarm: Alarm {
            state: AlarmState::Resolved,
            absent_since: None,
            resolved_at: Some(now),
            ..alarm.clone()
        },
        message: alarm.told_at.map(|_| AlarmEvent::Resolved),
    }
}

fn may_tell(last: Option<TimestampMs>, policy: &AlarmPolicy, now: TimestampMs) -> bool {
    last.is_none_or(|last| elapsed(last, now) >= policy.spacing)
}

/// The pause before the next message about an alarm that was told of at this time.
fn repeat_after(
    told_at: TimestampMs,
    deadline: Option<TimestampMs>,
    policy: &AlarmPolicy,
) -> Duration {
    let half = deadline
        .and_then(|deadline| deadline.get().checked_sub(told_at.get()))
        .map(|left| Duration::from_millis(left / 2));
    half.map_or(policy.repeat, |half| half.min(policy.repeat))
}

fn elapsed(since: TimestampMs, now: TimestampMs) -> Duration {
    let elapsed = now.get().checked_sub(since.get());
    elapsed.map_or(Duration::MAX, Duration::from_millis)
}
