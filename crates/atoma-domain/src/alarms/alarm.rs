//! Alarms: conditions that are known.

use serde::{Deserialize, Serialize};

use super::condition::AlarmKey;
use super::kind::Severity;
use crate::{AlarmId, TimestampMs};

/// How an alarm stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// The condition holds, and nobody has said that they know.
    Firing,
    /// The condition holds, and somebody knows: no reminders are sent.
    Acknowledged,
    /// The condition is gone. Final: one that comes back is another alarm.
    Resolved,
}

impl AlarmState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Firing, Self::Acknowledged, Self::Resolved];
    /// Their names, in the same order.
    pub const NAMES: [&'static str; 3] = ["firing", "acknowledged", "resolved"];

    /// Its name in the database and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// One occurrence of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// What is wrong, and with what.
    pub key: AlarmKey,
    /// How it stands.
    pub state: AlarmState,
    /// One sentence for the operator, as of the last observation.
    pub summary: String,
    /// When it is too late, if there is such a time.
    pub deadline: Option<TimestampMs>,
    /// When it became an alarm.
    pub since: TimestampMs,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<TimestampMs>,
    /// Since when the condition is gone, while it is not resolved yet.
    pub absent_since: Option<TimestampMs>,
    /// When it was resolved.
    pub resolved_at: Option<TimestampMs>,
    /// When the last message said that it fires.
    pub told_at: Option<TimestampMs>,
}

impl Alarm {
    /// Whether the condition counts as holding.
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, AlarmState::Resolved)
    }

    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        self.key.kind.severity()
    }
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmEvent {
    /// The alarm fires.
    Fired,
    /// It goes on, and nobody has acknowledged it.
    Reminder,
    /// Somebody has acknowledged it.
    Acknowledged,
    /// It is resolved.
    Resolved,
    /// Nothing is wrong: the operator tests the receivers.
    Test,
}

impl AlarmEvent {
    /// Its name in the database and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Reminder => "reminder",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
}
