//! Which entries are compared next.

use atoma_domain::contract::EntryKey;
use atoma_domain::ports::{ContractState, MirrorRepair};
use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use bytes::Bytes;

use crate::badges::ReconcileError;

/// How many entries are read at once: a few calls of the Sui node.
pub(super) const KEYS: usize = 20;
const KEYS_OF_STACKS: u32 = 20;
/// A task has a list of subscribers.
const TASKS: u64 = 4;
const NODES: u64 = 20;

/// A way through all entries: nodes, tasks, the stacks that are open in the mirror, and those that the contract has and
/// the mirror lacks.
#[derive(Debug, Default)]
pub(super) struct Sweep(Place);

/// Where a sweep goes on.
#[derive(Debug)]
enum Place {
    /// After this node.
    Nodes(u64),
    /// After this task.
    Tasks(u64),
    /// After this stack in the mirror.
    Open(Option<(NodeSmallId, StackSmallId)>),
    /// The stacks that the contract lists, from this page on.
    Listed(Option<Bytes>),
    /// What the mirror lacks of a page, and the next page.
    Missing(Vec<StackSmallId>, Option<Bytes>),
    End,
}

impl Default for Place {
    fn default() -> Self {
        Self::Nodes(0)
    }
}

impl Sweep {
    /// The next entries; `None` at the end.
    ///
    /// # Errors
    /// When the contract or the mirror can't be read. The next call tries again.
    pub(super) async fn next(
        &mut self,
        contract: &dyn ContractState,
        mirror: &dyn MirrorRepair,
    ) -> Result<Option<Vec<EntryKey>>, ReconcileError> {
        loop {
            let keys: Vec<EntryKey> = match &mut self.0 {
                Place::Nodes(last) => {
                    let given = contract.counters().await?.next_node.get();
                    let (ids, after) = ids(*last, NODES, given);
                    self.0 = after.map_or(Place::Tasks(0), Place::Nodes);
                    ids.map(|id| EntryKey::Node(NodeSmallId::new(id))).collect()
                }
                Place::Tasks(last) => {
                    let given = contract.counters().await?.next_task.get();
                    let (ids, after) = ids(*last, TASKS, given);
                    self.0 = after.map_or(Place::Open(None), Place::Tasks);
                    ids.map(|id| EntryKey::Task(TaskSmallId::new(id))).collect()
                }
                Place::Open(last) => {
                    let stacks = mirror.open_stacks(*last, KEYS_OF_STACKS).await?;
                    self.0 = match stacks.last() {
                        Some(last) => Place::Open(Some(*last)),
                        None => Place::Listed(None),
                    };
                    let stacks = stacks.into_iter();
                    stacks.map(|(_, stack)| EntryKey::Stack(stack)).collect()
                }
                Place::Listed(page) => {
                    let page = match contract.list_stacks(page.clone()).await {
                        Ok(page) => page,
                        Err(error) => {
                            // Another node may not understand the place of the page.
                            self.0 = Place::Listed(None);
                            return Err(error.into());
                        }
                    };
                    let missing = mirror.missing_stacks(&page.stacks).await?;
                    self.0 = Place::Missing(missing, page.next);
                    continue;
                }
                Place::Missing(stacks, next) if stacks.is_empty() => {
                    self.0 = match next.take() {
                        Some(page) => Place::Listed(Some(page)),
                        None => Place::End,
                    };
                    continue;
                }
                Place::Missing(stacks, _) => {
                    let rest = stacks.len().saturating_sub(KEYS);
                    stacks.drain(rest..).map(EntryKey::Stack).collect()
                }
                Place::End => return Ok(None),
            };
            if !keys.is_empty() {
                return Ok(Some(keys));
            }
        }
    }
}

/// At most `most` ids after `last` below `given`, and the last of them unless they are the last of all.
fn ids(last: u64, most: u64, given: u64) -> (impl Iterator<Item = u64>, Option<u64>) {
    let first = last.saturating_add(1);
    let end = first.saturating_add(most).min(given);
    (first..end, (end < given).then(|| end.saturating_sub(1)))
}
