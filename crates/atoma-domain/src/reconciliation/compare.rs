//! The comparison of an entry.

use std::fmt::Debug;

use super::{Difference, DifferenceKind};
use crate::NodeSmallId;
use crate::contract::{
    EntriesRead, Entry, EntryKey, EntryRead, NodeOnChain, StackEntryOnChain, TaskOnChain,
    TicketOnChain,
};

/// The length of a leaf in bytes.
const LEAF: usize = 32;

/// What the mirror has of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made at a time, to be compared at once"
)]
pub enum Mirrored {
    /// Nothing: it is older than the mirror, or came without an event that could be read.
    Missing,
    /// It was destroyed, removed or claimed.
    Gone,
    /// What the table must have. Of the ticket's leaves it has the first alone.
    Present(Entry),
}

/// Whether an entry that was read is the one that the mirror must show now, at its version of the contract.
///
/// One that exists must not have changed between the mirror's version and the version at which it was read, whichever is
/// first: `entry ≤ mirror ≤ read`. A node publishes what a transaction writes object by object, so an entry can be older than
/// the `AtomaDb` beside it. That is excluded if the mirror doesn't have this transaction yet, or had it before the read.
///
/// One that is gone stays gone, because ids are never given again, so the mirror must only have got as far as the read.
pub fn is_comparable(entry: &EntryRead, read: &EntriesRead, mirrored: u64) -> bool {
    let at = read.counters.version;
    match entry.entry {
        Some(_) => {
            let is_published = mirrored < at || mirrored == at && read.mirrored_before == at;
            entry.version <= mirrored && is_published
        }
        None => read.counters.has_given(entry.key) && at <= mirrored,
    }
}

/// What differs between an entry of the mirror and the [comparable](is_comparable) one of the contract.
pub fn compare(mirrored: &Mirrored, read: &EntryRead) -> Vec<Difference> {
    let mut found = Found {
        key: read.key,
        differences: Vec::new(),
    };
    match (mirrored, &read.entry) {
        // What is gone and was never mirrored is not missed.
        (Mirrored::Missing | Mirrored::Gone, None) => {}
        (Mirrored::Missing | Mirrored::Gone, Some(entry)) => found.missing(entry),
        (Mirrored::Present(Entry::Stack(stack)), None) if stack.stack.is_claimed => {}
        (Mirrored::Present(entry), None) => found.gone(entry),
        (Mirrored::Present(Entry::Node(mirrored)), Some(Entry::Node(node))) => {
            found.node(mirrored, node);
        }
        (Mirrored::Present(Entry::Task(mirrored)), Some(Entry::Task(task))) => {
            found.task(mirrored, task);
        }
        (Mirrored::Present(Entry::Stack(mirrored)), Some(Entry::Stack(stack))) => {
            found.stack(mirrored, stack);
        }
        // A key has entries of one kind.
        (Mirrored::Present(_), Some(_)) => {}
    }
    found.differences
}

struct Found {
    key: EntryKey,
    differences: Vec<Difference>,
}

impl Found {
    fn add<M: Debug, C: Debug>(
        &mut self,
        kind: DifferenceKind,
        subscriber: Option<NodeSmallId>,
        mirrored: Option<M>,
        on_chain: Option<C>,
    ) {
        self.differences.push(Difference {
            kind,
            key: self.key,
            subscriber,
            mirrored: mirrored.map(|value| format!("{value:?}")),
            on_chain: on_chain.map(|value| format!("{value:?}")),
        });
    }

    fn differ<T: Debug + PartialEq>(&mut self, kind: DifferenceKind, mirrored: &T, on_chain: &T) {
        if mirrored != on_chain {
            self.add(kind, None, Some(mirrored), Some(on_chain));
        }
    }

    fn missing(&mut self, entry: &Entry) {
        let none: Option<&()> = None;
        match entry {
            Entry::Node(node) => self.add(DifferenceKind::NodeMissing, None, none, Some(node)),
            Entry::Task(task) => self.add(DifferenceKind::TaskMissing, None, none, Some(task)),
            Entry::Stack(stack) => self.add(DifferenceKind::StackMissing, None, none, Some(stack)),
        }
    }

    fn gone(&mut self, entry: &Entry) {
        let none: Option<&()> = None;
        match entry {
            Entry::Node(node) => self.add(DifferenceKind::NodeDestroyed, None, Some(node), none),
            Entry::Task(task) => self.add(DifferenceKind::TaskRemoved, None, Some(task), none),
            Entry::Stack(stack) => self.add(DifferenceKind::StackClaimed, None, Some(stack), none),
        }
    }

    fn node(&mut self, mirrored: &NodeOnChain, node: &NodeOnChain) {
        self.differ(
            DifferenceKind::NodeDisabled,
            &mirrored.disabled_at_epoch,
            &node.disabled_at_epoch,
        );
        if mirrored.key != node.key {
            let (mirrored, on_chain) = (mirrored.key.as_ref(), node.key.as_ref());
            self.add(DifferenceKind::NodeKeyChanged, None, mirrored, on_chain);
        }
    }

    fn task(&mut self, mirrored: &TaskOnChain, task: &TaskOnChain) {
        let without_subscriptions = |task: &TaskOnChain| TaskOnChain {
            subscriptions: std::collections::BTreeMap::new(),
            ..task.clone()
        };
        self.differ(
            DifferenceKind::TaskChanged,
            &without_subscriptions(mirrored),
            &without_subscriptions(task),
        );
        let (known, real) = (&mirrored.subscriptions, &task.subscriptions);
        for (node, offer) in real {
            let kind = match known.get(node) {
                Some(known) if known == offer => continue,
                Some(_) => DifferenceKind::SubscriptionChanged,
                None => DifferenceKind::SubscriptionMissing,
            };
            self.add(kind, Some(*node), known.get(node), Some(offer));
        }
        let ended = known.iter().filter(|(node, _)| !real.contains_key(node));
        for (node, offer) in ended {
            let none: Option<&()> = None;
            let kind = DifferenceKind::SubscriptionEnded;
            self.add(kind, Some(*node), Some(offer), none);
        }
    }

    fn stack(&mut self, mirrored: &StackEntryOnChain, stack: &StackEntryOnChain) {
        if !mirrored.stack.is_claimed && stack.stack.is_claimed {
            let kind = DifferenceKind::StackClaimed;
            self.add(kind, None, Some(mirrored), Some(stack));
        } else {
            let stack_alone = |entry: &StackEntryOnChain| (entry.owner, entry.stack);
            let kind = DifferenceKind::StackChanged;
            self.differ(kind, &stack_alone(mirrored), &stack_alone(stack));
        }
        match (&mirrored.ticket, &stack.ticket) {
            (_, None) => {}
            (None, Some(ticket)) => {
                let none: Option<&()> = None;
                self.add(DifferenceKind::TicketMissing, None, none, Some(ticket));
            }
            (Some(mirrored), Some(ticket)) => self.ticket(mirrored, ticket),
        }
    }

    fn ticket(&mut self, mirrored: &TicketOnChain, ticket: &TicketOnChain) {
        self.differ(
            DifferenceKind::AttestationsChanged,
            &mirrored.already_attested_nodes,
            &ticket.already_attested_nodes,
        );
        if ticket.is_in_dispute && !mirrored.is_in_dispute {
            let kind = DifferenceKind::DisputeMissing;
            self.add(kind, None, Some("no dispute"), Some("in dispute"));
        }
        self.differ(
            DifferenceKind::TicketChanged,
            &constant(mirrored),
            &constant(ticket),
        );
    }
}

/// What a ticket never changes.
fn constant(ticket: &TicketOnChain) -> TicketOnChain {
    let mut constant = ticket.clone();
    constant.already_attested_nodes.clear();
    constant.is_in_dispute = false;
    constant.stack_merkle_leaves.0.truncate(LEAF);
    constant
}

#[cfg(test)]
mod tests;
