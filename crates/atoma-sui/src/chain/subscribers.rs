//! Reading a task's subscriber list with everything that decides which nodes can be drawn.

use atoma_domain::contract::SubscriberOnChain;
use atoma_domain::ports::{ChainError, SubscriberQuery};
use atoma_domain::{NodeSmallId, ObjectId};

use super::cache::{Cache, TaskLocation};
use super::objects::{Lookup, Pass, ViewObjects};
use crate::connection::ObjectRead;
use crate::facts::Facts;
use crate::fields;
use crate::layout::{Field, NodeEntry, NodePriceData, Task};
use crate::response::malformed;

/// The longest list that is read. A purchase that prunes more entries exceeds the network's limit
/// on child objects, so a longer list can't be one of this contract.
const MAX_LENGTH: u64 = 1_000;

/// One pass over a task's list; `Done(None)` when the task does not exist.
pub(super) fn pass(
    cache: &Cache,
    facts: &Facts,
    query: &SubscriberQuery,
    objects: &mut ViewObjects,
) -> Result<Pass<Option<Vec<SubscriberOnChain>>>, ChainError> {
    let id = query.task.get();
    let cached = cache.task(id);
    let task = match cached {
        Some(location) => objects.lookup(location.object),
        None => {
            let entry = match objects.lookup(facts.keys.task(facts.tasks, id)) {
                Lookup::Read(entry) => entry,
                Lookup::NotRead => return Ok(Pass::Missing),
                Lookup::Absent => return Ok(Pass::Done(None)),
            };
            let field: Field<u64, ObjectId> = entry.decode("the table entry of a task")?;
            objects.lookup(field.value)
        }
    };
    match (task, cached) {
        (Lookup::Read(object), _) => list(cache, facts, query, objects, &object),
        (Lookup::NotRead, Some(location)) => {
            prefetch(facts, query, &location, objects);
            Ok(Pass::Missing)
        }
        (Lookup::NotRead, None) => Ok(Pass::Missing),
        (Lookup::Absent, _) => {
            // Removed after its id was cached, or just now.
            cache.set_task(id, None);
            Ok(Pass::Changed)
        }
    }
}

/// Fetches what a cached task will probably need along with the task itself.
fn prefetch(
    facts: &Facts,
    query: &SubscriberQuery,
    location: &TaskLocation,
    objects: &mut ViewObjects,
) {
    let expected = u64::try_from(query.expected.len()).unwrap_or(MAX_LENGTH);
    for index in 0..location.length.max(expected).min(MAX_LENGTH) {
        objects.prefetch(fields::by_index(location.subscribers, index));
    }
    for node in &query.expected {
        objects.prefetch(facts.keys.by_node(location.prices, node.get()));
        objects.prefetch(facts.keys.by_node(facts.nodes, node.get()));
    }
}

/// The list of a task whose object has been read.
fn list(
    cache: &Cache,
    facts: &Facts,
    query: &SubscriberQuery,
    objects: &mut ViewObjects,
    object: &ObjectRead,
) -> Result<Pass<Option<Vec<SubscriberOnChain>>>, ChainError> {
    let task: Task = object.decode("a task")?;
    let location = TaskLocation {
        object: *object.reference.object_id(),
        prices: task.subscribed_nodes.id,
        subscribers: task.subscribed_nodes_small_ids.id,
        length: task.subscribed_nodes_small_ids.size,
    };
    if location.length > MAX_LENGTH {
        return Err(malformed("a subscriber list of at most 1,000 entries"));
    }
    cache.set_task(query.task.get(), Some(location));
    let mut subscribers = Vec::new();
    let mut complete = true;
    let mut missing_entries = false;
    for index in 0..location.length {
        let entry = match objects.lookup(fields::by_index(location.subscribers, index)) {
            Lookup::Read(entry) => entry,
            Lookup::Absent => return Ok(Pass::Changed),
            Lookup::NotRead => {
                missing_entries = true;
                complete = false;
                continue;
            }
        };
        // A transaction that changes the list also writes the task, with the same version.
        if entry.reference.version() > object.reference.version() {
            return Ok(Pass::Changed);
        }
        let field: Field<u64, NodeSmallId> = entry.decode("an entry of a subscriber list")?;
        match subscriber(facts, &location, field.value, objects)? {
            Some(subscriber) => subscribers.push(subscriber),
            None => complete = false,
        }
    }
    if complete {
        return Ok(Pass::Done(Some(subscribers)));
    }
    if missing_entries {
        // The entries need a call anyway; let it fetch what the expected nodes will need.
        prefetch(facts, query, &location, objects);
    }
    Ok(Pass::Missing)
}

/// One node of the list; `None` while its price or entry has not been read.
fn subscriber(
    facts: &Facts,
    location: &TaskLocation,
    node: NodeSmallId,
    objects: &mut ViewObjects,
) -> Result<Option<SubscriberOnChain>, ChainError> {
    let price = objects.lookup(facts.keys.by_node(location.prices, node.get()));
    let entry = objects.lookup(facts.keys.by_node(facts.nodes, node.get()));
    let offer = match price {
        Lookup::NotRead => return Ok(None),
        Lookup::Absent => None,
        Lookup::Read(object) => {
            let field: Field<u64, NodePriceData> = object.decode("a node's price")?;
            Some((
                field.value.price_per_one_million_compute_units,
                field.value.max_num_compute_units,
            ))
        }
    };
    let is_active = match entry {
        Lookup::NotRead => return Ok(None),
        Lookup::Absent => false,
        Lookup::Read(object) => {
            let field: Field<u64, NodeEntry> = object.decode("a node's entry")?;
            field.value.was_disabled_in_epoch.is_none()
        }
    };
    Ok(Some(SubscriberOnChain {
        node_small_id: node,
        offer,
        is_active,
    }))
}
