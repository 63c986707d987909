//! Following the ledger and applying it to the mirror.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoma_domain::ports::{ChainError, LedgerStream, Progress, StoreError};
use atoma_domain::{Address, Digest, with_causes};
use thiserror::Error;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, debug_span, error, info};

use crate::ports::Ports;

/// The most steps that are applied in one database transaction.
const STEPS_AT_ONCE: usize = 500;
/// How many of the latest applied digests are kept for callers that wait for them.
const REMEMBERED: usize = 16_384;
/// After how many failures in a row the mirror counts as stuck: a stream that breaks is no reason for alarm.
const FAILURES_TO_REPORT: u32 = 3;
/// The first pause after a failure. Each further failure doubles it, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a step of the ingestion failed. The next step continues from the last cursor applied.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The ledger can't be followed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the ingestion has applied, for callers that wait for it. Clones share their state.
#[derive(Clone, Debug)]
pub struct Applied {
    progress: watch::Sender<Progress>,
    recent: Arc<Mutex<Recent>>,
    failures: Arc<Mutex<Failures>>,
}

/// The steps that failed in a row.
#[derive(Debug, Default)]
struct Failures {
    in_a_row: u32,
    last: String,
}

#[derive(Debug, Default)]
struct Recent {
    digests: HashSet<Digest>,
    order: VecDeque<Digest>,
}

impl Default for Applied {
    fn default() -> Self {
        Self {
            progress: watch::Sender::new(Progress::default()),
            recent: Arc::default(),
            failures: Arc::default(),
        }
    }
}

impl Applied {
    /// The progress of the mirror.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Waits until the transaction is applied, or `limit` has passed. Returns whether it is applied.
    pub async fn wait_for(&self, digest: Digest, limit: Duration) -> bool {
        let mut progress = self.progress.subscribe();
        let applied = async {
            // Subscribed before this check, so that nothing applied in between is missed.
            while !self.has(digest) {
                if progress.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, applied).await.is_ok()
    }

    /// Waits until the progress of the mirror differs from `seen`.
    pub(crate) async fn changed_since(&self, seen: &Progress) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`, so this ends only with a change.
        let _ = progress.wait_for(|now| now != seen).await;
    }

    /// Whether this process has applied the transaction, among its last [`REMEMBERED`] ones.
    pub(crate) fn has(&self, digest: Digest) -> bool {
        self.recent().digests.contains(&digest)
    }

    /// Why the mirror does not move, if several steps in a row have failed.
    pub(crate) fn failure(&self) -> Option<String> {
        let failures = self.failures();
        (failures.in_a_row >= FAILURES_TO_REPORT).then(|| failures.last.clone())
    }

    fn note_failure(&self, failure: String) {
        let mut failures = self.failures();
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.last = failure;
    }

    fn note_success(&self) {
        self.failures().in_a_row = 0;
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        // Both fields are assigned at once, so a panic of a holder leaves them fitting.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, digests: impl Iterator<Item = Digest>, progress: Progress) {
        {
            let mut recent = self.recent();
            for digest in digests {
                if recent.digests.insert(digest) {
                    recent.order.push_back(digest);
                }
                if recent.order.len() > REMEMBERED
                    && let Some(oldest) = recent.order.pop_front()
                {
                    recent.digests.remove(&oldest);
                }
            }
        }
        self.progress.send_replace(progress);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A panic while it is held leaves at worst a digest that is never evicted.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ingestion loop.
#[derive(Debug)]
pub struct Ingestor {
    ports: Ports,
    operator: Address,
    applied: Applied,
    stream: Option<Box<dyn LedgerStream>>,
}

impl Ingestor {
    /// A loop that applies the ledger to `ports.events` and reports its progress in `applied`.
    pub fn new(ports: Ports, applied: Applied) -> Self {
        let operator = ports.signer.address();
        Self {
            ports,
            operator,
            applied,
            stream: None,
        }
    }

    /// Waits for the ledger's next steps and applies them, with their cursor, in one database
    /// transaction. Without a stream it first follows the ledger from the cursor in the database.
    ///
    /// # Errors
    /// When the ledger can't be followed or the database fails. Then nothing was applied, and the next
    /// call follows the ledger again from the last cursor applied.
    pub async fn step_once(&mut self) -> Result<Progress, IngestError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let progress = self.ports.events.progress().await?;
                let cursor = progress.cursor.clone();
                self.applied.publish(std::iter::empty(), progress);
                self.ports.source.follow(cursor).await?
            }
        };
        let steps = stream.next_steps(STEPS_AT_ONCE).await?;
        let applying = self.ports.events.apply(&steps, self.operator);
        let span = debug_span!("apply", steps = steps.len());
        let progress = applying.instrument(span).await?;
        let transactions = steps.iter().filter_map(|step| step.transaction.as_ref());
        let digests = transactions.map(|transaction| transaction.digest);
        self.applied.publish(digests, progress.clone());
        self.stream = Some(stream);
        Ok(progress)
    }

    /// Steps until stopped. After a failure it pauses before the next step.
    pub async fn run(mut self, stopping: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let step = tokio::select! {
                () = stopping.cancelled() => break,
                step = self.step_once() => step,
            };
            match step {
                Ok(progress) => {
                    pause = FIRST_PAUSE;
                    self.applied.note_success();
                    debug!(covered = ?progress.covered, "applied ledger steps");
                }
                Err(error) => {
                    self.applied.note_failure(with_causes(&error));
                    error!(
                        error = with_causes(&error),
                        pause_ms = pause.as_millis(),
                        "can't follow the ledger; retrying"
                    );
                    tokio::select! {
                        () = stopping.cancelled() => break,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        info!("stopped following the ledger");
    }
}
