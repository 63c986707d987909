mod rules;

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::alarms::{
    AlarmEvent, AlarmKind, AlarmPolicy, AlarmState, Condition, Severity, Subject,
};
use atoma_domain::ports::{Notifier, NotifyError, Page};
use atoma_domain::{DeliveryId, Mist, TimestampMs};
use atoma_state::SqliteState;

use super::testing::Scripted;
use super::*;
use crate::engine::testing::SetClock;

/// Alarms over an empty database, with a receiver and a clock that stand still.
struct World {
    alarms: Alarms,
    state: SqliteState,
    ops: Arc<Scripted>,
    clock: Arc<SetClock>,
}

const POLICY: AlarmPolicy = AlarmPolicy {
    repeat: Duration::from_secs(3_600),
    spacing: Duration::from_secs(60),
    quiet: Duration::from_secs(300),
};

impl World {
    async fn new() -> Self {
        let state = SqliteState::open_temporary().await.unwrap();
        let clock = Arc::new(SetClock::default());
        let ops = Scripted::new("ops", Severity::Warning);
        let world = Self {
            alarms: alarms(&state, &clock, &ops),
            state,
            ops,
            clock,
        };
        world.at(0);
        world
    }

    /// The same after a restart.
    fn restarted(self) -> Self {
        Self {
            alarms: alarms(&self.state, &self.clock, &self.ops),
            ..self
        }
    }

    /// Sets the clock, in seconds.
    fn at(&self, seconds: u64) {
        let now = TimestampMs::new(1_700_000_000_000 + seconds * 1_000);
        self.clock.set(now);
    }

    /// One look and one delivery, and what was said.
    async fn step(&self, found: &[Condition]) -> Vec<AlarmEvent> {
        let found = Found {
            conditions: found.to_vec(),
            ..Found::default()
        };
        self.alarms.step(found).await.unwrap();
        self.alarms.deliver().await.unwrap();
        self.ops.events()
    }

    async fn states(&self) -> Vec<AlarmState> {
        let all = self.alarms.list(None, Page::first(100)).await.unwrap();
        all.iter().map(|alarm| alarm.state).collect()
    }
}

fn alarms(state: &SqliteState, clock: &Arc<SetClock>, ops: &Arc<Scripted>) -> Alarms {
    let config = AlarmConfig {
        policy: POLICY,
        jitter: || 1.0,
        ..AlarmConfig::default()
    };
    let notifier: Arc<dyn Notifier> = ops.clone();
    let store = Arc::new(state.clone());
    let low = Mist::new(1_000_000_000);
    Alarms::new(store, clock.clone(), vec![notifier], config, low)
}

fn foreign_use() -> Condition {
    Condition::new(AlarmKind::ForeignUse, Subject::Daemon, "somebody signs")
}

fn gas_low() -> Condition {
    Condition::new(AlarmKind::GasLow, Subject::Daemon, "little gas")
}

fn unavailable(retry_after_s: Option<u64>) -> NotifyError {
    NotifyError::Unavailable {
        status: 503,
        retry_after: retry_after_s.map(Duration::from_secs),
    }
}

#[tokio::test]
async fn a_condition_is_told_acknowledged_and_resolved() {
    let world = World::new().await;
    assert_eq!(world.step(&[foreign_use()]).await, [AlarmEvent::Fired]);
    assert_eq!(world.step(&[foreign_use()]).await, []);
    let alarm = &world.alarms.list(None, Page::first(9)).await.unwrap()[0];
    let acknowledged = world.alarms.acknowledge(alarm.id).await.unwrap().unwrap();
    assert_eq!(acknowledged.state, AlarmState::Acknowledged);
    world.at(7_200);
    assert_eq!(
        world.step(&[foreign_use()]).await,
        [AlarmEvent::Acknowledged]
    );
    assert_eq!(world.step(&[]).await, []);
    world.at(7_500);
    assert_eq!(world.step(&[]).await, [AlarmEvent::Resolved]);
    let unknown = atoma_domain::AlarmId::new(99);
    assert_eq!(world.alarms.acknowledge(unknown).await.unwrap(), None);
}

#[tokio::test]
async fn patience_counts_from_the_first_look() {
    let world = World::new().await;
    assert_eq!(world.step(&[gas_low()]).await, []);
    world.at(299);
    assert_eq!(world.step(&[gas_low()]).await, []);
    // It was well in between.
    assert_eq!(world.step(&[]).await, []);
    assert_eq!(world.step(&[gas_low()]).await, []);
    world.at(598);
    assert_eq!(world.step(&[gas_low()]).await, []);
    world.at(599);
    assert_eq!(world.step(&[gas_low()]).await, [AlarmEvent::Fired]);
}

#[tokio::test]
async fn an_alarm_survives_a_restart_and_so_does_its_message() {
    let world = World::new().await;
    world.ops.refuse([unavailable(None)]);
    assert_eq!(world.step(&[foreign_use()]).await, [AlarmEvent::Fired]);
    let world = world.restarted();
    assert_eq!(world.step(&[foreign_use()]).await, []);
    world.at(5);
    assert_eq!(world.step(&[foreign_use()]).await, [AlarmEvent::Fired]);
    assert_eq!(world.states().await, [AlarmState::Firing]);
}

#[tokio::test]
async fn a_message_is_tried_again_under_the_same_number_and_keeps_the_order() {
    let world = World::new().await;
    world.ops.refuse([unavailable(None), unavailable(Some(60))]);
    let both = [foreign_use(), gas_low()];
    let first = DeliveryId::new(1);
    let numbers = |told: Vec<(Option<DeliveryId>, _)>| -> Vec<_> {
        told.into_iter().filter_map(|(id, _)| id).collect()
    };
    for seconds in [0, 300] {
        world.at(seconds);
        world
            .alarms
            .step(Found {
                conditions: both.to_vec(),
                ..Found::default()
            })
            .await
            .unwrap();
        world.alarms.deliver().await.unwrap();
    }
    // Both tries were about the first, and the second waits behind it.
    assert_eq!(numbers(world.ops.take()), [first, first]);
    world.at(359);
    world.alarms.deliver().await.unwrap();
    assert!(world.ops.take().is_empty());
    world.at(360);
    world.alarms.deliver().await.unwrap();
    assert_eq!(numbers(world.ops.take()), [first, DeliveryId::new(2)]);
    let figures = world.alarms.figures().await;
    let expected = ReceiverFigures {
        name: String::from("ops"),
        delivered: 2,
        failed: 2,
        given_up: 0,
        waiting: Some(0),
    };
    assert_eq!(figures.receivers, [expected]);
    let firing = figures.firing.unwrap();
    assert_eq!(firing[&Severity::Critical], 2);
    assert_eq!(firing[&Severity::Warning], 0);
}

#[tokio::test]
async fn a_message_that_is_refused_or_too_old_is_given_up() {
    let world = World::new().await;
    let refused = NotifyError::Refused { status: 400 };
    world.ops.refuse(std::iter::repeat_n(refused, 5));
    world.step(&[foreign_use()]).await;
    for round in 1..5 {
        world.at(round * 3_000);
        world.alarms.deliver().await.unwrap();
    }
    assert_eq!(world.ops.events().len(), 4);
    world.at(20_000);
    world.alarms.deliver().await.unwrap();
    assert!(world.ops.take().is_empty());
    assert_eq!(world.alarms.figures().await.receivers[0].given_up, 1);

    let world = World::new().await;
    world.ops.refuse(std::iter::repeat_n(unavailable(None), 2));
    world.step(&[foreign_use()]).await;
    world.at(24 * 3_600);
    world.alarms.deliver().await.unwrap();
    let figures = world.alarms.figures().await;
    assert_eq!(figures.receivers[0].given_up, 1);
    assert_eq!(figures.receivers[0].waiting, Some(0));
}

#[tokio::test]
async fn other_parts_report_what_is_wrong_and_silence_proves_nothing() {
    let world = World::new().await;
    let reports = world.alarms.reports();
    let paused = Condition::new(AlarmKind::AutopilotPaused, Subject::Daemon, "paused");
    // What is of another kind is left out.
    reports.report(AlarmKind::AutopilotPaused, [paused.clone(), gas_low()]);
    assert_eq!(world.step(&[]).await, [AlarmEvent::Fired]);
    let world = world.restarted();
    // The autopilot of this start has said nothing yet.
    for seconds in [1_000, 2_000] {
        world.at(seconds);
        assert_eq!(world.step(&[]).await, []);
    }
    world
        .alarms
        .reports()
        .report(AlarmKind::AutopilotPaused, []);
    assert_eq!(world.step(&[]).await, []);
    world.at(2_300);
    assert_eq!(world.step(&[]).await, [AlarmEvent::Resolved]);
}

#[tokio::test]
async fn a_database_that_fails_is_told_directly() {
    let world = World::new().await;
    world.state.close().await;
    let look = async |seconds| {
        world.at(seconds);
        assert!(world.alarms.step(Found::default()).await.is_err());
        world.ops.take()
    };
    assert!(look(0).await.is_empty());
    assert!(look(299).await.is_empty());
    world.ops.refuse([unavailable(None)]);
    assert_eq!(look(300).await.len(), 1);
    // Nobody has taken it, so it is told again at once.
    let told = look(330).await;
    assert_eq!(told.len(), 1);
    let (delivery, told) = &told[0];
    assert_eq!(*delivery, None);
    assert_eq!(told.alarm.key.kind, AlarmKind::DatabaseUnusable);
    assert!(look(360).await.is_empty());
    assert_eq!(look(330 + 3_600).await.len(), 1);
}

#[tokio::test]
async fn a_test_message_tells_how_each_receiver_took_it() {
    let world = World::new().await;
    world.ops.refuse([unavailable(None)]);
    let told = world.alarms.test().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].receiver, "ops");
    assert_eq!(told[0].problem, Some(unavailable(None)));
    assert_eq!(world.alarms.test().await[0].problem, None);
    assert_eq!(world.ops.events(), [AlarmEvent::Test; 2]);
    assert!(world.states().await.is_empty());
}
