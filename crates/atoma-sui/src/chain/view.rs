//! Reading everything that an action depends on, in as few calls as possible.
//!
//! A view is read in passes. Each pass assembles the view from the objects read so far and lists
//! the objects it is missing; one call fetches those, and the next pass continues. With a warm
//! cache the first call fetches everything.

use std::collections::BTreeMap;

use atoma_domain::contract::{ContractParameters, StackOnChain, SubscriberOnChain, TicketOnChain};
use atoma_domain::model::NodeKey;
use atoma_domain::ports::{ChainError, ContractView, ViewQuery};
use atoma_domain::{MicroUsdc, NodeSmallId, ObjectId, ObjectReference, StackSmallId};
use futures::future::try_join_all;

use super::cache::Cache;
use super::objects::{Lookup, Pass, ViewObjects};
use super::subscribers;
use super::sui_chain::SuiChain;
use crate::connection::OBJECTS_PER_CALL;
use crate::facts::Facts;
use crate::layout::{AtomaDb, Field, NodeEntry, Stack, StackSettlementTicket};
use crate::response::malformed;

/// How often a view is restarted because objects changed between two of its calls.
const MAX_RESTARTS: usize = 3;

/// All of a view except the epoch.
struct Contents {
    parameters: ContractParameters,
    badge: Option<ObjectReference>,
    stacks: BTreeMap<StackSmallId, StackOnChain>,
    tickets: BTreeMap<StackSmallId, TicketOnChain>,
    subscribers: Option<Vec<SubscriberOnChain>>,
    node_key: Option<NodeKey>,
    shares: BTreeMap<NodeSmallId, MicroUsdc>,
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
            node_key: contents.node_key,
            shares: contents.shares,
        })
    }

    async fn read_contents(
        &self,
        facts: &Facts,
        query: &ViewQuery,
    ) -> Result<Contents, ChainError> {
        for _ in 0..=MAX_RESTARTS {
            let mut objects = ViewObjects::default();
            loop {
                let pass = pass(&self.known.cache, facts, query, &mut objects)?;
                let missing = objects.take_missing();
                match pass {
                    Pass::Done(contents) => return Ok(contents),
                    Pass::Changed => break,
                    Pass::Missing => self.fetch(&mut objects, missing, query.badge).await?,
                }
            }
        }
        Err(malformed(
            "a subscriber list that stays unchanged during a read",
        ))
    }

    /// Reads the missing objects. Several nodes can serve one address, so every call reads the
    /// badge again, first. The view keeps the oldest badge returned; nothing else in the view is
    /// older than that badge.
    async fn fetch(
        &self,
        objects: &mut ViewObjects,
        mut missing: Vec<ObjectId>,
        badge: Option<ObjectId>,
    ) -> Result<(), ChainError> {
        missing.retain(|id| Some(*id) != badge);
        let calls = missing.chunks(OBJECTS_PER_CALL - 1).map(|chunk| {
            let ids: Vec<ObjectId> = badge.into_iter().chain(chunk.iter().copied()).collect();
            async move {
                let read = self.connection.fresh_objects(&ids).await?;
                Ok::<_, ChainError>(ids.into_iter().zip(read))
            }
        });
        for (id, object) in try_join_all(calls).await?.into_iter().flatten() {
            objects.insert(id, object);
        }
        Ok(())
    }
}

/// One pass.
fn pass(
    cache: &Cache,
    facts: &Facts,
    query: &ViewQuery,
    objects: &mut ViewObjects,
) -> Result<Pass<Contents>, ChainError> {
    let badge = query.badge.map(|id| objects.lookup(id));
    let atoma_db = objects.lookup(facts.contract.atoma_db);
    let mut complete = !matches!(badge, Some(Lookup::NotRead));
    let mut stacks = BTreeMap::new();
    for &id in &query.stacks {
        match objects.lookup(facts.keys.stack(facts.stacks, id.get())) {
            Lookup::NotRead => complete = false,
            Lookup::Absent => {}
            Lookup::Read(object) => {
                let field: Field<u64, Stack> = object.decode("a stack")?;
                stacks.insert(id, field.value.into());
            }
        }
    }
    let mut tickets = BTreeMap::new();
    for &id in &query.tickets {
        match ticket(cache, facts, id, objects)? {
            Lookup::NotRead => complete = false,
            Lookup::Absent => {}
            Lookup::Read(object) => {
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
    let mut node_key = None;
    let mut shares = BTreeMap::new();
    for &node in query.node_key.iter().chain(&query.shares) {
        match objects.lookup(facts.keys.by_node(facts.nodes, node.get())) {
            Lookup::NotRead => complete = false,
            Lookup::Absent => {}
            Lookup::Read(object) => {
                let field: Field<u64, NodeEntry> = object.decode("a node's entry")?;
                if query.shares.contains(&node) {
                    shares.insert(node, field.value.shares());
                }
                if query.node_key == Some(node) {
                    node_key = field.value.key(node);
                }
            }
        }
    }
    let atoma_db: AtomaDb = match atoma_db {
        Lookup::NotRead => return Ok(Pass::Missing),
        Lookup::Absent => return Err(ChainError::NoObject(facts.contract.atoma_db)),
        Lookup::Read(object) => object.decode("the AtomaDb's contents")?,
    };
    if !complete {
        return Ok(Pass::Missing);
    }
    Ok(Pass::Done(Contents {
        parameters: atoma_db.parameters(),
        badge: match badge {
            Some(Lookup::Read(object)) => Some(object.reference),
            _ => None,
        },
        stacks,
        tickets,
        subscribers,
        node_key,
        shares,
    }))
}

/// Looks up a ticket. It is an object of its own, whose id is in the table's entry; the id is
/// cached.
fn ticket(
    cache: &Cache,
    facts: &Facts,
    stack: StackSmallId,
    objects: &mut ViewObjects,
) -> Result<Lookup, ChainError> {
    let id = match cache.ticket(stack) {
        Some(id) => id,
        None => match objects.lookup(facts.keys.ticket(facts.tickets, stack.get())) {
            Lookup::Read(entry) => {
                let field: Field<u64, ObjectId> = entry.decode("the table entry of a ticket")?;
                cache.set_ticket(stack, Some(field.value));
                field.value
            }
            other => return Ok(other),
        },
    };
    let ticket = objects.lookup(id);
    if matches!(ticket, Lookup::Absent) {
        // Claimed: the stack is gone too, so there will be no other ticket for it.
        cache.set_ticket(stack, None);
    }
    Ok(ticket)
}
