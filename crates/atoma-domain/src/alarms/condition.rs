//! What is wrong now.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::kind::AlarmKind;
use crate::{NodeSmallId, StackSmallId, TimestampMs};

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Subject {
    /// The daemon as a whole.
    Daemon,
    /// A node of the operator.
    Node(NodeSmallId),
    /// A stack.
    Stack(StackSmallId),
    /// Something with a name, such as a Sui node: see [`Subject::named`].
    Named(String),
}

impl Subject {
    /// The most characters of a name.
    pub const LONGEST_NAME: usize = 100;

    /// Something with this name, which is cut off if it is too long.
    pub fn named(name: &str) -> Self {
        Self::Named(name.chars().take(Self::LONGEST_NAME).collect())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon => f.write_str("daemon"),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Stack(stack) => write!(f, "stack {stack}"),
            Self::Named(name) => write!(f, "named {name}"),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || format!("`{text}` is not the subject of an alarm");
        if text == "daemon" {
            return Ok(Self::Daemon);
        }
        let (what, which) = text.split_once(' ').ok_or_else(unknown)?;
        match what {
            "node" => which.parse().map(Self::Node).map_err(|_| unknown()),
            "stack" => which.parse().map(Self::Stack).map_err(|_| unknown()),
            "named" => Ok(Self::named(which)),
            _ => Err(unknown()),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// What makes two conditions the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmKey {
    /// The rule.
    pub kind: AlarmKind,
    /// What it is about.
    pub subject: Subject,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is.
    pub key: AlarmKey,
    /// One sentence for the operator, without a full stop and without secrets: it goes to other services.
    pub summary: String,
    /// When it is too late, if there is such a time.
    pub deadline: Option<TimestampMs>,
}

impl Condition {
    /// The most characters of a summary.
    pub const LONGEST_SUMMARY: usize = 1_000;

    /// A condition without a deadline. A longer summary is cut off.
    pub fn new(kind: AlarmKind, subject: Subject, summary: impl Into<String>) -> Self {
        let mut summary: String = summary.into();
        if let Some((end, _)) = summary.char_indices().nth(Self::LONGEST_SUMMARY) {
            summary.truncate(end);
        }
        Self {
            key: AlarmKey { kind, subject },
            summary,
            deadline: None,
        }
    }

    /// The same with a deadline, if it is known.
    #[must_use]
    pub const fn until(mut self, deadline: Option<TimestampMs>) -> Self {
        self.deadline = deadline;
        self
    }
}

/// A condition that was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The condition.
    pub condition: Condition,
    /// For how long it has been observed without a break.
    pub lasts: Duration,
}

/// What was observed at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// What is wrong, each key once.
    pub conditions: Vec<Observed>,
    /// The kinds that could not be judged: that none of their conditions was observed proves nothing.
    pub unknown: BTreeSet<AlarmKind>,
}
