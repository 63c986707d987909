//! The alarms of a daemon.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::alarms::{
    Alarm, AlarmChange, AlarmEvent, AlarmKey, AlarmKind, AlarmPolicy, AlarmState, Condition,
    Observation, Observed, Receiver, Severity, Subject,
};
use atoma_domain::ports::{AlarmStore, Clock, EpochInfo, Notifier, Page, StoreError};
use atoma_domain::{AlarmId, with_causes};
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use super::emergency::Emergency;
use super::figures::{AlarmFigures, Counts};
use super::outbox::Outbox;
use super::reports::AlarmReports;
use super::rules::{Found, Thresholds};
use super::tell::{self, Told};
use crate::changed::Changed;

/// How many firing alarms are counted.
const MOST_COUNTED: u32 = 10_000;

/// The settings of alarms.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AlarmConfig {
    /// The interval between two looks.
    pub interval: Duration,
    /// When messages are due.
    pub policy: AlarmPolicy,
    /// An attestation is due when the epoch ends within this time.
    pub attestation_time_left: Duration,
    /// Spreads the pauses between tries to deliver a message: a number from 0 to 1.
    pub jitter: fn() -> f64,
}

impl Default for AlarmConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            policy: AlarmPolicy::default(),
            attestation_time_left: Duration::from_secs(6 * 3_600),
            jitter: crate::random::random_fraction,
        }
    }
}

/// The alarms of a daemon. Clones share their state.
#[derive(Clone, Debug)]
pub struct Alarms {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn AlarmStore>,
    clock: Arc<dyn Clock>,
    notifiers: Vec<Arc<dyn Notifier>>,
    receivers: Vec<Receiver>,
    outboxes: Vec<Outbox>,
    config: AlarmConfig,
    thresholds: Thresholds,
    reports: AlarmReports,
    memory: Mutex<Memory>,
    changed: Changed,
}

/// What is known since the start.
#[derive(Debug, Default)]
struct Memory {
    /// Since when conditions are observed, by a clock that nobody sets.
    observed: BTreeMap<AlarmKey, Duration>,
    emergency: Emergency,
    epoch: Option<EpochInfo>,
}

impl Alarms {
    /// Alarms that are kept in this store and told to these receivers.
    pub(crate) fn new(
        store: Arc<dyn AlarmStore>,
        clock: Arc<dyn Clock>,
        notifiers: Vec<Arc<dyn Notifier>>,
        config: AlarmConfig,
        low_gas_balance: atoma_domain::Mist,
    ) -> Self {
        let outboxes = notifiers.iter().map(|notifier| Outbox {
            notifier: Arc::clone(notifier),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            jitter: config.jitter,
            counts: Counts::default(),
            added: Notify::new(),
        });
        let receivers = notifiers.iter();
        let receivers = receivers.map(|notifier| notifier.receiver().clone());
        Self {
            shared: Arc::new(Shared {
                outboxes: outboxes.collect(),
                receivers: receivers.collect(),
                thresholds: Thresholds {
                    attestation_time_left: config.attestation_time_left,
                    low_gas_balance,
                },
                store,
                clock,
                notifiers,
                config,
                reports: AlarmReports::default(),
                memory: Mutex::default(),
                changed: Changed::default(),
            }),
        }
    }

    /// Where other parts of the daemon say what is wrong.
    pub fn reports(&self) -> AlarmReports {
        self.shared.reports.clone()
    }

    /// The interval between two looks.
    pub(crate) fn interval(&self) -> Duration {
        self.shared.config.interval
    }

    /// What an operator has set.
    pub(crate) fn thresholds(&self) -> &Thresholds {
        &self.shared.thresholds
    }

    /// The epoch, or the last that was known: a Sui node that doesn't answer postpones no deadline.
    pub(crate) fn last_epoch(&self, epoch: Option<EpochInfo>) -> Option<EpochInfo> {
        let mut memory = self.memory();
        memory.epoch = epoch.or(memory.epoch);
        memory.epoch
    }

    /// Brings the alarms up to date with what was found and what other parts have reported. Returns what has changed.
    ///
    /// # Errors
    /// When the database fails. If it has failed for a while, the receivers are told.
    pub(crate) async fn step(&self, found: Found) -> Result<Vec<AlarmChange>, StoreError> {
        let shared = &*self.shared;
        let observation = self.observation(found);
        let is_known = observation.conditions.iter().any(|observed| {
            let kind = observed.condition.key.kind;
            kind == AlarmKind::DatabaseUnusable && observed.lasts >= kind.patience()
        });
        let policy = &shared.config.policy;
        let now = shared.clock.now();
        let observed = shared
            .store
            .observe(&observation, policy, &shared.receivers, now)
            .await;
        let changes = match observed {
            Ok(changes) => changes,
            Err(error) => {
                self.database_failed(&error, is_known).await;
                return Err(error);
            }
        };
        self.database_works().await;
        changes.iter().for_each(log);
        if !changes.is_empty() {
            shared.changed.note();
        }
        if changes.iter().any(|change| change.message.is_some()) {
            self.send();
        }
        Ok(changes)
    }

    /// The alarms, or those in one state, newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn list(
        &self,
        state: Option<AlarmState>,
        page: Page<AlarmId>,
    ) -> Result<Vec<Alarm>, StoreError> {
        self.shared.store.alarms(state, page).await
    }

    /// Acknowledges an alarm. Repeating it does nothing. `None` if there is no such alarm.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledge(&self, id: AlarmId) -> Result<Option<Alarm>, StoreError> {
        let shared = &*self.shared;
        let now = shared.clock.now();
        let alarm = shared.store.acknowledge(id, &shared.receivers, now).await?;
        shared.changed.note();
        self.send();
        Ok(alarm)
    }

    /// Tells when one fires, is acknowledged, or is over.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.shared.changed.watch()
    }

    /// Sends a test message to every receiver now, once, and says how each took it.
    pub async fn test(&self) -> Vec<Told> {
        // One that everybody wants: the message says that it is a test.
        let condition = Condition::new(
            AlarmKind::Test,
            Subject::Daemon,
            "this is a test: nothing is wrong",
        );
        let now = self.shared.clock.now();
        let notification = tell::unstored(condition, AlarmEvent::Test, now);
        tell::all(&self.shared.notifiers, &notification).await
    }

    /// Alarms in numbers.
    pub(crate) async fn figures(&self) -> AlarmFigures {
        let store = &self.shared.store;
        let page = Page::first(MOST_COUNTED);
        let firing = store.alarms(Some(AlarmState::Firing), page).await.ok();
        let firing = firing.map(|alarms| {
            let mut firing = BTreeMap::from(Severity::ALL.map(|severity| (severity, 0_u64)));
            for alarm in alarms {
                let count = firing.entry(alarm.severity()).or_default();
                *count = count.saturating_add(1);
            }
            firing
        });
        let mut receivers = Vec::new();
        for outbox in &self.shared.outboxes {
            let name = &outbox.notifier.receiver().name;
            let waiting = store.waiting_deliveries(name).await.ok();
            receivers.push(outbox.counts.figures(name, waiting));
        }
        AlarmFigures { firing, receivers }
    }

    /// The work that sends messages: one future for each receiver, which runs for ever.
    pub(crate) fn deliveries(&self) -> Vec<impl Future<Output = ()> + Send + 'static> {
        let outboxes = 0..self.shared.outboxes.len();
        outboxes
            .map(|index| {
                let shared = Arc::clone(&self.shared);
                async move {
                    if let Some(outbox) = shared.outboxes.get(index) {
                        outbox.run().await;
                    }
                }
            })
            .collect()
    }

    /// Sends to each receiver what is due, up to the first message that it doesn't take.
    ///
    /// # Errors
    /// When the database fails.
    #[cfg(test)]
    pub(crate) async fn deliver(&self) -> Result<(), StoreError> {
        for outbox in &self.shared.outboxes {
            while outbox.step().await? {}
        }
        Ok(())
    }

    fn send(&self) {
        for outbox in &self.shared.outboxes {
            outbox.added.notify_one();
        }
    }

    /// What was found and reported, each condition once, with how long it has lasted.
    fn observation(&self, mut found: Found) -> Observation {
        let reported = self.shared.reports.found();
        found.unknown.extend(reported.unknown);
        found.conditions.extend(reported.conditions);
        found.keep_the_gravest();
        let unknown = found.unknown;
        let mut conditions: BTreeMap<AlarmKey, Condition> = BTreeMap::new();
        for condition in found.conditions {
            conditions.entry(condition.key.clone()).or_insert(condition);
        }
        let now = self.shared.clock.elapsed();
        let mut memory = self.memory();
        memory
            .observed
            .retain(|key, _| conditions.contains_key(key) || unknown.contains(&key.kind));
        let conditions = conditions.into_values().map(|condition| {
            let since = memory.observed.entry(condition.key.clone());
            let since = *since.or_insert(now);
            Observed {
                condition,
                lasts: now.saturating_sub(since),
            }
        });
        Observation {
            conditions: conditions.collect(),
            unknown,
        }
    }

    /// `is_known` says that the database has been of no use for long enough already.
    async fn database_failed(&self, cause: &StoreError, is_known: bool) {
        let (clock, policy) = (&self.shared.clock, &self.shared.config.policy);
        let is_due = self
            .memory()
            .emergency
            .failed(policy, is_known, clock.elapsed());
        if !is_due {
            return;
        }
        error!(
            error = with_causes(cause),
            "the database takes no alarms; telling the receivers directly"
        );
        // The kind of failure only: its causes can name files.
        let event = AlarmEvent::Fired;
        let told = self.tell_of_database(cause.to_string(), event).await;
        if told.iter().any(|told| told.problem.is_none()) {
            self.memory().emergency.told(clock.elapsed());
        }
    }

    async fn database_works(&self) {
        if self.memory().emergency.worked() {
            let summary = String::from("the database works again");
            self.tell_of_database(summary, AlarmEvent::Resolved).await;
        }
    }

    async fn tell_of_database(&self, summary: String, event: AlarmEvent) -> Vec<Told> {
        let condition = Condition::new(AlarmKind::DatabaseUnusable, Subject::Daemon, summary);
        let notification = tell::unstored(condition, event, self.shared.clock.now());
        tell::all(&self.shared.notifiers, &notification).await
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        let memory = self.shared.memory.lock();
        // Each field is consistent by itself, even if a holder of the lock panicked.
        memory.unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(change: &AlarmChange) {
    let Some(event) = change.message else { return };
    let alarm = &change.alarm;
    let (id, kind, subject) = (alarm.id, alarm.key.kind, &alarm.key.subject);
    match (event, alarm.severity()) {
        (AlarmEvent::Fired | AlarmEvent::Reminder, Severity::Critical) => {
            error!(alarm = %id, %kind, %subject, "alarm: {}", alarm.summary);
        }
        (AlarmEvent::Fired | AlarmEvent::Reminder, Severity::Warning) => {
            warn!(alarm = %id, %kind, %subject, "alarm: {}", alarm.summary);
        }
        _ => info!(alarm = %id, %kind, %subject, event = event.name(), "alarm: {}", alarm.summary),
    }
}
