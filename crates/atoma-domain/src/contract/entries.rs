//! The entries of the contract's tables that the mirror has a counterpart of.

use std::collections::BTreeMap;

use super::{Charges, StackOnChain, TicketOnChain};
use crate::model::NodeKey;
use crate::{
    Address, ComputeUnits, Epoch, NodeSmallId, PricePerMillion, SecurityLevel, StackSmallId,
    TaskRole, TaskSmallId,
};

/// The key of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKey {
    /// A node.
    Node(NodeSmallId),
    /// A task with its subscriptions.
    Task(TaskSmallId),
    /// A stack with its settlement ticket.
    Stack(StackSmallId),
}

/// The version and the counters of the `AtomaDb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContractCounters {
    /// The object's version. Every transaction of the contract writes the object, so this names a state of all its
    /// tables.
    pub version: u64,
    /// The small id that the next node gets. An id below it is never given again.
    pub next_node: NodeSmallId,
    /// The small id that the next task gets.
    pub next_task: TaskSmallId,
    /// The small id that the next stack gets.
    pub next_stack: StackSmallId,
    /// How many stacks there are.
    pub stacks: u64,
    /// What the contract charges.
    pub charges: Charges,
}

impl ContractCounters {
    /// Whether the contract has given this key to an entry, which may be gone since.
    pub fn has_given(&self, key: EntryKey) -> bool {
        match key {
            EntryKey::Node(node) => node < self.next_node,
            EntryKey::Task(task) => task < self.next_task,
            EntryKey::Stack(stack) => stack < self.next_stack,
        }
    }
}

/// A node's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOnChain {
    /// The epoch in which its operator disabled it for good.
    pub disabled_at_epoch: Option<Epoch>,
    /// The key that it has committed to, if it has.
    pub key: Option<NodeKey>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOnChain {
    /// The kind of work.
    pub role: TaskRole,
    /// The model, if it names one.
    pub model_name: Option<String>,
    /// How its work is verified.
    pub security_level: SecurityLevel,
    /// The reputation that a node needs; 0 also if none was asked for.
    pub minimum_reputation_score: u8,
    /// The epoch since which it accepts no more subscriptions.
    pub deprecated_at_epoch: Option<Epoch>,
    /// The offers of the nodes that are subscribed.
    pub subscriptions: BTreeMap<NodeSmallId, OfferOnChain>,
}

/// A node's offer for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferOnChain {
    /// The price.
    pub price_per_one_million_compute_units: PricePerMillion,
    /// The largest stack that the node accepts.
    pub max_num_compute_units: ComputeUnits,
}

/// A stack with its ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEntryOnChain {
    /// The buyer.
    pub owner: Address,
    /// The stack.
    pub stack: StackOnChain,
    /// Its ticket, if it is settled.
    pub ticket: Option<TicketOnChain>,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Of a node.
    Node(NodeOnChain),
    /// Of a task.
    Task(TaskOnChain),
    /// Of a stack.
    Stack(StackEntryOnChain),
}

/// An entry as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRead {
    /// Its key.
    pub key: EntryKey,
    /// The version of the `AtomaDb` that last changed it: the newest version of the objects that it is made of. 0 if
    /// there is none.
    pub version: u64,
    /// The entry; `None` if the table has none.
    pub entry: Option<Entry>,
}

/// Entries that were read at one version of the `AtomaDb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntriesRead {
    /// That version, with its counters.
    pub counters: ContractCounters,
    /// The version that the mirror had before the read.
    pub mirrored_before: u64,
    /// The entries, in the order of their keys.
    pub entries: Vec<EntryRead>,
}
