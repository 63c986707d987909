//! What other parts of the daemon say is wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::alarms::{AlarmKind, Condition};

use super::rules::Found;

/// The most conditions of one kind that are kept.
const MOST: usize = 100;

/// The kinds that only other parts can judge.
const REPORTED: [AlarmKind; 4] = [
    AlarmKind::NothingToAttestWith,
    AlarmKind::AutopilotPaused,
    AlarmKind::AutopilotBlind,
    AlarmKind::BooksDiffer,
];

/// Where other parts of the daemon, such as the autopilot, say what is wrong. Clones share it.
///
/// A part reports all conditions of a kind at once, as often as it likes: they hold until its next report. Until its first
/// report after a start, the alarms of that kind stay as they were.
#[derive(Clone, Debug, Default)]
pub struct AlarmReports {
    conditions: Arc<Mutex<BTreeMap<AlarmKind, Vec<Condition>>>>,
}

impl AlarmReports {
    /// Says that these conditions hold, and no others of this kind; none if all is well. Conditions of another kind are
    /// left out, and so are those beyond 100.
    pub fn report(&self, kind: AlarmKind, conditions: impl IntoIterator<Item = Condition>) {
        let conditions = conditions.into_iter();
        let conditions = conditions.filter(|condition| condition.key.kind == kind);
        let conditions = conditions.take(MOST).collect();
        let mut all = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.insert(kind, conditions);
    }

    /// What holds.
    pub(super) fn found(&self) -> Found {
        let all = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let silent = REPORTED.into_iter().filter(|kind| !all.contains_key(kind));
        Found {
            unknown: silent.collect(),
            conditions: all.values().flatten().cloned().collect(),
        }
    }
}
