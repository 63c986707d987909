mod properties;

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::{AlarmId, NodeSmallId, TimestampMs};

/// Minutes as a time.
fn at(minutes: u64) -> TimestampMs {
    TimestampMs::new(1_000_000_000_000 + minutes * 60_000)
}

const POLICY: AlarmPolicy = AlarmPolicy {
    repeat: Duration::from_secs(240 * 60),
    spacing: Duration::from_secs(15 * 60),
    quiet: Duration::from_secs(5 * 60),
};

fn dispute() -> Condition {
    Condition::new(
        AlarmKind::DisputeAgainstUs,
        Subject::Daemon,
        "a settlement is disputed",
    )
}

/// A store of alarms, as the database is one.
#[derive(Default)]
struct Known {
    alarms: Vec<Alarm>,
}

impl Known {
    /// One observation, with what is told.
    fn step(&mut self, seen: &[(Condition, Duration)], minutes: u64) -> Vec<AlarmEvent> {
        self.step_without(seen, &[], minutes)
    }

    fn step_without(
        &mut self,
        seen: &[(Condition, Duration)],
        unknown: &[AlarmKind],
        minutes: u64,
    ) -> Vec<AlarmEvent> {
        let seen = seen.iter().map(|(condition, lasts)| Observed {
            condition: condition.clone(),
            lasts: *lasts,
        });
        let observation = Observation {
            conditions: seen.collect(),
            unknown: unknown.iter().copied().collect(),
        };
        let first = u64::try_from(self.alarms.len()).unwrap() + 1;
        let changes = next(
            &self.alarms,
            &observation,
            &POLICY,
            AlarmId::new(first),
            at(minutes),
        );
        let told = changes.iter().filter_map(|change| change.message).collect();
        for change in changes {
            self.put(change.alarm);
        }
        told
    }

    fn put(&mut self, alarm: Alarm) {
        match self.alarms.iter_mut().find(|known| known.id == alarm.id) {
            Some(known) => *known = alarm,
            None => self.alarms.push(alarm),
        }
    }

    fn states(&self) -> Vec<AlarmState> {
        self.alarms.iter().map(|alarm| alarm.state).collect()
    }
}

fn now_holds() -> Vec<(Condition, Duration)> {
    vec![(dispute(), Duration::ZERO)]
}

#[test]
fn codes_and_subjects_are_read_back() {
    let mut codes = BTreeSet::new();
    for kind in AlarmKind::ALL {
        assert_eq!(AlarmKind::from_code(kind.code()), Some(*kind));
        assert!(codes.insert(kind.code()));
        assert_eq!(
            serde_json::to_value(kind).unwrap(),
            serde_json::Value::from(kind.code())
        );
    }
    assert_eq!(AlarmKind::from_code("nonsense"), None);
    for subject in [
        Subject::Daemon,
        Subject::Node(NodeSmallId::new(u64::MAX)),
        Subject::Stack(crate::StackSmallId::new(13)),
        Subject::named("https://a.example:443 x"),
        Subject::named(""),
    ] {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    for text in ["", "node", "node x", "node +1", "thing 1"] {
        assert!(text.parse::<Subject>().is_err(), "{text}");
    }
    for (state, name) in AlarmState::ALL.into_iter().zip(AlarmState::NAMES) {
        assert_eq!(state.name(), name);
        assert_eq!(AlarmState::from_name(name), Some(state));
    }
}

#[test]
fn names_and_summaries_are_bounded() {
    let long = "ä".repeat(5_000);
    let condition = Condition::new(AlarmKind::GasLow, Subject::named(&long), long.clone());
    assert_eq!(
        condition.summary.chars().count(),
        Condition::LONGEST_SUMMARY
    );
    let Subject::Named(name) = condition.key.subject else {
        panic!("it has a name");
    };
    assert_eq!(name.chars().count(), Subject::LONGEST_NAME);
}

#[test]
fn a_condition_is_told_once_then_reminded_of_and_resolved_after_a_while() {
    let mut known = Known::default();
    assert_eq!(known.step(&now_holds(), 0), [AlarmEvent::Fired]);
    for minutes in [1, 30, 239] {
        assert_eq!(known.step(&now_holds(), minutes), []);
    }
    assert_eq!(known.step(&now_holds(), 240), [AlarmEvent::Reminder]);
    assert_eq!(known.step(&[], 241), []);
    assert_eq!(known.states(), [AlarmState::Firing]);
    assert_eq!(known.step(&[], 245), []);
    assert_eq!(known.step(&[], 246), [AlarmEvent::Resolved]);
    assert_eq!(known.states(), [AlarmState::Resolved]);
    assert_eq!(known.step(&[], 500), []);
}

#[test]
fn a_condition_that_comes_and_goes_is_one_alarm() {
    let mut known = Known::default();
    assert_eq!(known.step(&now_holds(), 0), [AlarmEvent::Fired]);
    for minutes in 1..60 {
        let seen = if minutes % 5 == 0 {
            now_holds()
        } else {
            Vec::new()
        };
        assert_eq!(known.step(&seen, minutes), []);
    }
    assert_eq!(known.alarms.len(), 1);
}

#[test]
fn a_condition_that_comes_back_is_another_alarm_and_told_after_the_spacing() {
    let mut known = Known::default();
    known.step(&now_holds(), 0);
    known.step(&[], 1);
    assert_eq!(known.step(&[], 6), [AlarmEvent::Resolved]);
    assert_eq!(known.step(&now_holds(), 7), []);
    assert_eq!(known.states(), [AlarmState::Resolved, AlarmState::Firing]);
    assert_eq!(known.step(&now_holds(), 14), []);
    assert_eq!(known.step(&now_holds(), 15), [AlarmEvent::Fired]);
    // The third is over before it was told: nobody hears of it.
    known.step(&[], 16);
    assert_eq!(known.step(&[], 21), [AlarmEvent::Resolved]);
    known.step(&now_holds(), 22);
    known.step(&[], 23);
    assert_eq!(known.step(&[], 28), []);
    assert_eq!(known.states(), [AlarmState::Resolved; 3]);
}

#[test]
fn a_condition_must_last_before_it_is_an_alarm() {
    let mut known = Known::default();
    let gas = Condition::new(AlarmKind::GasLow, Subject::Daemon, "little gas");
    let patience = AlarmKind::GasLow.patience();
    let short = patience - Duration::from_millis(1);
    assert_eq!(known.step(&[(gas.clone(), short)], 0), []);
    assert!(known.alarms.is_empty());
    assert_eq!(
        known.step(&[(gas.clone(), patience)], 5),
        [AlarmEvent::Fired]
    );
    // What is an alarm already needs no patience, for example after a restart.
    assert_eq!(
        known.step(&[(gas, Duration::ZERO)], 400),
        [AlarmEvent::Reminder]
    );
}

#[test]
fn what_could_not_be_judged_resolves_nothing() {
    let mut known = Known::default();
    known.step(&now_holds(), 0);
    for minutes in 1..100 {
        assert_eq!(
            known.step_without(&[], &[AlarmKind::DisputeAgainstUs], minutes),
            []
        );
    }
    assert_eq!(known.states(), [AlarmState::Firing]);
}

/// Who knows of one pause of the autopilot knows nothing of the next.
#[test]
fn a_pause_is_told_anew_when_it_changes_or_was_over_for_a_moment() {
    let paused = |why: &str| {
        let condition = Condition::new(AlarmKind::AutopilotPaused, Subject::Daemon, why);
        [(condition, Duration::ZERO)]
    };
    let mut known = Known::default();
    assert_eq!(known.step(&paused("a dispute"), 0), [AlarmEvent::Fired]);
    assert_eq!(known.step(&paused("a dispute"), 1), []);
    let acknowledged = acknowledged(&known.alarms[0], at(1)).unwrap();
    known.put(acknowledged.alarm);
    assert_eq!(known.step(&paused("two disputes"), 2), [AlarmEvent::Fired]);
    assert_eq!(known.states(), [AlarmState::Firing]);
    assert_eq!(known.step(&paused("two disputes"), 3), []);
    assert_eq!(known.step(&[], 4), []);
    assert_eq!(known.step(&paused("two disputes"), 5), [AlarmEvent::Fired]);
    assert_eq!(known.alarms.len(), 1);
}

#[test]
fn an_acknowledged_alarm_is_quiet_until_it_is_resolved() {
    let mut known = Known::default();
    known.step(&now_holds(), 0);
    let change = acknowledged(&known.alarms[0], at(1)).unwrap();
    assert_eq!(change.message, Some(AlarmEvent::Acknowledged));
    known.put(change.alarm);
    assert_eq!(acknowledged(&known.alarms[0], at(2)), None);
    assert_eq!(known.step(&now_holds(), 1_000), []);
    known.step(&[], 1_001);
    assert_eq!(known.step(&[], 1_006), [AlarmEvent::Resolved]);
    assert_eq!(acknowledged(&known.alarms[0], at(1_007)), None);
    // Another occurrence isn't acknowledged.
    assert_eq!(known.step(&now_holds(), 1_010), [AlarmEvent::Fired]);
}

#[test]
fn an_alarm_with_a_deadline_is_told_more_often_as_it_comes_nearer() {
    let mut known = Known::default();
    let due = dispute().until(Some(at(120)));
    let mut told = Vec::new();
    for minutes in 0..120 {
        if !known
            .step(&[(due.clone(), Duration::ZERO)], minutes)
            .is_empty()
        {
            told.push(minutes);
        }
    }
    assert_eq!(told, [0, 60, 90, 105]);
}

#[test]
fn a_clock_that_was_ahead_silences_nothing() {
    let mut known = Known::default();
    assert_eq!(known.step(&now_holds(), 1_000_000), [AlarmEvent::Fired]);
    assert_eq!(known.step(&now_holds(), 0), [AlarmEvent::Reminder]);
    assert_eq!(known.step(&now_holds(), 1), []);
}

#[test]
fn pauses_grow_up_to_a_limit_and_follow_the_receiver_up_to_another() {
    let seconds = |attempts, fraction, wanted: Option<u64>| {
        retry_pause(attempts, fraction, wanted.map(Duration::from_secs)).as_millis()
    };
    assert_eq!(seconds(1, 1.0, None), 5_000);
    assert_eq!(seconds(1, 0.0, None), 2_500);
    assert_eq!(seconds(3, 1.0, None), 20_000);
    assert_eq!(seconds(30, 1.0, None), 900_000);
    assert_eq!(seconds(u32::MAX, 1.0, None), 900_000);
    assert_eq!(seconds(1, 1.0, Some(60)), 60_000);
    assert_eq!(seconds(1, 1.0, Some(u64::MAX)), 3_600_000);
    assert_eq!(seconds(1, f64::NAN, Some(1)) / 1_000, 2);
}
