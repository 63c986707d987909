//! Reading entries at one version of the `AtomaDb`.

use std::collections::BTreeMap;

use atoma_domain::contract::{
    EntriesRead, Entry, EntryKey, EntryRead, NodeOnChain, OfferOnChain, StackEntryOnChain,
    TaskOnChain,
};
use atoma_domain::ports::ChainError;
use atoma_domain::{NodeSmallId, ObjectId, StackSmallId, TaskSmallId};
use futures::future::try_join_all;

use super::counters;
use crate::chain::objects::{Lookup, Pass, ViewObjects};
use crate::chain::sui_chain::SuiChain;
use crate::connection::{OBJECTS_PER_CALL, ObjectRead};
use crate::facts::Facts;
use crate::fields;
use crate::layout::{Field, NodeEntry, NodePriceData, Stack, StackSettlementTicket, Task};
use crate::response::malformed;

/// How often a read begins again because the contract changed meanwhile.
const MAX_RESTARTS: usize = 8;

impl SuiChain {
    /// Reads the entries, and those that are absent again: a node publishes a transaction's deletions before its new version
    /// of the `AtomaDb`, so the first read can be ahead of the version beside it.
    pub(super) async fn read_entries(
        &self,
        keys: &[EntryKey],
        mirrored: u64,
    ) -> Result<EntriesRead, ChainError> {
        let read = self.read_once(keys, mirrored).await?;
        if read.entries.iter().all(|entry| entry.entry.is_some()) {
            return Ok(read);
        }
        self.read_once(keys, mirrored).await
    }

    async fn read_once(&self, keys: &[EntryKey], mirrored: u64) -> Result<EntriesRead, ChainError> {
        let facts = self.facts().await?;
        for _ in 0..=MAX_RESTARTS {
            if let Some(read) = self.try_read_entries(facts, keys, mirrored).await? {
                return Ok(read);
            }
        }
        Err(ChainError::Unavailable(
            "the contract changed during each attempt to read its state".into(),
        ))
    }

    /// Reads the entries, in passes like a view; `None` if the contract changed meanwhile.
    async fn try_read_entries(
        &self,
        facts: &Facts,
        keys: &[EntryKey],
        mirrored: u64,
    ) -> Result<Option<EntriesRead>, ChainError> {
        let mut objects = ViewObjects::default();
        let mut atoma_db: Option<ObjectRead> = None;
        loop {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                let pass = match *key {
                    EntryKey::Node(node) => read_node(facts, node, &mut objects)?,
                    EntryKey::Task(task) => read_task(facts, task, &mut objects)?,
                    EntryKey::Stack(stack) => read_stack(facts, stack, &mut objects)?,
                };
                match pass {
                    Pass::Done(entry) => entries.push(entry.finish(*key)),
                    Pass::Missing => {}
                    Pass::Changed => return Ok(None),
                }
            }
            let missing = objects.take_missing();
            if let (true, Some(atoma_db)) = (missing.is_empty(), &atoma_db) {
                let counters = counters(atoma_db)?;
                let is_newer = |entry: &EntryRead| entry.version > counters.version;
                if entries.iter().any(is_newer) {
                    return Ok(None);
                }
                return Ok(Some(EntriesRead {
                    counters,
                    mirrored_before: mirrored,
                    entries,
                }));
            }
            for call in self.read_between(&missing).await? {
                let Some((read_at, read)) = call else {
                    return Ok(None);
                };
                let version = read_at.reference.version();
                let known = atoma_db.get_or_insert(read_at);
                if known.reference.version() != version {
                    return Ok(None);
                }
                for (id, object) in read {
                    objects.insert(id, object);
                }
            }
        }
    }

    /// Reads objects, in each call between two reads of the `AtomaDb`. A call is `None` if these differ.
    async fn read_between(&self, ids: &[ObjectId]) -> Result<Vec<Option<Call>>, ChainError> {
        let atoma_db = self.atoma_db_id();
        let chunks: Vec<&[ObjectId]> = match ids.is_empty() {
            true => vec![&[]],
            false => ids.chunks(OBJECTS_PER_CALL - 2).collect(),
        };
        let calls = chunks.into_iter().map(|chunk| async move {
            let mut wanted = vec![atoma_db];
            wanted.extend_from_slice(chunk);
            wanted.push(atoma_db);
            let mut read = self.connection.fresh_objects(&wanted).await?;
            let gone = ChainError::NoObject(atoma_db);
            let after = read.pop().flatten().ok_or(gone)?;
            let mut read = read.into_iter();
            let before = read
                .next()
                .flatten()
                .ok_or(ChainError::NoObject(atoma_db))?;
            let is_same = before.reference.version() == after.reference.version();
            Ok(is_same.then(|| (before, chunk.iter().copied().zip(read).collect())))
        });
        try_join_all(calls).await
    }
}

/// The `AtomaDb` as it was read in a call, and what was read with it.
type Call = (ObjectRead, Vec<(ObjectId, Option<ObjectRead>)>);

/// An entry, and the newest version of the objects that it is made of.
#[derive(Debug, Default)]
struct Made {
    version: u64,
    entry: Option<Entry>,
}

impl Made {
    /// Takes the version of an object that the entry is made of.
    fn of(&mut self, object: &ObjectRead) {
        self.version = self.version.max(object.reference.version());
    }

    fn finish(self, key: EntryKey) -> EntryRead {
        EntryRead {
            key,
            version: self.version,
            entry: self.entry,
        }
    }
}

fn read_node(
    facts: &Facts,
    node: NodeSmallId,
    objects: &mut ViewObjects,
) -> Result<Pass<Made>, ChainError> {
    let mut made = Made::default();
    match objects.lookup(facts.keys.by_node(facts.nodes, node.get())) {
        Lookup::NotRead => return Ok(Pass::Missing),
        Lookup::Absent => {}
        Lookup::Read(object) => {
            made.of(&object);
            let field: Field<u64, NodeEntry> = object.decode("a node's entry")?;
            made.entry = Some(Entry::Node(NodeOnChain {
                disabled_at_epoch: field.value.was_disabled_in_epoch,
                key: field.value.key(node),
            }));
        }
    }
    Ok(Pass::Done(made))
}

fn read_stack(
    facts: &Facts,
    stack: StackSmallId,
    objects: &mut ViewObjects,
) -> Result<Pass<Made>, ChainError> {
    let mut made = Made::default();
    let field = objects.lookup(facts.keys.stack(facts.stacks, stack.get()));
    let ticket = objects.lookup(facts.keys.ticket(facts.tickets, stack.get()));
    let (field, ticket) = match (field, ticket) {
        (Lookup::NotRead, _) | (_, Lookup::NotRead) => return Ok(Pass::Missing),
        (Lookup::Absent, Lookup::Absent) => return Ok(Pass::Done(made)),
        // A stack and its ticket are deleted together.
        (Lookup::Absent, Lookup::Read(_)) => return Ok(Pass::Changed),
        (Lookup::Read(field), Lookup::Absent) => (field, None),
        (Lookup::Read(field), Lookup::Read(ticket)) => {
            made.of(&ticket);
            let ticket: Field<u64, ObjectId> = ticket.decode("the table entry of a ticket")?;
            match objects.lookup(ticket.value) {
                Lookup::NotRead => return Ok(Pass::Missing),
                Lookup::Absent => return Ok(Pass::Changed),
                Lookup::Read(ticket) => (field, Some(ticket)),
            }
        }
    };
    made.of(&field);
    let stack: Field<u64, Stack> = field.decode("a stack")?;
    let ticket = match ticket {
        Some(object) => {
            made.of(&object);
            let ticket: StackSettlementTicket = object.decode("a settlement ticket")?;
            Some(ticket.into())
        }
        None => None,
    };
    made.entry = Some(Entry::Stack(StackEntryOnChain {
        owner: stack.value.owner,
        stack: stack.value.into(),
        ticket,
    }));
    Ok(Pass::Done(made))
}

fn read_task(
    facts: &Facts,
    task: TaskSmallId,
    objects: &mut ViewObjects,
) -> Result<Pass<Made>, ChainError> {
    let mut made = Made::default();
    let entry = match objects.lookup(facts.keys.task(facts.tasks, task.get())) {
        Lookup::NotRead => return Ok(Pass::Missing),
        Lookup::Absent => return Ok(Pass::Done(made)),
        Lookup::Read(entry) => entry,
    };
    made.of(&entry);
    let field: Field<u64, ObjectId> = entry.decode("the table entry of a task")?;
    let object = match objects.lookup(field.value) {
        Lookup::NotRead => return Ok(Pass::Missing),
        Lookup::Absent => return Ok(Pass::Changed),
        Lookup::Read(object) => object,
    };
    made.of(&object);
    let task: Task = object.decode("a task")?;
    let Some(subscriptions) = (match subscriptions(facts, &task, objects, &mut made)? {
        Pass::Done(subscriptions) => Some(subscriptions),
        Pass::Missing => None,
        Pass::Changed => return Ok(Pass::Changed),
    }) else {
        return Ok(Pass::Missing);
    };
    made.entry = Some(Entry::Task(TaskOnChain {
        role: task.role,
        model_name: task.model_name,
        security_level: task.security_level,
        minimum_reputation_score: task.minimum_reputation_score,
        deprecated_at_epoch: task.deprecated_at_epoch,
        subscriptions,
    }));
    Ok(Pass::Done(made))
}

/// The offers of a task's subscribers. Every node that has an offer is in the list; one in the list may have none.
fn subscriptions(
    facts: &Facts,
    task: &Task,
    objects: &mut ViewObjects,
    made: &mut Made,
) -> Result<Pass<BTreeMap<NodeSmallId, OfferOnChain>>, ChainError> {
    let mut is_complete = true;
    let mut nodes = Vec::new();
    for index in 0..task.subscribed_nodes_small_ids.size {
        match objects.lookup(fields::by_index(task.subscribed_nodes_small_ids.id, index)) {
            Lookup::NotRead => is_complete = false,
            Lookup::Absent => return Ok(Pass::Changed),
            Lookup::Read(entry) => {
                made.of(&entry);
                let field: Field<u64, NodeSmallId> =
                    entry.decode("an entry of a subscriber list")?;
                nodes.push(field.value);
            }
        }
    }
    let mut offers = BTreeMap::new();
    for node in nodes {
        let price = facts.keys.by_node(task.subscribed_nodes.id, node.get());
        match objects.lookup(price) {
            Lookup::NotRead => is_complete = false,
            Lookup::Absent => {}
            Lookup::Read(object) => {
                made.of(&object);
                let field: Field<u64, NodePriceData> = object.decode("a node's price")?;
                let offer = OfferOnChain {
                    price_per_one_million_compute_units: field
                        .value
                        .price_per_one_million_compute_units,
                    max_num_compute_units: field.value.max_num_compute_units,
                };
                offers.insert(node, offer);
            }
        }
    }
    if !is_complete {
        return Ok(Pass::Missing);
    }
    if u64::try_from(offers.len()) != Ok(task.subscribed_nodes.size) {
        return Err(malformed("a subscriber list with every subscriber"));
    }
    Ok(Pass::Done(offers))
}
