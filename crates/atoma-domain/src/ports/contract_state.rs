//! Reading the contract's whole state.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{ChainError, EventCursor};
use crate::contract::{ContractCounters, EntriesRead, EntryKey};
use crate::{ObjectId, StackSmallId};

/// A page of the stacks that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackPage {
    /// Their small ids, in no order.
    pub stacks: Vec<StackSmallId>,
    /// Where the next page begins, in the node's own format; `None` after the last.
    pub next: Option<Bytes>,
}

/// The contract's state, read entry by entry.
#[async_trait]
pub trait ContractState: Debug + Send + Sync {
    /// The `AtomaDb`'s version and counters.
    async fn counters(&self) -> Result<ContractCounters, ChainError>;

    /// Reads entries at one version of the `AtomaDb`. That one is absent is the ledger's word: the table at that version
    /// has no such entry. `mirrored` is the version that the mirror has now.
    ///
    /// # Errors
    /// [`ChainError::Unavailable`] if the contract changes faster than this many entries can be read.
    async fn entries(&self, keys: &[EntryKey], mirrored: u64) -> Result<EntriesRead, ChainError>;

    /// Lists the stacks that exist, page by page. A list tells what to read: that a stack is missing from it proves
    /// nothing.
    async fn list_stacks(&self, after: Option<Bytes>) -> Result<StackPage, ChainError>;

    /// The entries that these objects belong to, as far as the objects tell. What exists no more is recognised among all
    /// nodes and tasks that there ever were.
    async fn entries_of(&self, objects: &[ObjectId]) -> Result<Vec<EntryKey>, ChainError>;

    /// A cursor to follow the ledger from the node's newest checkpoint on. A transaction may come that was executed before.
    async fn newest_cursor(&self) -> Result<EventCursor, ChainError>;

    /// The same contract through one node, the first that answers; `None` if there is only one anyway. What one call
    /// returns belongs together always; a cursor and a state read after it do only if they come from one node.
    fn through_one_node(&self) -> Option<Arc<dyn ContractState>> {
        None
    }
}
