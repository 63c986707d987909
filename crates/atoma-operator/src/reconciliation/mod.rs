//! Keeping the mirror true where events are not enough: comparing it with the contract's own state, and rebuilding it.
//!
//! `sweep.rs` says which entries come next, `snapshot.rs` reads the whole state at one version. The rule of what may be
//! compared is the domain's ([`is_comparable`](atoma_domain::reconciliation::is_comparable)), and comparison and repair
//! are one database transaction.

mod snapshot;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::contract::{EntriesRead, EntryKey};
use atoma_domain::ports::{
    Clock, Compared, ContractState, MirrorRepair, Repair, StoreError, UnexplainedChange,
};
use atoma_domain::reconciliation::Cause;
use atoma_domain::with_causes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::badges::ReconcileError;
use crate::ingest::{Applied, MirrorChange};
use sweep::Sweep;

/// How many unexplained changes are looked at in one step.
const CHANGES_AT_ONCE: u32 = 40;
/// The pause between two looks for unexplained changes, which ask the database alone.
const LOOK: Duration = Duration::from_secs(2);
/// One in so many looks goes on with the sweep, which asks the Sui node: a few calls in half a minute.
const LOOKS_PER_SWEEP: u32 = 15;
/// How often what can't be compared yet is read again before a request is answered.
const TRIES: usize = 20;
/// The longest wait for the mirror between two of them.
const PATIENCE: Duration = Duration::from_millis(500);

/// Compares the mirror with the contract. Clones share their state.
#[derive(Clone, Debug)]
pub struct Reconciler {
    contract: Arc<dyn ContractState>,
    mirror: Arc<dyn MirrorRepair>,
    clock: Arc<dyn Clock>,
    applied: Applied,
    /// The place of a request, which reads a lot: one at a time.
    place: Arc<Semaphore>,
    /// Writes to the mirror run here, on their own: subscribers learn of them even if the caller leaves.
    runtime: Handle,
}

impl Reconciler {
    /// Compares the mirror, whose ingestion reports in `applied`, with the contract. What it writes is written on the
    /// runtime that this is called on.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(
        contract: Arc<dyn ContractState>,
        mirror: Arc<dyn MirrorRepair>,
        clock: Arc<dyn Clock>,
        applied: Applied,
    ) -> Self {
        Self {
            contract,
            mirror,
            clock,
            applied,
            place: Arc::new(Semaphore::new(1)),
            runtime: Handle::current(),
        }
    }

    /// Compares what transactions changed without an event to tell, if there is any.
    ///
    /// # Errors
    /// When the contract can't be read or the database fails. The changes are looked at again with the next call.
    pub async fn explain_changes(&self) -> Result<Option<Compared>, ReconcileError> {
        let changes = self.mirror.unexplained_changes(CHANGES_AT_ONCE).await?;
        if changes.is_empty() {
            return Ok(None);
        }
        let objects: Vec<_> = changes.iter().map(|change| change.object).collect();
        let keys = self.contract.entries_of(&objects).await?;
        let repair = Repair::Mirror(Cause::Unexplained);
        self.compare(&keys, repair, &changes).await.map(Some)
    }

    /// Reads what the contract charges now, and notes it in the mirror.
    ///
    /// # Errors
    /// When the contract can't be read or the database fails.
    pub async fn note_charges(&self) -> Result<(), ReconcileError> {
        let repair = Repair::Mirror(Cause::Periodic);
        self.compare(&[], repair, &[]).await.map(drop)
    }

    /// Compares everything now, and waits a little for what the mirror has not applied yet.
    ///
    /// # Errors
    /// When the contract can't be read or the database fails. What was repaired before stays repaired.
    pub async fn compare_all(&self, repair: Repair) -> Result<Compared, ReconcileError> {
        // Never closed, so there is always a place to wait for.
        let _alone = self.place.acquire().await;
        let mut sweep = Sweep::default();
        let mut found = Compared::default();
        while let Some(keys) = sweep.next(&*self.contract, &*self.mirror).await? {
            add(&mut found, self.compare(&keys, repair, &[]).await?);
        }
        for _ in 0..TRIES {
            let open = std::mem::take(&mut found.open);
            if open.is_empty() {
                break;
            }
            let seen = self.applied.progress();
            // No news is a reason to look again too: the Sui node may have been behind.
            let _ = tokio::time::timeout(PATIENCE, self.applied.changed_since(&seen)).await;
            for keys in open.chunks(sweep::KEYS) {
                add(&mut found, self.compare(keys, repair, &[]).await?);
            }
        }
        Ok(found)
    }

    /// Compares the mirror with the contract, until stopped.
    pub async fn run(self, stopping: CancellationToken) {
        let mut sweep = Sweep::default();
        let mut looks = 0;
        let rounds = async {
            loop {
                tokio::time::sleep(LOOK).await;
                looks = (looks + 1) % LOOKS_PER_SWEEP;
                let step = match self.explain_changes().await {
                    Ok(None) if looks == 0 => self.sweep_once(&mut sweep).await,
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = step {
                    warn!(
                        error = with_causes(&error),
                        "can't compare the mirror with the contract; retrying"
                    );
                }
            }
        };
        stopping.run_until_cancelled(rounds).await;
    }

    /// Goes on with a sweep, or begins the next.
    async fn sweep_once(&self, sweep: &mut Sweep) -> Result<(), ReconcileError> {
        match sweep.next(&*self.contract, &*self.mirror).await? {
            Some(keys) => {
                let repair = Repair::Mirror(Cause::Periodic);
                self.compare(&keys, repair, &[]).await?;
            }
            None => *sweep = Sweep::default(),
        }
        Ok(())
    }

    async fn compare(
        &self,
        keys: &[EntryKey],
        repair: Repair,
        explained: &[UnexplainedChange],
    ) -> Result<Compared, ReconcileError> {
        // Before the entries are read.
        let mirrored = self.mirror.mirrored_version().await?;
        let read = self.contract.entries(keys, mirrored).await?;
        let (this, explained) = (self.clone(), explained.to_vec());
        self.on_its_own(async move { this.write(&read, repair, &explained).await })
            .await
    }

    /// Runs work to its end, even if the caller leaves.
    async fn on_its_own<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, ReconcileError> {
        let done = self.runtime.spawn(work).await;
        let done = done.map_err(|ended| StoreError::Unavailable(ended.into()))?;
        Ok(done?)
    }

    /// Compares what was read with the mirror, repairs it, and tells the subscribers.
    async fn write(
        &self,
        read: &EntriesRead,
        repair: Repair,
        explained: &[UnexplainedChange],
    ) -> Result<Compared, StoreError> {
        let now = self.clock.now();
        let found = self.mirror.reconcile(read, repair, explained, now).await?;
        debug!(
            compared = found.compared,
            open = found.open.len(),
            "compared entries of the mirror with the contract"
        );
        if let Repair::Mirror(cause) = repair
            && !found.differences.is_empty()
        {
            self.applied.tell(MirrorChange::Repaired);
            for difference in &found.differences {
                let (kind, cause) = (difference.kind.name(), cause.name());
                if difference.kind.is_silent() {
                    info!(key = ?difference.key, kind, cause, "updated the mirror");
                } else {
                    warn!(
                        key = ?difference.key,
                        kind,
                        cause,
                        mirrored = difference.mirrored,
                        on_chain = difference.on_chain,
                        "the mirror differed from the contract and was repaired"
                    );
                }
            }
        }
        Ok(found)
    }
}

fn add(found: &mut Compared, more: Compared) {
    found.differences.extend(more.differences);
    found.compared = found.compared.saturating_add(more.compared);
    found.open.extend(more.open);
}
