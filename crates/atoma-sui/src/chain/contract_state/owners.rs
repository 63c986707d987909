//! Which entries objects belong to.

use std::collections::{BTreeSet, HashSet};

use atoma_domain::contract::{EntryKey, TicketOnChain};
use atoma_domain::ports::{ChainError, ContractState as _};
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId, TaskSmallId};

use crate::chain::sui_chain::SuiChain;
use crate::connection::{OBJECTS_PER_CALL, ObjectRead};
use crate::facts::Facts;
use crate::fields::contract_struct;
use crate::layout::StackSettlementTicket;

/// How many nodes and tasks are tried for objects that exist no more.
const MOST_TRIED: u64 = 1_000_000;

impl SuiChain {
    pub(super) async fn find_entries(
        &self,
        objects: &[ObjectId],
    ) -> Result<Vec<EntryKey>, ChainError> {
        let facts = self.facts().await?;
        let mut found = BTreeSet::new();
        let mut gone = HashSet::new();
        for ids in objects.chunks(OBJECTS_PER_CALL) {
            for (id, object) in ids.iter().zip(self.connection.fresh_objects(ids).await?) {
                match object {
                    Some(object) => found.extend(entry_of(facts, &object)?),
                    None => {
                        gone.insert(*id);
                    }
                }
            }
        }
        if !gone.is_empty() {
            let counters = self.counters().await?;
            for node in 1..counters.next_node.get().min(MOST_TRIED) {
                if gone.contains(&facts.keys.by_node(facts.nodes, node)) {
                    found.insert(EntryKey::Node(NodeSmallId::new(node)));
                }
            }
            for task in 1..counters.next_task.get().min(MOST_TRIED) {
                if gone.contains(&facts.keys.task(facts.tasks, task)) {
                    found.insert(EntryKey::Task(TaskSmallId::new(task)));
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// The entry that an object is part of. A table's entry is recognised by its id, which its key and its table give: what looks
/// like a key but is none gives another id.
fn entry_of(facts: &Facts, object: &ObjectRead) -> Result<Option<EntryKey>, ChainError> {
    let id = *object.reference.object_id();
    let object_type = object.object_type.as_deref().unwrap_or_default();
    if object_type == contract_struct(facts.defining_package, "StackSettlementTicket").to_string() {
        let ticket: StackSettlementTicket = object.decode("a settlement ticket")?;
        let ticket = TicketOnChain::from(ticket);
        return Ok(Some(EntryKey::Stack(ticket.stack_small_id)));
    }
    let Some(key) = object.table_key() else {
        return Ok(None);
    };
    let is = |entry: ObjectId| entry == id;
    Ok(if is(facts.keys.by_node(facts.nodes, key)) {
        Some(EntryKey::Node(NodeSmallId::new(key)))
    } else if is(facts.keys.task(facts.tasks, key)) {
        Some(EntryKey::Task(TaskSmallId::new(key)))
    } else if is(facts.keys.stack(facts.stacks, key)) || is(facts.keys.ticket(facts.tickets, key)) {
        Some(EntryKey::Stack(StackSmallId::new(key)))
    } else {
        None
    })
}
