//! The start of a node.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, StoreError};
use atoma_domain::with_causes;
use tracing::{error, info, warn};

use super::{Parts, StartError};
use crate::autopilot::{AutopilotMode, AutopilotRun};
use crate::badge_use::not_shown;
use crate::ingest::Ingestor;
use crate::upkeep::JournalUpkeep;

/// The longest pause between two attempts to accept writes.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Parts {
    /// Starts, or goes on trying in the background if the Sui node or the database is not available.
    pub(super) async fn start_or_keep_trying(self) -> Result<(), StartError> {
        match self.start().await {
            Err(error) if error.is_temporary() => {
                warn!(
                    error = with_causes(&error),
                    "can't start yet; serving reads and retrying"
                );
                self.readiness.note_start_problem(with_causes(&error));
                self.spawn(self.clone().keep_starting());
                Ok(())
            }
            started => started,
        }
    }

    /// The part of the start that needs the chain: check that it is the database's chain, learn the
    /// operator's nodes, follow the ledger, and resume the attempts that the last run left open.
    /// Writes begin once those are resolved.
    async fn start(&self) -> Result<(), StartError> {
        let ports = &self.adapters.ports;
        let identity = match ports.chain.identity().await {
            // The ids have been right before, so the node is behind or being set up again.
            Err(error @ ChainError::Contract { .. }) if self.has_mirrored().await? => {
                return Err(StartError::Chain(error));
            }
            Err(error @ ChainError::Contract { .. }) => return Err(StartError::Contract(error)),
            identity => identity?,
        };
        ports.events.bind(&identity).await?;
        self.readiness.reconcile_nodes().await?;
        self.engine.take_up_attempts().await?;
        let ingestor = Ingestor::new(
            ports.source.clone(),
            ports.events.clone(),
            ports.signer.address(),
            self.applied.clone(),
        );
        let ingestor = ingestor.rebuilding_with(self.reconciler.clone());
        self.spawn(ingestor.run(self.stopping.clone()));
        let reconciler = self.reconciler.clone();
        self.spawn(reconciler.run(self.stopping.clone()));
        let epochs = self.readiness.clone();
        let stopping = self.stopping.clone();
        self.spawn(epochs.follow_epochs(self.config.epoch_interval, stopping));
        let engine = self.engine.clone();
        self.spawn(engine.watch_balance(self.config.balance_interval));
        info!(%identity, "started");
        if self.engine.resolved(Duration::ZERO).await {
            match self.begin_writes().await {
                Ok(()) => return Ok(()),
                Err(error) => self.note_unwritable(&error),
            }
        }
        self.spawn(self.clone().begin_writes_when_resolved());
        Ok(())
    }

    /// Tries to start until it succeeds. Ends the node if it never can, for example because the database belongs to
    /// another chain.
    async fn keep_starting(self) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(self.config.start_pause) => {}
            }
            match self.start().await {
                Ok(()) => return,
                Err(error) if error.is_temporary() => {
                    warn!(error = with_causes(&error), "can't start yet; retrying");
                    self.readiness.note_start_problem(with_causes(&error));
                }
                Err(error) => {
                    error!(error = with_causes(&error), "can't start; stopping");
                    *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    self.stopping.cancel();
                    return;
                }
            }
        }
    }

    /// Whether the database has mirrored a chain already.
    async fn has_mirrored(&self) -> Result<bool, StoreError> {
        let progress = self.adapters.ports.events.progress().await?;
        Ok(progress.cursor.is_some())
    }

    /// Looks for foreign use of the badges, resumes queued intents, and accepts writes.
    async fn begin_writes(&self) -> Result<(), StartError> {
        let foreign = self.readiness.foreign_uses().await?;
        if self.config.engine.allow_foreign_use {
            for used in &foreign {
                if self.config.expects_foreign_use {
                    let (node, digest) = (used.node.node_small_id, used.tx_digest);
                    info!(%node, %digest, "other software used the node's badge before, as expected");
                } else {
                    warn!("{}", Failure::from(*used));
                }
            }
            self.readiness.acknowledge(&foreign).await?;
        } else if let Some(used) = foreign.iter().find(|used| used.is_shown) {
            let reason = Failure::from(*used);
            error!("writes are stopped: {reason}; see `allow_foreign_use` in the configuration");
            self.engine.stop_signing(reason.clone());
            self.readiness.stop_writes(reason);
        } else if let Some(used) = foreign.first() {
            // That it isn't shown proves nothing: the Sui node may show it in a moment.
            return Err(not_shown(used.tx_digest).into());
        }
        self.engine.look_at_balance().await;
        self.engine.take_up_queued().await?;
        self.autopilot.begin_idle().await;
        self.readiness.note_started();
        self.begin_autopilot();
        let engine = self.engine.clone();
        self.spawn(async move { engine.report_skipped_rows().await });
        if let Some(keep) = self.config.keep_bytes {
            let (database, clock) = (&self.adapters.upkeep, &self.adapters.ports.clock);
            let upkeep = JournalUpkeep::new(Arc::clone(database), Arc::clone(clock), keep);
            self.spawn(upkeep.run(self.stopping.clone()));
        }
        Ok(())
    }

    /// Lets the autopilot look, and act if the configuration says so.
    fn begin_autopilot(&self) {
        if self.autopilot.config().mode == AutopilotMode::Off {
            return;
        }
        let changes = self.applied.subscribe();
        let work = AutopilotRun::new(self.autopilot.clone()).run(changes);
        let stopping = self.stopping.clone();
        self.spawn(async move {
            stopping.run_until_cancelled(work).await;
        });
    }

    async fn begin_writes_when_resolved(self) {
        tokio::select! {
            () = self.stopping.cancelled() => return,
            resolved = self.engine.resolved(self.config.recovery_timeout) => if !resolved {
                // Safe, because its lane resolves it before it signs anything else.
                error!("a transaction from before the start has no known outcome yet; its node waits, the others continue");
            },
        }
        let mut pause = self.config.start_pause;
        loop {
            match self.begin_writes().await {
                Ok(()) => return,
                Err(error) => self.note_unwritable(&error),
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = pause
                .saturating_mul(2)
                .min(LONGEST_PAUSE.max(self.config.start_pause));
        }
    }

    fn note_unwritable(&self, error: &StartError) {
        warn!(
            error = with_causes(error),
            "can't accept writes yet; retrying"
        );
        self.readiness.note_start_problem(with_causes(error));
    }
}
