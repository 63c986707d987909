//! The network's own state as entries of the contract.

use atoma_domain::contract::{
    Charges, ContractCounters, EntriesRead, Entry, EntryKey, EntryRead, NodeOnChain, OfferOnChain,
    StackEntryOnChain, StackOnChain, TaskOnChain, TicketOnChain,
};
use atoma_domain::model::NodeKey;
use atoma_domain::{HexBytes, NodeSmallId, StackSmallId, TaskSmallId};
use serde_json::Value;

fn field<T: serde::de::DeserializeOwned>(of: &Value, name: &str) -> T {
    serde_json::from_value(of[name].clone()).unwrap()
}

fn bytes(of: &Value, name: &str) -> HexBytes {
    of[name].as_str().unwrap().parse().unwrap()
}

/// Every entry that there ever was, as `LocalNet::state` shows it at that version of the contract.
pub(crate) fn of(state: &Value, version: u64) -> EntriesRead {
    let parameters = &state["parameters"];
    let counters = ContractCounters {
        version,
        next_node: field(parameters, "next_node_small_id"),
        next_task: field(parameters, "next_task_small_id"),
        next_stack: field(parameters, "next_stack_small_id"),
        stacks: 0,
        charges: Charges::default(),
    };
    let mut entries = Vec::new();
    let mut add = |key, entry| {
        entries.push(EntryRead {
            key,
            version: 0,
            entry,
        });
    };
    let present = |table: &str, id: u64| state[table].get(id.to_string());
    for id in 1..counters.next_node.get() {
        let node = present("nodes", id).map(|node| {
            Entry::Node(NodeOnChain {
                disabled_at_epoch: field(node, "was_disabled_in_epoch"),
                key: key(id, node),
            })
        });
        add(EntryKey::Node(NodeSmallId::new(id)), node);
    }
    for id in 1..counters.next_task.get() {
        let task = present("tasks", id).map(|value| Entry::Task(task(value)));
        add(EntryKey::Task(TaskSmallId::new(id)), task);
    }
    for id in 1..counters.next_stack.get() {
        let stack = present("stacks", id).map(|value| {
            let ticket = present("tickets", id).map(|value| ticket(id, value));
            Entry::Stack(stack(value, ticket))
        });
        add(EntryKey::Stack(StackSmallId::new(id)), stack);
    }
    EntriesRead {
        counters,
        mirrored_before: version,
        entries,
    }
}

fn key(node: u64, value: &Value) -> Option<NodeKey> {
    value["last_rotation_counter"]
        .as_u64()
        .map(|counter| NodeKey {
            node_small_id: NodeSmallId::new(node),
            public_key_commitment: bytes(value, "public_key_commitment"),
            key_rotation_counter: counter,
            updated_at_epoch: field(value, "last_updated_epoch"),
            device_types: field(value, "device_types"),
        })
}

fn task(value: &Value) -> TaskOnChain {
    let offers = value["subscriptions"].as_object().unwrap().iter();
    let offers = offers.map(|(node, offer)| {
        let offer = OfferOnChain {
            price_per_one_million_compute_units: field(
                offer,
                "price_per_one_million_compute_units",
            ),
            max_num_compute_units: field(offer, "max_num_compute_units"),
        };
        (node.parse().unwrap(), offer)
    });
    TaskOnChain {
        role: field(value, "role"),
        model_name: field(value, "model_name"),
        security_level: field(value, "security_level"),
        minimum_reputation_score: field(value, "minimum_reputation_score"),
        deprecated_at_epoch: field(value, "deprecated_at_epoch"),
        subscriptions: offers.collect(),
    }
}

fn stack(value: &Value, ticket: Option<TicketOnChain>) -> StackEntryOnChain {
    StackEntryOnChain {
        owner: field(value, "owner"),
        stack: StackOnChain {
            price_per_one_million_compute_units: field(
                value,
                "price_per_one_million_compute_units",
            ),
            num_compute_units: field(value, "num_compute_units"),
            selected_node_id: field(value, "selected_node_id"),
            task_small_id: field(value, "task_small_id"),
            is_claimed: field(value, "is_claimed"),
        },
        ticket,
    }
}

fn ticket(stack: u64, value: &Value) -> TicketOnChain {
    TicketOnChain {
        stack_small_id: StackSmallId::new(stack),
        selected_node_id: field(value, "selected_node_id"),
        num_claimed_compute_units: field(value, "num_claimed_compute_units"),
        requested_attestation_nodes: field(value, "requested_attestation_nodes"),
        dispute_settled_at_epoch: field(value, "dispute_settled_at_epoch"),
        committed_stack_proof: bytes(value, "committed_stack_proof"),
        stack_merkle_leaves: bytes(value, "stack_merkle_leaves_vector"),
        already_attested_nodes: field(value, "already_attested_nodes"),
        is_in_dispute: field(value, "is_in_dispute"),
    }
}
