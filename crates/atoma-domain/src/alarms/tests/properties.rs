//! What holds whatever happens.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::StackSmallId;

/// What happens in one minute: which stacks have the condition, whether the kind can be judged, whether the
/// alarms are acknowledged.
type Minute = (Vec<bool>, bool, bool);

fn minutes() -> impl Strategy<Value = Vec<Minute>> {
    let minute = (
        prop::collection::vec(any::<bool>(), 3),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.05),
    );
    prop::collection::vec(minute, 1..200)
}

fn condition(stack: usize) -> Condition {
    let stack = StackSmallId::new(u64::try_from(stack).unwrap());
    Condition::new(
        AlarmKind::DisputeAgainstUs,
        Subject::Stack(stack),
        "in dispute",
    )
}

proptest! {
    #[test]
    fn alarms_follow_conditions_without_a_flood(minutes in minutes()) {
        let mut known = Known::default();
        let mut told: BTreeMap<AlarmKey, u64> = BTreeMap::new();
        let mut last_events: BTreeMap<AlarmId, AlarmEvent> = BTreeMap::new();
        for (minute, (holds, is_judged, acknowledges)) in (0_u64..).zip(minutes) {
            let conditions = holds.iter().enumerate().filter(|(_, holds)| **holds && is_judged);
            let conditions = conditions.map(|(stack, _)| Observed {
                condition: condition(stack),
                lasts: Duration::ZERO,
            });
            let unknown = (!is_judged).then_some(AlarmKind::DisputeAgainstUs);
            let observation = Observation {
                conditions: conditions.collect(),
                unknown: unknown.into_iter().collect(),
            };
            let first = AlarmId::new(u64::try_from(known.alarms.len()).unwrap() + 1);
            let changes = next(&known.alarms, &observation, &POLICY, first, at(minute));
            for change in changes {
                let before = known.alarms.iter().find(|alarm| alarm.id == change.alarm.id);
                // Nothing that is resolved changes.
                prop_assert!(before.is_none_or(Alarm::is_open));
                if let Some(event) = change.message {
                    let key = change.alarm.key.clone();
                    if matches!(event, AlarmEvent::Fired | AlarmEvent::Reminder) {
                        let last = told.insert(key, minute);
                        prop_assert!(last.is_none_or(|last| minute - last >= 15));
                    }
                    // Each alarm is told to fire before anything else, and to be resolved last.
                    let last = last_events.insert(change.alarm.id, event);
                    prop_assert_eq!(event == AlarmEvent::Fired, last.is_none());
                    prop_assert_ne!(last, Some(AlarmEvent::Resolved));
                }
                known.put(change.alarm);
            }
            // One open alarm for each key at most; all that hold have one.
            for (stack, holds) in holds.iter().enumerate() {
                let key = condition(stack).key;
                let open = known.alarms.iter().filter(|alarm| alarm.key == key && alarm.is_open());
                let open = open.count();
                prop_assert!(open <= 1);
                prop_assert!(!(is_judged && *holds) || open == 1);
            }
            if acknowledges {
                let changes: Vec<_> = known.alarms.iter().filter_map(|alarm| acknowledged(alarm, at(minute))).collect();
                for change in changes {
                    if let Some(event) = change.message {
                        let last = last_events.insert(change.alarm.id, event);
                        prop_assert!(last.is_some());
                    }
                    known.put(change.alarm);
                }
            }
        }
        // Repeating an observation changes nothing.
        let observation = Observation { unknown: [AlarmKind::DisputeAgainstUs].into(), ..Observation::default() };
        let again = next(&known.alarms, &observation, &POLICY, AlarmId::new(9_999), at(10_000));
        prop_assert_eq!(again, []);
    }
}
