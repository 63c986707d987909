//! Reading everything that an action depends on, in as few calls as can be.
//!
//! Reading goes in passes. A pass puts the view together from the objects that are known and notes
//! every object that it misses; these are fetched in one call, and the next pass goes on. With warm
//! caches the first call brings everything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use atoma_domain::contract::{ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain};
use atoma_domain::ports::{ChainError, ContractView, ViewQuery};
use atoma_domain::{ObjectId, ObjectReference, StackSmallId};
use futures::future::try_join_all;

use super::SuiChain;
use super::subscribers::{self, TaskPlace};
use crate::connection::{OBJECTS_A_CALL, ObjectRead};
use crate::facts::Facts;
use crate::layout::{AtomaDb, Field, Stack, StackSettlementTicket};
use crate::outcome::lacks;

/// How often a view is begun again because objects changed between two of its calls.
const MAX_RESTARTS: usize = 3;

/// Ticket objects remembered at most. One entry is made for each stack that is settled, so this
/// is only a guard against growing for ever.
const MAX_TICKETS: usize = 10_000;

/// Where objects stand that are found through others. A place never changes while its object
/// exists, and never comes back.
#[derive(Debug, Default)]
pub(super) struct Cache {
    tickets: Mutex<HashMap<StackSmallId, ObjectId>>,
    tasks: Mutex<HashMap<u64, TaskPlace>>,
}

impl Cache {
    fn ticket(&self, stack: StackSmallId) -> Option<ObjectId> {
        self.tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&stack)
            .copied()
    }

    fn set_ticket(&self, stack: StackSmallId, ticket: Option<ObjectId>) {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        match ticket {
            Some(id) => {
                if tickets.len() >= MAX_TICKETS {
                    tickets.clear();
                }
                tickets.insert(stack, id);
            }
            None => {
                tickets.remove(&stack);
            }
        }
    }

    pub(super) fn task(&self, task: u64) -> Option<TaskPlace> {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&task)
            .copied()
    }

    pub(super) fn set_task(&self, task: u64, place: Option<TaskPlace>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => tasks.insert(task, place),
            None => tasks.remove(&task),
        };
    }
}

/// What is known of an object in the course of one view.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Not read yet; it is noted now.
    Not,
    /// It does not exist.
    Absent,
    /// Its latest version.
    Read(ObjectRead),
}

/// The objects read for one view, and those missed, in the order of being missed.
#[derive(Debug, Default)]
pub(super) struct Objects {
    read: HashMap<ObjectId, Option<ObjectRead>>,
    missed: Vec<ObjectId>,
}

impl Objects {
    /// What is known of the object.
    pub(super) fn find(&mut self, id: ObjectId) -> Known {
        match self.read.get(&id) {
            Some(Some(object)) => Known::Read(object.clone()),
            Some(None) => Known::Absent,
            None => {
                self.missed.push(id);
                Known::Not
            }
        }
    }

    /// Asks for an object that will probably be wanted in the next pass.
    pub(super) fn expect(&mut self, id: ObjectId) {
        let _ = self.find(id);
    }

    /// Notes an object as it was shown; of two showings the older one counts, and none is older still.
    fn note(&mut self, id: ObjectId, shown: Option<ObjectRead>) {
        let version =
            |shown: &Option<ObjectRead>| shown.as_ref().map(|object| object.reference.version());
        let known = self.read.entry(id).or_insert_with(|| shown.clone());
        if version(&shown) < version(known) {
            *known = shown;
        }
    }

    /// The objects missed since the last time, each once.
    fn take_missed(&mut self) -> Vec<ObjectId> {
        let mut seen = HashSet::new();
        let mut missed = std::mem::take(&mut self.missed);
        missed.retain(|id| seen.insert(*id));
        missed
    }
}

/// Why a pass gave no part of the view.
#[derive(Debug)]
pub(super) enum Pass<T> {
    /// It is complete.
    Done(T),
    /// Objects are missing.
    Missing,
    /// Objects don't fit each other: they changed between two reads.
    Changed,
}

/// All of a view but the epoch.
struct Contents {
    parameters: ContractParameters,
    badge: Option<ObjectReference>,
    stacks: BTreeMap<StackSmallId, StackOnChain>,
    tickets: BTreeMap<StackSmallId, TicketOnChain>,
    subscribers: Option<Vec<SubscriberOnChain>>,
}

impl SuiChain {
    pub(super) async fn read_view(&self, query: &ViewQuery) -> Result<ContractView, ChainError> {
        let facts = self.facts().await?;
        let (epoch, contents) =
            futures::try_join!(self.read_epoch(), self.read_contents(facts, query))?;
        Ok(ContractView {
            epoch,
            parameters: contents.parameters,
            badge: contents.badge,
            stacks: contents.stacks,
            tickets: contents.tickets,
            subscribers: contents.subscribers,
        })
    }

    async fn read_contents(
        &self,
        facts: &Facts,
        query: &ViewQuery,
    ) -> Result<Contents, ChainError> {
        for _ in 0..=MAX_RESTARTS {
            let mut objects = Objects::default();
            loop {
                let pass = pass(&self.cache, facts, query, &mut objects)?;
                let missed = objects.take_missed();
                match pass {
                    Pass::Done(contents) => return Ok(contents),
                    Pass::Changed => break,
                    Pass::Missing => self.fetch(&mut objects, missed, query.badge).await?,
                }
            }
        }
        Err(lacks("a subscriber list that holds still"))
    }

    /// Reads objects. One address can be that of several nodes, so each answer shows the badge first
    /// and once more; the oldest of them is the view's, than which nothing in it is older.
    async fn fetch(
        &self,
        objects: &mut Objects,
        mut missed: Vec<ObjectId>,
        badge: Option<ObjectId>,
    ) -> Result<(), ChainError> {
        missed.retain(|id| Some(*id) != badge);
        let calls = missed.chunks(OBJECTS_A_CALL - 1).map(|chunk| {
            let asked: Vec<ObjectId> = badge.into_iter().chain(chunk.iter().copied()).collect();
            async move {
                let read = self.connection.objects(&asked).await?;
                Ok::<_, ChainError>(asked.into_iter().zip(read))
            }
        });
        for (id, object) in try_join_all(calls).await?.into_iter().flatten() {
            objects.note(id, object);
        }
        Ok(())
    }
}

/// One pass.
fn pass(
    cache: &Cache,
    facts: &Facts,
    query: &ViewQuery,
    objects: &mut Objects,
) -> Result<Pass<Contents>, ChainError> {
    let badge = query.badge.map(|id| objects.find(id));
    let atoma_db = objects.find(facts.addresses.atoma_db);
    let mut complete = !matches!(badge, Some(Known::Not));
    let mut stacks = BTreeMap::new();
    for &id in &query.stacks {
        match objects.find(facts.keys.stack(facts.stacks, id.get())) {
            Known::Not => complete = false,
            Known::Absent => {}
            Known::Read(object) => {
                let field: Field<u64, Stack> = object.decode("a stack")?;
                stacks.insert(id, field.value.into());
            }
        }
    }
    let mut tickets = BTreeMap::new();
    for &id in &query.tickets {
        match ticket(cache, facts, id, objects)? {
            Known::Not => complete = false,
            Known::Absent => {}
            Known::Read(object) => {
                let ticket: StackSettlementTicket = object.decode("a settlement ticket")?;
                tickets.insert(id, ticket.into());
            }
        }
    }
    let subscribers = match &query.subscribers {
        None => None,
        Some(query) => match subscribers::pass(cache, facts, query, objects)? {
            Pass::Done(list) => list,
            Pass::Changed => return Ok(Pass::Changed),
            Pass::Missing => {
                complete = false;
                None
            }
        },
    };
    let atoma_db: AtomaDb = match atoma_db {
        Known::Not => return Ok(Pass::Missing),
        Known::Absent => return Err(ChainError::NoObject(facts.addresses.atoma_db)),
        Known::Read(object) => object.decode("the AtomaDb's contents")?,
    };
    if !complete {
        return Ok(Pass::Missing);
    }
    Ok(Pass::Done(Contents {
        parameters: atoma_db.parameters(),
        badge: match badge {
            Some(Known::Read(object)) => Some(object.reference),
            _ => None,
        },
        stacks,
        tickets,
        subscribers,
    }))
}

/// A ticket is an object of its own, found through the table's entry; its id is remembered.
fn ticket(
    cache: &Cache,
    facts: &Facts,
    stack: StackSmallId,
    objects: &mut Objects,
) -> Result<Known, ChainError> {
    let id = match cache.ticket(stack) {
        Some(id) => id,
        None => match objects.find(facts.keys.ticket(facts.tickets, stack.get())) {
            Known::Read(entry) => {
                let field: Field<u64, ObjectId> = entry.decode("the table entry of a ticket")?;
                cache.set_ticket(stack, Some(field.value));
                field.value
            }
            other => return Ok(other),
        },
    };
    let ticket = objects.find(id);
    if matches!(ticket, Known::Absent) {
        // Claimed: the stack is gone with it, and no other ticket will come for it.
        cache.set_ticket(stack, None);
    }
    Ok(ticket)
}

#[cfg(test)]
mod tests;
