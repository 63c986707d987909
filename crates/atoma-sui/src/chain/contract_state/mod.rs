//! The `ContractState` port: the whole state of the contract, entry by entry.
//!
//! Every transaction of the contract writes the `AtomaDb`, and what a transaction writes gets one version. So a version of
//! the `AtomaDb` names a state of all its tables. A call that reads entries reads the `AtomaDb` too, first and last: if
//! both have the same version, everything between them was read at that version (`entries.rs`).

mod entries;
mod listing;
mod owners;

use async_trait::async_trait;
use atoma_domain::contract::{Charges, ContractCounters, EntriesRead, EntryKey};
use atoma_domain::ports::{ChainError, ContractState, EventCursor, StackPage};
use atoma_domain::{CheckpointNumber, ObjectId};
use bytes::Bytes;

use super::sui_chain::SuiChain;
use crate::connection::ObjectRead;
use crate::cursor::StreamCursor;
use crate::layout::AtomaDb;
use crate::response::malformed;

#[async_trait]
impl ContractState for SuiChain {
    async fn counters(&self) -> Result<ContractCounters, ChainError> {
        let id = self.atoma_db_id();
        let mut read = self.connection.fresh_objects(&[id]).await?;
        let object = read.pop().flatten().ok_or(ChainError::NoObject(id))?;
        counters(&object)
    }

    async fn entries(&self, keys: &[EntryKey], mirrored: u64) -> Result<EntriesRead, ChainError> {
        self.read_entries(keys, mirrored).await
    }

    async fn list_stacks(&self, after: Option<Bytes>) -> Result<StackPage, ChainError> {
        self.read_stack_page(after).await
    }

    async fn entries_of(&self, objects: &[ObjectId]) -> Result<Vec<EntryKey>, ChainError> {
        self.find_entries(objects).await
    }

    async fn newest_cursor(&self) -> Result<EventCursor, ChainError> {
        let info = self.connection.service_info().await?;
        self.connection.check_fresh(&info)?;
        let height = info
            .checkpoint_height
            .ok_or(malformed("the checkpoint height"))?;
        Ok(EventCursor::from(&StreamCursor::at(CheckpointNumber::new(
            height,
        ))))
    }
}

/// The counters of an `AtomaDb` that was read.
fn counters(object: &ObjectRead) -> Result<ContractCounters, ChainError> {
    let db: AtomaDb = object.decode("the AtomaDb's contents")?;
    Ok(ContractCounters {
        version: object.reference.version(),
        next_node: db.next_node_small_id,
        next_task: db.next_task_small_id,
        next_stack: db.next_stack_small_id,
        stacks: db.stacks.size,
        charges: Charges::from(&db.parameters()),
    })
}
