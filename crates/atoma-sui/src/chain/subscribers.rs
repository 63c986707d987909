//! Reading a task's subscriber list with what decides who can be drawn from it.

use atoma_domain::contract::SubscriberOnChain;
use atoma_domain::ports::{ChainError, SubscriberQuery};
use atoma_domain::{NodeSmallId, ObjectId};

use super::view::{Cache, Known, Objects, Pass};
use crate::connection::ObjectRead;
use crate::facts::Facts;
use crate::fields;
use crate::layout::{Field, NodeEntry, NodePriceData, Task};
use crate::outcome::lacks;

/// Where a task stands: its object, the tables in it, and how long its list was when last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskPlace {
    object: ObjectId,
    prices: ObjectId,
    list: ObjectId,
    length: u64,
}

/// The longest list that is read: a purchase that sweeps more entries meets the network's limit
/// on child objects, so a longer one is no list of this contract.
const MAX_LENGTH: u64 = 1_000;

/// One pass over a task's list; `Done(None)` when there is no such task.
pub(super) fn pass(
    cache: &Cache,
    facts: &Facts,
    query: &SubscriberQuery,
    objects: &mut Objects,
) -> Result<Pass<Option<Vec<SubscriberOnChain>>>, ChainError> {
    let id = query.task.get();
    let remembered = cache.task(id);
    let task = match remembered {
        Some(place) => objects.find(place.object),
        None => {
            let entry = match objects.find(facts.keys.task(facts.tasks, id)) {
                Known::Read(entry) => entry,
                Known::Not => return Ok(Pass::Missing),
                Known::Absent => return Ok(Pass::Done(None)),
            };
            let field: Field<u64, ObjectId> = entry.decode("the table entry of a task")?;
            objects.find(field.value)
        }
    };
    match (task, remembered) {
        (Known::Read(object), _) => list(cache, facts, query, objects, &object),
        (Known::Not, Some(place)) => {
            expect(facts, query, &place, objects);
            Ok(Pass::Missing)
        }
        (Known::Not, None) => Ok(Pass::Missing),
        (Known::Absent, _) => {
            // Removed since it was remembered, or just now.
            cache.set_task(id, None);
            Ok(Pass::Changed)
        }
    }
}

/// Asks for everything that a remembered task will probably need, together with the task.
fn expect(facts: &Facts, query: &SubscriberQuery, place: &TaskPlace, objects: &mut Objects) {
    let expected = u64::try_from(query.expected.len()).unwrap_or(MAX_LENGTH);
    for index in 0..place.length.max(expected).min(MAX_LENGTH) {
        objects.expect(fields::by_index(place.list, index));
    }
    for node in &query.expected {
        objects.expect(facts.keys.by_node(place.prices, node.get()));
        objects.expect(facts.keys.by_node(facts.nodes, node.get()));
    }
}

/// The list of a task that has been read.
fn list(
    cache: &Cache,
    facts: &Facts,
    query: &SubscriberQuery,
    objects: &mut Objects,
    object: &ObjectRead,
) -> Result<Pass<Option<Vec<SubscriberOnChain>>>, ChainError> {
    let task: Task = object.decode("a task")?;
    let place = TaskPlace {
        object: *object.reference.object_id(),
        prices: task.subscribed_nodes.id,
        list: task.subscribed_nodes_small_ids.id,
        length: task.subscribed_nodes_small_ids.size,
    };
    if place.length > MAX_LENGTH {
        return Err(lacks("a subscriber list of less than 1,000 entries"));
    }
    cache.set_task(query.task.get(), Some(place));
    let mut subscribers = Vec::new();
    let mut complete = true;
    let mut missing_entries = false;
    for index in 0..place.length {
        let entry = match objects.find(fields::by_index(place.list, index)) {
            Known::Read(entry) => entry,
            Known::Absent => return Ok(Pass::Changed),
            Known::Not => {
                missing_entries = true;
                complete = false;
                continue;
            }
        };
        // Every change of the list writes the task too, with the same version.
        if entry.reference.version() > object.reference.version() {
            return Ok(Pass::Changed);
        }
        let field: Field<u64, NodeSmallId> = entry.decode("an entry of a subscriber list")?;
        match subscriber(facts, &place, field.value, objects)? {
            Some(subscriber) => subscribers.push(subscriber),
            None => complete = false,
        }
    }
    if complete {
        return Ok(Pass::Done(Some(subscribers)));
    }
    if missing_entries {
        // On the way anyhow: what the expected nodes will need.
        expect(facts, query, &place, objects);
    }
    Ok(Pass::Missing)
}

/// One node of the list; `None` while something is missing.
fn subscriber(
    facts: &Facts,
    place: &TaskPlace,
    node: NodeSmallId,
    objects: &mut Objects,
) -> Result<Option<SubscriberOnChain>, ChainError> {
    let price = objects.find(facts.keys.by_node(place.prices, node.get()));
    let entry = objects.find(facts.keys.by_node(facts.nodes, node.get()));
    let offer = match price {
        Known::Not => return Ok(None),
        Known::Absent => None,
        Known::Read(object) => {
            let field: Field<u64, NodePriceData> = object.decode("a node's price")?;
            Some((
                field.value.price_per_one_million_compute_units,
                field.value.max_num_compute_units,
            ))
        }
    };
    let is_active = match entry {
        Known::Not => return Ok(None),
        Known::Absent => false,
        Known::Read(object) => {
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
