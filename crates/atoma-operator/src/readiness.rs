//! Whether the daemon can serve: its mirror has caught up, and the Sui node answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use atoma_domain::journal::Failure;
use atoma_domain::ports::StoreError;
use atoma_domain::with_causes;
use atoma_domain::{CheckpointNumber, Epoch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::comparison;
use crate::disk::DiskWatch;
use crate::ingest::Applied;
use crate::ports::Ports;

/// How many checkpoints the mirror may lag behind and still count as caught up. The ledger grows while
/// it is followed.
const SLACK: u64 = 20;
/// The longest wait for an answer of the Sui node.
const PATIENCE: Duration = Duration::from_secs(2);

/// The reasons why the daemon is not ready, one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady(pub Vec<String>);

/// Checks what serving depends on, and keeps it up to date. Clones share their state.
#[derive(Clone, Debug)]
pub struct Readiness {
    pub(crate) ports: Ports,
    applied: Applied,
    /// The mirror has caught up in this process, or was there when it began.
    caught_up: Arc<AtomicBool>,
    /// The start is complete: the chain is the database's own, and the attempts of the last run are
    /// taken up.
    started: Arc<AtomicBool>,
    /// Why the start is not complete yet, if it was tried.
    start_problem: Arc<Mutex<Option<String>>>,
    /// Why writes are stopped until the next start.
    stopped: Arc<OnceLock<Failure>>,
    disk: DiskWatch,
}

impl Readiness {
    /// The readiness of a daemon on these ports. `applied` is the progress of its ingestion.
    pub fn new(ports: Ports, applied: Applied) -> Self {
        Self {
            ports,
            applied,
            caught_up: Arc::default(),
            started: Arc::default(),
            start_problem: Arc::default(),
            stopped: Arc::default(),
            disk: DiskWatch::default(),
        }
    }

    /// Notes that the start is complete, so that writes are accepted.
    pub fn note_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Notes why the start is not complete yet. It is tried again.
    pub(crate) fn note_start_problem(&self, problem: String) {
        *self.start_problem() = Some(problem);
    }

    fn start_problem(&self) -> MutexGuard<'_, Option<String>> {
        // It is assigned at once, so a panic of a holder leaves it whole.
        self.start_problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves the mirror of an earlier run, if there is one, without waiting for it to catch up.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn adopt_earlier_mirror(&self) -> Result<(), StoreError> {
        if self.ports.events.progress().await?.covered.is_some() {
            self.caught_up.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Refuses requests that depend on the mirror until it has caught up for the first time.
    ///
    /// # Errors
    /// [`Failure::NotReady`] with the reasons.
    pub async fn require(&self) -> Result<(), Failure> {
        if self.caught_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Whatever else is not ready does not matter here.
        match self.mirror_problem().await {
            Some(_) if self.caught_up.load(Ordering::Relaxed) => Ok(()),
            Some(reason) => Err(Failure::NotReady {
                reasons: vec![reason],
            }),
            None => Ok(()),
        }
    }

    /// Refuses writes until the start is complete, because the chain must be the database's own and the
    /// attempts of the last run must be taken up first. Refuses them too once they are
    /// [stopped](Self::stop_writes).
    ///
    /// # Errors
    /// [`Failure::NotReady`] with the reasons, or the reason why writes are stopped.
    pub async fn require_for_writes(&self) -> Result<(), Failure> {
        if let Some(reason) = self.stopped.get() {
            return Err(reason.clone());
        }
        if self.started.load(Ordering::Relaxed) {
            return self.require().await;
        }
        match self.check().await {
            // The start has been completed in between.
            Ok(()) => Ok(()),
            Err(NotReady(reasons)) => Err(Failure::NotReady { reasons }),
        }
    }

    /// Checks the mirror, the Sui node and the start now.
    ///
    /// # Errors
    /// The reasons why the daemon is not ready.
    pub async fn check(&self) -> Result<(), NotReady> {
        self.check_at(&self.height().await)
    }

    /// The same with the Sui node's height, or why it is not known.
    pub(crate) fn check_at(
        &self,
        height: &Result<CheckpointNumber, String>,
    ) -> Result<(), NotReady> {
        let mut reasons: Vec<_> = self.problem_at(height).into_iter().collect();
        if let Some(failure) = self.applied.failure() {
            reasons.push(format!("the mirror does not move: {failure}"));
        }
        if let Some(reason) = self.stopped.get() {
            reasons.push(reason.to_string());
        }
        if !self.started.load(Ordering::Relaxed) && reasons.is_empty() {
            reasons.push(match &*self.start_problem() {
                Some(problem) => format!("the daemon is starting: {problem}"),
                None => String::from("the daemon is starting"),
            });
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(NotReady(reasons))
        }
    }

    /// What looks wrong about a Sui node at this height or about this machine's clock, one sentence each.
    pub(crate) async fn warnings(&self, height: CheckpointNumber) -> Vec<String> {
        let time = self.ports.chain.checkpoint_time(height);
        let Ok(Ok(at)) = tokio::time::timeout(PATIENCE, time).await else {
            return Vec::new();
        };
        let covered = self.applied.progress().covered;
        comparison::warnings(height, at, covered, self.ports.clock.now())
    }

    /// The latest checkpoint of the Sui node, or why it is not known.
    pub(crate) async fn height(&self) -> Result<CheckpointNumber, String> {
        match tokio::time::timeout(PATIENCE, self.ports.chain.height()).await {
            Ok(height) => height.map_err(|error| with_causes(&error)),
            Err(_) => Err(format!(
                "the Sui node did not answer within {} s",
                PATIENCE.as_secs()
            )),
        }
    }

    /// Why the mirror has not caught up, or can't be compared with the Sui node, if so.
    async fn mirror_problem(&self) -> Option<String> {
        self.problem_at(&self.height().await)
    }

    fn problem_at(&self, height: &Result<CheckpointNumber, String>) -> Option<String> {
        let height = match height {
            Ok(height) => height.get(),
            Err(problem) => return Some(problem.clone()),
        };
        let covered = self.applied.progress().covered;
        let covered = covered.map_or(0, |covered| covered.get().saturating_add(1));
        if covered.saturating_add(SLACK) > height {
            self.caught_up.store(true, Ordering::Relaxed);
            return None;
        }
        Some(format!(
            "the mirror has processed {covered} of {} checkpoints",
            height.saturating_add(1)
        ))
    }

    /// Why the disk of the database takes no write, if so.
    pub(crate) async fn disk_problem(&self) -> Option<String> {
        self.disk.problem(&self.ports).await
    }

    /// Why writes are stopped until the next start, if so.
    pub(crate) fn stopped(&self) -> Option<Failure> {
        self.stopped.get().cloned()
    }

    /// Stops writes until the next start.
    pub fn stop_writes(&self, reason: Failure) {
        // The first reason is enough.
        let _ = self.stopped.set(reason);
    }

    /// Keeps the mirror's epoch up to date between events: reads it from the chain at this interval,
    /// until stopped. When it changes, it also compares the operator's nodes with the chain.
    pub async fn follow_epochs(self, interval: Duration, stopping: CancellationToken) {
        let mut known = None;
        loop {
            known = self.follow_epoch(known).await;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    /// One step of [`follow_epochs`](Self::follow_epochs): takes the epoch that is known and returns the one
    /// that is known afterwards.
    async fn follow_epoch(&self, known: Option<Epoch>) -> Option<Epoch> {
        let epoch = match self.ports.chain.epoch().await {
            Ok(info) if known == Some(info.epoch) => return known,
            Ok(info) => info.epoch,
            Err(error) => {
                warn!(
                    error = with_causes(&error),
                    "can't read the epoch; retrying"
                );
                return known;
            }
        };
        // In the first epoch, the start has just compared them.
        if known.is_some()
            && let Err(error) = self.reconcile_nodes().await
        {
            warn!(
                error = with_causes(&error),
                "can't compare the operator's nodes with the chain"
            );
        }
        match self.ports.events.note_epoch(epoch).await {
            Ok(()) => {
                info!(%epoch, "current epoch");
                Some(epoch)
            }
            Err(error) => {
                warn!(
                    error = with_causes(&error),
                    "can't store the epoch; retrying"
                );
                known
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::engine::testing::ledger::{FakeChain, FakeLedger};
    use crate::engine::testing::ports;

    /// The start compares the nodes with the chain, so the first epoch is no reason to do it again.
    #[tokio::test]
    async fn the_nodes_are_compared_when_the_epoch_changes() {
        let chain = Arc::new(FakeChain(Mutex::new(FakeLedger::default())));
        let readiness = Readiness::new(ports(chain.clone()).await, Applied::default());
        let mut known = None;
        for (epoch, compared) in [(3, 0), (3, 0), (4, 1), (4, 1), (5, 2)] {
            let epoch = Some(Epoch::new(epoch));
            chain.0.lock().unwrap().epoch = epoch;
            known = readiness.follow_epoch(known).await;
            assert_eq!(known, epoch);
            assert_eq!(chain.0.lock().unwrap().badges_read, compared);
            let mirrored = readiness.ports.events.progress().await.unwrap();
            assert_eq!(mirrored.epoch, epoch);
        }
        chain.0.lock().unwrap().epoch = None;
        assert_eq!(readiness.follow_epoch(known).await, known);
    }
}
