//! Following the ledger and applying it to the mirror.

mod applied;
mod changes;
mod read_ahead;

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::ports::{ChainError, ChainEvents, EventSource, Progress, StoreError};
use atoma_domain::{Address, with_causes};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, debug_span, error, info, warn};

use crate::badges::ReconcileError;
use crate::reconciliation::Reconciler;

pub use applied::Applied;
pub use changes::{MirrorChange, MirrorChanges};
use read_ahead::ReadAhead;

/// The first pause after a failure. Each further failure doubles it, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a step of the ingestion failed. The next step continues from the last cursor applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The ledger can't be followed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReconcileError> for IngestError {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Chain(error) => Self::Chain(error),
            ReconcileError::Store(error) => Self::Store(error),
        }
    }
}

/// The ingestion loop. It reads the ledger ahead while what was read is applied.
#[derive(Debug)]
pub struct Ingestor {
    source: Arc<dyn EventSource>,
    events: Arc<dyn ChainEvents>,
    operator: Address,
    applied: Applied,
    /// What rebuilds the mirror if the node has pruned what comes next.
    reconciler: Option<Reconciler>,
    stream: Option<ReadAhead>,
}

impl Ingestor {
    /// A loop that applies the ledger of `source` to `events`, in which the nodes of `operator` are its own, and
    /// reports its progress in `applied`.
    pub fn new(
        source: Arc<dyn EventSource>,
        events: Arc<dyn ChainEvents>,
        operator: Address,
        applied: Applied,
    ) -> Self {
        Self {
            source,
            events,
            operator,
            applied,
            reconciler: None,
            stream: None,
        }
    }

    /// Rebuilds the mirror from the contract's state if the node has pruned what comes next, instead of waiting for
    /// a node that has it.
    #[must_use]
    pub fn rebuilding_with(self, reconciler: Reconciler) -> Self {
        Self {
            reconciler: Some(reconciler),
            ..self
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
            None => self.begin().await?,
        };
        let steps = stream.next_steps().await?;
        let applying = self.events.apply(&steps, self.operator);
        let span = debug_span!("apply", steps = steps.len());
        let progress = applying.instrument(span).await?;
        self.applied.publish(steps, progress.clone());
        self.stream = Some(stream);
        Ok(progress)
    }

    /// Follows the ledger from the cursor in the database, or from a rebuilt mirror's.
    async fn begin(&self) -> Result<ReadAhead, IngestError> {
        let progress = self.events.progress().await?;
        let cursor = progress.cursor.clone();
        self.applied.publish_progress(progress);
        let stream = match (self.source.follow(cursor).await, &self.reconciler) {
            (Err(ChainError::Pruned { lowest, wanted }), Some(reconciler)) => {
                warn!(
                    lowest,
                    wanted, "the Sui node has pruned what the mirror needs next; rebuilding it"
                );
                reconciler.rebuild().await?;
                let progress = self.events.progress().await?;
                let cursor = progress.cursor.clone();
                self.applied.publish_progress(progress);
                self.source.follow(cursor).await?
            }
            (followed, _) => followed?,
        };
        Ok(ReadAhead::begin(stream))
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
        self.applied.end_subscriptions();
        info!("stopped following the ledger");
    }
}
