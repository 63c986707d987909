//! Reading the contract's whole state at one version, and rebuilding the mirror from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoma_domain::contract::{ContractCounters, EntriesRead, EntryKey};
use atoma_domain::ports::{ChainError, Compared, ContractState, EventCursor, StoreError};
use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{Reconciler, sweep};
use crate::badges::ReconcileError;
use crate::ingest::MirrorChange;

/// How often the state is read again because the contract changed meanwhile.
const ATTEMPTS: usize = 10;
/// How many calls read at the same time: the fewer changes fall into a read, the sooner one succeeds.
const CALLS_AT_ONCE: usize = 8;
/// How many open stacks of the mirror are read at once.
const PAGE: u32 = 1_000;

impl Reconciler {
    /// Rebuilds the mirror from the contract's state at one version. The ledger is followed from there. Served work and the
    /// journal stay.
    ///
    /// # Errors
    /// When the contract can't be read, changes during each attempt, or is older than the mirror; or the database fails.
    /// Then the mirror is as before.
    pub async fn rebuild(&self) -> Result<Compared, ReconcileError> {
        let _alone = self.place.acquire().await;
        for attempt in 1..=ATTEMPTS {
            let one = self.contract.through_one_node();
            let contract = one.as_ref().unwrap_or(&self.contract);
            // Before the state, and from the same node, so that no transaction after it is missed.
            let cursor = contract.newest_cursor().await?;
            let Some(state) = self.read_state(contract).await? else {
                warn!(attempt, "the contract changed while its state was read");
                continue;
            };
            let this = self.clone();
            let rebuilt = self.on_its_own(async move { this.replace(&state, &cursor).await });
            let behind = "the Sui node is behind the mirror, which can't be rebuilt from it";
            return rebuilt
                .await?
                .ok_or_else(|| ChainError::Unavailable(behind.into()).into());
        }
        let busy = "the contract changed during each attempt to read its whole state";
        Err(ChainError::Unavailable(busy.into()).into())
    }

    /// Writes the mirror anew and tells the subscribers; `None` if it is ahead of that state.
    async fn replace(
        &self,
        state: &EntriesRead,
        cursor: &EventCursor,
    ) -> Result<Option<Compared>, StoreError> {
        let now = self.clock.now();
        let Some(differences) = self.mirror.rebuild(state, cursor, now).await? else {
            return Ok(None);
        };
        self.applied.tell(MirrorChange::Missed);
        info!(
            version = state.counters.version,
            entries = state.entries.len(),
            differences = differences.len(),
            "rebuilt the mirror from the contract's state"
        );
        Ok(Some(Compared {
            differences,
            compared: u64::try_from(state.entries.len()).unwrap_or(u64::MAX),
            open: Vec::new(),
        }))
    }

    /// The whole state at one version; `None` if the contract changed meanwhile. The version is read first, and the stacks are
    /// listed before any entry is read: a node has published the version's transaction by then.
    async fn read_state(
        &self,
        contract: &Arc<dyn ContractState>,
    ) -> Result<Option<EntriesRead>, ReconcileError> {
        let counters = contract.counters().await?;
        let Some(stacks) = self.stacks(contract, &counters).await? else {
            return Ok(None);
        };
        let nodes = (1..counters.next_node.get()).map(|id| EntryKey::Node(NodeSmallId::new(id)));
        let tasks = (1..counters.next_task.get()).map(|id| EntryKey::Task(TaskSmallId::new(id)));
        let stacks = stacks.into_iter().map(EntryKey::Stack);
        let keys: Vec<EntryKey> = nodes.chain(tasks).chain(stacks).collect();
        let mut entries = Vec::with_capacity(keys.len());
        let mut reading = JoinSet::new();
        let mut batches = keys.chunks(sweep::KEYS);
        loop {
            while reading.len() < CALLS_AT_ONCE
                && let Some(batch) = batches.next()
            {
                let (contract, batch) = (Arc::clone(contract), batch.to_vec());
                reading.spawn(async move { contract.entries(&batch, 0).await });
            }
            let Some(read) = reading.join_next().await else {
                break;
            };
            let read = read.map_err(|error| ChainError::Unavailable(error.into()))??;
            if read.counters.version != counters.version {
                return Ok(None);
            }
            entries.extend(read.entries);
        }
        // Also if there was nothing to read.
        if contract.counters().await? != counters {
            return Ok(None);
        }
        entries.sort_by_key(|entry| entry.key);
        Ok(Some(EntriesRead {
            counters,
            mirrored_before: 0,
            entries,
        }))
    }

    /// All stacks of the contract, and those that are open in the mirror; `None` if the list is not complete, since the
    /// contract changed meanwhile.
    async fn stacks(
        &self,
        contract: &Arc<dyn ContractState>,
        counters: &ContractCounters,
    ) -> Result<Option<BTreeSet<StackSmallId>>, ReconcileError> {
        let mut stacks = BTreeSet::new();
        let mut next = None;
        loop {
            let page = contract.list_stacks(next).await?;
            stacks.extend(page.stacks);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        if u64::try_from(stacks.len()) != Ok(counters.stacks) {
            return Ok(None);
        }
        let mut last = None;
        loop {
            let open = self.mirror.open_stacks(last, PAGE).await?;
            stacks.extend(open.iter().map(|(_, stack)| *stack));
            last = open.last().copied();
            if last.is_none() {
                return Ok(Some(stacks));
            }
        }
    }
}
