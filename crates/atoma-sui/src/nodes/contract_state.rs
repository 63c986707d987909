//! The `ContractState` port, by whichever node answers.

use std::sync::Arc;

use async_trait::async_trait;
use atoma_domain::ObjectId;
use atoma_domain::contract::{ContractCounters, EntriesRead, EntryKey};
use atoma_domain::ports::{ChainError, ContractState, EventCursor, StackPage};
use bytes::Bytes;

use super::sui_nodes::SuiNodes;

/// What one call returns is read from one node. Two calls may go to two: versions of the `AtomaDb` mean the same at all.
#[async_trait]
impl ContractState for SuiNodes {
    async fn counters(&self) -> Result<ContractCounters, ChainError> {
        self.ask(|node| node.counters()).await
    }

    async fn entries(&self, keys: &[EntryKey], mirrored: u64) -> Result<EntriesRead, ChainError> {
        self.ask(|node| node.entries(keys, mirrored)).await
    }

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
