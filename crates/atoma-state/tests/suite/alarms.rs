//! Alarms, and the messages about them.

use std::time::Duration;

use atoma_domain::alarms::{
    Alarm, AlarmEvent, AlarmKind, AlarmPolicy, AlarmState, Condition, DeliveryEnd, MOST_WAITING,
    Observation, Observed, Receiver, Severity, Subject,
};
use atoma_domain::ports::Page;
use atoma_domain::{AlarmId, DeliveryId, TimestampMs};

use super::Store;
use super::fixtures::stack;

const POLICY: AlarmPolicy = AlarmPolicy {
    repeat: Duration::from_secs(3_600),
    spacing: Duration::from_secs(60),
    quiet: Duration::from_secs(300),
};

/// Seconds as a time.
fn at(seconds: u64) -> TimestampMs {
    TimestampMs::new(1_700_000_000_000 + seconds * 1_000)
}

fn receiver(name: &str, min_severity: Severity) -> Receiver {
    Receiver {
        name: name.to_owned(),
        min_severity,
    }
}

fn ops() -> [Receiver; 1] {
    [receiver("ops", Severity::Warning)]
}

fn dispute(id: u64) -> Condition {
    Condition::new(
        AlarmKind::DisputeAgainstUs,
        Subject::Stack(stack(id)),
        format!("stack {id} is in dispute"),
    )
}

fn seen(conditions: impl IntoIterator<Item = Condition>) -> Observation {
    let conditions = conditions.into_iter().map(|condition| Observed {
        condition,
        lasts: Duration::from_secs(10_000),
    });
    Observation {
        conditions: conditions.collect(),
        ..Observation::default()
    }
}

async fn observe(
    store: &impl Store,
    observation: &Observation,
    receivers: &[Receiver],
    seconds: u64,
) -> Vec<Alarm> {
    let changes = store.observe(observation, &POLICY, receivers, at(seconds));
    let changes = changes.await.unwrap().into_iter();
    changes.map(|change| change.alarm).collect()
}

/// The messages that may be sent now: number, what they say, and about which alarm.
async fn due(store: &impl Store, receiver: &str, seconds: u64) -> Vec<(u64, AlarmEvent, u64)> {
    let due = store.due_deliveries(receiver, at(seconds), 100).await;
    let due = due.unwrap().into_iter();
    due.map(|delivery| {
        let told = delivery.notification;
        (delivery.id.get(), told.event, told.alarm.id.get())
    })
    .collect()
}

pub async fn an_alarm_and_its_messages_are_stored_together(store: impl Store) {
    let until = dispute(u64::MAX).until(Some(at(9_000)));
    let opened = observe(&store, &seen([until.clone()]), &ops(), 1).await;
    assert_eq!(opened.len(), 1);
    assert_eq!(
        store.alarms(None, Page::first(9)).await.unwrap(),
        opened.clone()
    );
    let delivery = store.due_deliveries("ops", at(1), 9).await.unwrap();
    assert_eq!(delivery.len(), 1);
    assert_eq!(delivery[0].notification.alarm, opened[0]);
    assert_eq!(delivery[0].notification.at, at(1));
    // Nothing new.
    assert_eq!(observe(&store, &seen([until]), &ops(), 2).await, []);
    assert_eq!(store.waiting_deliveries("ops").await.unwrap(), 1);
    // It is gone, and comes back.
    observe(&store, &seen([]), &ops(), 10).await;
    let resolved = observe(&store, &seen([]), &ops(), 310).await;
    assert_eq!(resolved[0].state, AlarmState::Resolved);
    assert_eq!(resolved[0].resolved_at, Some(at(310)));
    let again = observe(&store, &seen([dispute(u64::MAX)]), &ops(), 311).await;
    assert_eq!(again[0].id, AlarmId::new(2));
    let said: Vec<_> = due(&store, "ops", 311).await;
    assert_eq!(
        said,
        [
            (1, AlarmEvent::Fired, 1),
            (2, AlarmEvent::Resolved, 1),
            (3, AlarmEvent::Fired, 2)
        ]
    );
}

pub async fn alarms_are_listed_newest_first(store: impl Store) {
    let all = [dispute(1), dispute(2), dispute(3)];
    observe(&store, &seen(all.clone()), &[], 1).await;
    let less = [dispute(1), dispute(3)];
    observe(&store, &seen(less.clone()), &[], 2).await;
    observe(&store, &seen(less), &[], 400).await;
    let ids = async |state, page| {
        let listed = store.alarms(state, page).await.unwrap();
        let ids: Vec<u64> = listed.iter().map(|alarm| alarm.id.get()).collect();
        ids
    };
    assert_eq!(ids(None, Page::first(9)).await, [3, 2, 1]);
    assert_eq!(ids(None, Page::first(2)).await, [3, 2]);
    let after = Some(AlarmId::new(2));
    assert_eq!(ids(None, Page { after, limit: 2 }).await, [1]);
    let firing = Some(AlarmState::Firing);
    assert_eq!(ids(firing, Page::first(9)).await, [3, 1]);
    assert_eq!(ids(Some(AlarmState::Resolved), Page::first(9)).await, [2]);
    let acknowledged = Some(AlarmState::Acknowledged);
    assert!(ids(acknowledged, Page::first(9)).await.is_empty());
    let after = Some(AlarmId::new(u64::MAX));
    assert_eq!(ids(firing, Page { after, limit: 9 }).await, [3, 1]);
}

pub async fn an_acknowledgement_is_stored_once(store: impl Store) {
    let id = AlarmId::new(1);
    let acknowledge = async |id, seconds| {
        let alarm = store.acknowledge(id, &ops(), at(seconds)).await;
        alarm.unwrap()
    };
    assert_eq!(acknowledge(id, 0).await, None);
    assert_eq!(acknowledge(AlarmId::new(u64::MAX), 0).await, None);
    observe(&store, &seen([dispute(1)]), &ops(), 1).await;
    let first = acknowledge(id, 2).await.unwrap();
    assert_eq!(first.state, AlarmState::Acknowledged);
    assert_eq!(first.acknowledged_at, Some(at(2)));
    assert_eq!(acknowledge(id, 3).await, Some(first.clone()));
    assert_eq!(store.alarms(None, Page::first(9)).await.unwrap(), [first]);
    let said = due(&store, "ops", 3).await;
    assert_eq!(
        said,
        [(1, AlarmEvent::Fired, 1), (2, AlarmEvent::Acknowledged, 1)]
    );
    // Nobody is reminded.
    assert_eq!(
        observe(&store, &seen([dispute(1)]), &ops(), 9_000).await,
        []
    );
}

pub async fn messages_keep_their_order_and_their_pause(store: impl Store) {
    observe(&store, &seen([dispute(1), dispute(2)]), &ops(), 1).await;
    let [first, second] = [DeliveryId::new(1), DeliveryId::new(2)];
    let again = DeliveryEnd::Again(at(60));
    store.end_delivery(first, again).await.unwrap();
    // The second must not overtake the first.
    assert_eq!(due(&store, "ops", 59).await, []);
    let tried = store.due_deliveries("ops", at(60), 9).await.unwrap();
    let tried: Vec<_> = tried
        .iter()
        .map(|delivery| (delivery.id, delivery.attempts))
        .collect();
    assert_eq!(tried, [(first, 1), (second, 0)]);
    assert_eq!(
        store.due_deliveries("ops", at(60), 1).await.unwrap().len(),
        1
    );
    store.end_delivery(first, DeliveryEnd::Done).await.unwrap();
    assert_eq!(due(&store, "ops", 60).await, [(2, AlarmEvent::Fired, 2)]);
    // A pause that no clock can mean is none.
    let ahead = DeliveryEnd::Again(at(100_000));
    store.end_delivery(second, ahead).await.unwrap();
    assert_eq!(due(&store, "ops", 61).await.len(), 1);
    store.end_delivery(second, DeliveryEnd::Done).await.unwrap();
    assert_eq!(store.waiting_deliveries("ops").await.unwrap(), 0);
    // What was forgotten is no error, and its number is not given out again.
    store.end_delivery(second, again).await.unwrap();
    observe(
        &store,
        &seen([dispute(1), dispute(2), dispute(3)]),
        &ops(),
        62,
    )
    .await;
    assert_eq!(due(&store, "ops", 62).await, [(3, AlarmEvent::Fired, 3)]);
}

pub async fn messages_wait_for_those_that_want_them_and_are_bounded(store: impl Store) {
    let claims = Condition::new(AlarmKind::ClaimsStuck, Subject::Daemon, "claims wait");
    let receivers = [
        receiver("all", Severity::Warning),
        receiver("critical", Severity::Critical),
    ];
    observe(&store, &seen([claims, dispute(1)]), &receivers, 1).await;
    assert_eq!(store.waiting_deliveries("all").await.unwrap(), 2);
    assert_eq!(store.waiting_deliveries("critical").await.unwrap(), 1);
    assert_eq!(store.waiting_deliveries("nobody").await.unwrap(), 0);
    // A receiver that is gone leaves nothing behind.
    let many = u64::from(MOST_WAITING) + 50;
    observe(&store, &seen((1..=many).map(dispute)), &receivers[..1], 2).await;
    assert_eq!(store.waiting_deliveries("critical").await.unwrap(), 0);
    assert_eq!(
        store.waiting_deliveries("all").await.unwrap(),
        u64::from(MOST_WAITING)
    );
    // The newest are kept.
    let first = store.due_deliveries("all", at(2), 1).await.unwrap();
    assert_eq!(
        first[0].id.get(),
        3 + many - 1 - u64::from(MOST_WAITING) + 1
    );
}

pub async fn a_reminder_waits_for_no_other_message(store: impl Store) {
    let holds = seen([dispute(1)]);
    observe(&store, &holds, &ops(), 1).await;
    observe(&store, &holds, &ops(), 3_700).await;
    assert_eq!(due(&store, "ops", 3_700).await, [(1, AlarmEvent::Fired, 1)]);
    let done = store.end_delivery(DeliveryId::new(1), DeliveryEnd::Done);
    done.await.unwrap();
    observe(&store, &holds, &ops(), 7_400).await;
    assert_eq!(
        due(&store, "ops", 7_400).await,
        [(2, AlarmEvent::Reminder, 1)]
    );
}
