//! The use cases as a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoma_domain::journal::{Failure, RequestKey};
use atoma_domain::ports::{JournalKey, Progress};
use atoma_domain::{CheckpointNumber, IntentId, with_causes};
use tokio::sync::watch;

use super::books::Kept;
use crate::alarms::Alarms;
use crate::engine::{Engine, LimitStatus};
use crate::ingest::{Applied, MirrorChanges};
use crate::measure::{Measurements, Sampler};
use crate::ports::Ports;
use crate::readiness::{NotReady, Readiness};
use crate::reconciliation::Reconciler;

/// The use cases of a node operator. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Operator {
    pub(super) ports: Ports,
    pub(super) engine: Engine,
    pub(super) applied: Applied,
    pub(super) readiness: Readiness,
    sampler: Sampler,
    /// What of the books was posted.
    pub(super) kept_books: Arc<tokio::sync::Mutex<Kept>>,
    /// How many amounts of the books differed when they were checked last.
    pub(super) books_differences: Arc<std::sync::OnceLock<AtomicU64>>,
    /// Compares the mirror with the contract.
    pub(super) reconciler: Option<Reconciler>,
    /// What is wrong, and who is told.
    pub(super) alarms: Option<Alarms>,
    /// How long a request waits for outcomes.
    pub(super) request_timeout: Duration,
    /// Whether requests are only simulated.
    pub(super) is_dry_run: bool,
    /// Whether new work is refused until the daemon accepts writes.
    pub(super) requires_start: bool,
    /// The client's key for the request, if it sent one.
    pub(super) key: Option<RequestKey>,
}

/// What a check of the whole daemon found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Why it can't serve, one sentence each; empty if it can.
    pub reasons: Vec<String>,
    /// The reason among them that stops writes, if any. It may not end by itself.
    pub stopped: Option<Failure>,
    /// What the operator should look into although the daemon works, one sentence each; empty if it can't serve.
    pub warnings: Vec<String>,
    /// How close the limits are to stopping new transactions; `None` if that can't be read.
    pub limits: Option<LimitStatus>,
}

impl Operator {
    /// The use cases on top of an engine and its ports.
    pub fn new(
        ports: Ports,
        engine: Engine,
        applied: Applied,
        readiness: Readiness,
        request_timeout: Duration,
    ) -> Self {
        Self {
            ports,
            engine,
            applied,
            readiness,
            sampler: Sampler::default(),
            kept_books: Arc::default(),
            books_differences: Arc::default(),
            reconciler: None,
            alarms: None,
            request_timeout,
            is_dry_run: false,
            requires_start: false,
            key: None,
        }
    }

    /// The same use cases, which can compare the mirror with the contract.
    #[must_use]
    pub fn reconciling_with(self, reconciler: Reconciler) -> Self {
        Self {
            reconciler: Some(reconciler),
            ..self
        }
    }

    /// The same use cases, which look for what is wrong.
    #[must_use]
    pub fn with_alarms(self, alarms: Alarms) -> Self {
        Self {
            alarms: Some(alarms),
            ..self
        }
    }

    /// The same use cases as a dry run: requests are checked and simulated, and nothing is written
    /// or sent.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self {
            is_dry_run: true,
            ..self.clone()
        }
    }

    /// The same use cases, which refuse new work until the daemon accepts writes. They still report
    /// the outcome of a request that was sent before.
    #[must_use]
    pub fn requiring_start(&self) -> Self {
        Self {
            requires_start: true,
            ..self.clone()
        }
    }

    /// The same use cases for one request under a client's key, which makes it safe to repeat: a
    /// repeated request does nothing twice and reports the outcome of the first.
    #[must_use]
    pub fn with_key(&self, key: RequestKey) -> Self {
        Self {
            key: Some(key),
            ..self.clone()
        }
    }

    /// The ports, for callers that need no use case: to read the state or the journal.
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Whether the daemon can serve.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Checks everything that keeps the daemon from serving: the mirror, the Sui node, the disk, the
    /// journal, the limits and the circuit breaker.
    pub async fn check(&self) -> Checked {
        let height = self.readiness.height().await;
        let mut reasons = match self.readiness.check_at(&height) {
            Ok(()) => Vec::new(),
            Err(NotReady(reasons)) => reasons,
        };
        reasons.extend(self.readiness.disk_problem().await);
        let stopped = self.stopped();
        if let Some(pause) = &stopped
            && !reasons.contains(&pause.to_string())
        {
            reasons.push(pause.to_string());
        }
        // The limits alone may be known without a read. No intent has the number 0.
        let none = JournalKey::Id(IntentId::new(0));
        let read = self.ports.journal.find(none).await;
        let limits = self.engine.limits().await;
        if let Some(error) = read.as_ref().err().or(limits.as_ref().err()) {
            reasons.push(format!("the journal can't be read: {}", with_causes(error)));
        }
        let warnings = match height {
            Ok(height) if reasons.is_empty() => self.warnings(height).await,
            _ => Vec::new(),
        };
        Checked {
            reasons,
            stopped,
            warnings,
            limits: limits.ok(),
        }
    }

    /// The daemon in numbers, for metrics.
    pub async fn measure(&self) -> Measurements {
        let ports = self.ports_for_measuring();
        let (engine, applied) = (&self.engine, &self.applied);
        let measured = self.sampler.measure(&ports, engine, applied).await;
        self.with_alarm_figures(measured).await
    }

    /// The same for people, who would rather see earlier sums than wait: while new ones are read, the last ones stand.
    pub async fn measure_without_waiting(&self) -> Measurements {
        let ports = self.ports_for_measuring();
        let (engine, applied) = (&self.engine, &self.applied);
        let sampler = &self.sampler;
        let measured = sampler.measure_without_waiting(&ports, engine, applied);
        self.with_alarm_figures(measured.await).await
    }

    /// Where a Sui node limits requests, metrics wait longest.
    fn ports_for_measuring(&self) -> Ports {
        Ports {
            chain: Arc::clone(&self.readiness.ports.chain),
            ..self.ports.clone()
        }
    }

    async fn with_alarm_figures(&self, measured: Measurements) -> Measurements {
        let alarms = match &self.alarms {
            Some(alarms) => Some(alarms.figures().await),
            None => None,
        };
        let books_differences = self.books_differences.get();
        Measurements {
            alarms,
            books_differences: books_differences.map(|count| count.load(Ordering::Relaxed)),
            ..measured
        }
    }

    async fn warnings(&self, height: CheckpointNumber) -> Vec<String> {
        let set_aside = match self.applied.progress().set_aside {
            0 => None,
            count => Some(format!(
                "the mirror may lack something: {count} events that this version can't read are set aside; \
                 see docs/reconciliation.md"
            )),
        };
        let compared = self.readiness.warnings(height).await;
        set_aside
            .into_iter()
            .chain(self.engine.warnings())
            .chain(compared)
            .collect()
    }

    /// A subscription to the changes of the mirror from now on.
    pub fn changes(&self) -> MirrorChanges {
        self.applied.subscribe()
    }

    /// Tells when the mirror has moved.
    pub fn mirror_moved(&self) -> watch::Receiver<Progress> {
        self.applied.watch()
    }

    /// Tells when a transaction of the journal has come, or stands differently.
    pub fn transactions_changed(&self) -> watch::Receiver<u64> {
        self.engine.transactions_changed()
    }

    /// Tells when an alarm fires, is acknowledged, or is over. `None` if nobody looks for what is wrong.
    pub fn alarms_changed(&self) -> Option<watch::Receiver<u64>> {
        self.alarms.as_ref().map(Alarms::changed)
    }

    /// Why writes are stopped or paused, if they are.
    pub(crate) fn stopped(&self) -> Option<Failure> {
        self.readiness.stopped().or_else(|| self.engine.paused())
    }

    /// Why an unfinished transaction waits, if it does.
    pub fn held(&self, id: IntentId) -> Option<Failure> {
        self.engine.held(id)
    }
}
