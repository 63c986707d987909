//! Whether the daemon can serve: its mirror has caught up, the Sui node answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use atoma_domain::ObjectReference;
use atoma_domain::journal::Failure;
use atoma_domain::ports::{ChainError, JournalKey, StoreError};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::causes::with_causes;
use crate::{Applied, Ports};

/// How far the mirror may be behind and still count as caught up, in checkpoints: the ledger grows
/// while it is asked.
const SLACK: u64 = 20;
/// How long the Sui node may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the daemon is not ready, one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady(pub Vec<String>);

/// Watches what readiness depends on.
#[derive(Clone, Debug)]
pub struct Readiness {
    ports: Ports,
    applied: Applied,
    /// The mirror has caught up once, in this process or in one before.
    caught_up: Arc<AtomicBool>,
    /// The chain is known to be the database's own, and what a crash left open is taken up.
    started: Arc<AtomicBool>,
    /// Why writes are stopped until the next start, if they are.
    stopped: Arc<OnceLock<Failure>>,
}

impl Readiness {
    /// A watch over `ports`, with the ingestion's progress.
    pub fn new(ports: Ports, applied: Applied) -> Self {
        Self {
            ports,
            applied,
            caught_up: Arc::default(),
            started: Arc::default(),
            stopped: Arc::default(),
        }
    }

    /// Notes that the start is complete: writes may begin.
    pub fn note_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Notes that a mirror from an earlier run is there to be served.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn adopt_earlier_mirror(&self) -> Result<(), StoreError> {
        if self.ports.events.progress().await?.covered.is_some() {
            self.caught_up.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Refuses what depends on the mirror before it has caught up for the first time.
    ///
    /// # Errors
    /// [`Failure::NotReady`] with the reasons.
    pub async fn require(&self) -> Result<(), Failure> {
        if self.caught_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.check()
            .await
            .map_err(|NotReady(reasons)| Failure::NotReady { reasons })
    }

    /// Refuses writes before the start is complete: the chain must be known to be the database's
    /// own, and what a crash left open must have been taken up.
    ///
    /// # Errors
    /// [`Failure::NotReady`] with the reasons.
    pub async fn require_for_writes(&self) -> Result<(), Failure> {
        if let Some(reason) = self.stopped.get() {
            return Err(reason.clone());
        }
        if self.started.load(Ordering::Relaxed) {
            return self.require().await;
        }
        match self.check().await {
            // The start was completed in between.
            Ok(()) => Ok(()),
            Err(NotReady(reasons)) => Err(Failure::NotReady { reasons }),
        }
    }

    /// Checks everything anew.
    ///
    /// # Errors
    /// The reasons why the daemon is not ready.
    pub async fn check(&self) -> Result<(), NotReady> {
        let mut reasons = Vec::new();
        match tokio::time::timeout(PATIENCE, self.ports.chain.height()).await {
            Ok(Ok(height)) => {
                let covered = self.applied.progress().covered.map_or(0, |c| c.get() + 1);
                if covered + SLACK > height.get() {
                    self.caught_up.store(true, Ordering::Relaxed);
                } else {
                    reasons.push(format!(
                        "the state covers {covered} of {} checkpoints",
                        height.get() + 1
                    ));
                }
            }
            Ok(Err(error)) => reasons.push(format!(
                "the Sui node does not answer: {}",
                with_causes(&error)
            )),
            Err(_) => reasons.push(format!(
                "the Sui node has not answered within {} s",
                PATIENCE.as_secs()
            )),
        }
        if let Some(reason) = self.stopped.get() {
            reasons.push(reason.to_string());
        }
        if !self.started.load(Ordering::Relaxed) && reasons.is_empty() {
            reasons.push(String::from("the daemon is starting"));
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(NotReady(reasons))
        }
    }

    /// Compares the journal with the chain: a badge whose last transaction is not in the journal,
    /// though the journal has used or registered it, or signed over a version that is gone, is used
    /// by somebody else with the same key.
    ///
    /// # Errors
    /// When the chain or the database can't be read.
    pub async fn foreign_use(&self) -> Result<Option<Failure>, ReconcileError> {
        let Ports { journal, chain, .. } = &self.ports;
        let unfinished = journal.unfinished().await?;
        let signed = unfinished.iter().filter_map(|open| open.attempt.as_ref());
        let signed: Vec<_> = signed.filter_map(|open| open.badge.as_ref()).collect();
        for badge in chain.badges(self.ports.signer.address()).await? {
            let id = *badge.reference.object_id();
            // The transaction that brought it to the version that was signed may be anybody's.
            let is_gone = |signed: &&ObjectReference| {
                *signed.object_id() == id && signed.version() < badge.reference.version()
            };
            if journal.last_use(id).await?.is_none() && !signed.iter().any(is_gone) {
                continue;
            }
            let Some((_, Some(tx_digest))) = chain.object(id).await? else {
                continue;
            };
            if journal.find(JournalKey::Digest(tx_digest)).await?.is_none() {
                return Ok(Some(Failure::BadgeUsedElsewhere {
                    node_small_id: badge.node_small_id,
                    tx_digest,
                }));
            }
        }
        Ok(None)
    }

    /// Stops writes for a reason, until the daemon is started again.
    pub fn stop_writes(&self, reason: Failure) {
        // Only the first reason counts; it says enough.
        let _ = self.stopped.set(reason);
    }

    /// Keeps the mirror's epoch current between events, until stopped.
    pub async fn follow_epochs(self, every: Duration, stopping: CancellationToken) {
        let mut known = None;
        loop {
            match self.ports.chain.epoch().await {
                Ok(info) if known != Some(info.epoch) => {
                    match self.ports.events.note_epoch(info.epoch).await {
                        Ok(()) => known = Some(info.epoch),
                        Err(error) => {
                            warn!(error = with_causes(&error), "the epoch can't be noted")
                        }
                    }
                    info!(epoch = %info.epoch, "epoch");
                }
                Ok(_) => {}
                Err(error) => warn!(error = with_causes(&error), "the epoch can't be read"),
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    /// Has the operator's nodes in the mirror be those whose badges its address owns on chain.
    ///
    /// # Errors
    /// When the chain can't be read or the database not written.
    pub async fn reconcile_nodes(&self) -> Result<(), ReconcileError> {
        let address = self.ports.signer.address();
        let nodes: Vec<_> = self
            .ports
            .chain
            .badges(address)
            .await?
            .into_iter()
            .map(|badge| atoma_domain::model::OperatorNode {
                node_small_id: badge.node_small_id,
                node_badge_id: *badge.reference.object_id(),
                address,
            })
            .collect();
        self.ports
            .events
            .set_operator_nodes(address, &nodes)
            .await?;
        Ok(())
    }
}

/// Why the operator's nodes could not be reconciled with the chain.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The badges can't be read.
    #[error("the operator's badges can't be read")]
    Chain(#[from] ChainError),
    /// The database failed.
    #[error("the operator's nodes can't be stored")]
    Store(#[from] StoreError),
}
