//! The `ContractState` port, by whichever node answers.
//!
//! Each read names the version of the `AtomaDb` that it was made at, so reads from several nodes can be compared.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ObjectId;
use atoma_domain::contract::{ContractCounters, EntriesRead, EntryKey};
use atoma_domain::ports::{ChainError, ContractState, EventCursor, StackPage};
use bytes::Bytes;

use super::sui_nodes::SuiNodes;

#[async_trait]
impl ContractState for SuiNodes {
    async fn counters(&self) -> Result<ContractCounters, ChainError> {
        self.ask(|node| node.counters()).await
    }

    async fn entries(&self, keys: &[EntryKey], mirrored: u64) -> Result<EntriesRead, ChainError> {
        self.ask(|node| node.entries(keys, mirrored)).await
    }

    /// A page's token is its node's own. If another node refuses it, list from the beginning.
    async fn list_stacks(&self, after: Option<Bytes>) -> Result<StackPage, ChainError> {
        self.ask(|node| node.list_stacks(after.clone())).await
    }

    async fn entries_of(&self, objects: &[ObjectId]) -> Result<Vec<EntryKey>, ChainError> {
        self.ask(|node| node.entries_of(objects)).await
    }

    async fn newest_cursor(&self) -> Result<EventCursor, ChainError> {
        self.ask(|node| node.newest_cursor()).await
    }

    fn through_one_node(&self) -> Option<Arc<dyn ContractState>> {
        Some(Arc::new(self.through_one()?))
    }
}
