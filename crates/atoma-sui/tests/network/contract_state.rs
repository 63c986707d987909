//! The contract's state, entry by entry, is the network's own.

use std::collections::BTreeSet;

use atoma_domain::contract::{ContractCall, Entry, EntryKey, EntryRead};
use atoma_domain::ports::{ChainError, ContractState as _, LedgerTransaction};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::{NodeRegistration, Parameters};
use serde_json::{Value, json};

use crate::support::{PRICE, TestNetwork, TestOperator, root, transactions};

fn node(id: u64) -> EntryKey {
    EntryKey::Node(NodeSmallId::new(id))
}

fn task(id: u64) -> EntryKey {
    EntryKey::Task(TaskSmallId::new(id))
}

fn stack(id: u64) -> EntryKey {
    EntryKey::Stack(StackSmallId::new(id))
}

/// A node that the network's own accounts register.
fn register(network: &TestNetwork, tasks: &[TaskSmallId]) -> NodeSmallId {
    let registration = NodeRegistration {
        owner: None,
        task_small_ids: tasks.to_vec(),
        price_per_one_million_compute_units: PRICE.get(),
    };
    network.localnet.register_node(&registration).unwrap()
}

async fn settle(network: &TestNetwork, operator: &TestOperator, stack: StackSmallId) {
    let settle = ContractCall::TrySettleStack {
        stack,
        claimed: ComputeUnits::new(600),
        proof: SettlementProof::of_selected_node(&root(), 1, 1).unwrap(),
    };
    network.act(operator, settle).await;
}

/// An entry as `LocalNet::state` shows it.
fn as_state(read: &EntryRead) -> Value {
    match &read.entry {
        None => Value::Null,
        Some(Entry::Node(node)) => json!({ "was_disabled_in_epoch": node.disabled_at_epoch }),
        Some(Entry::Task(task)) => {
            let offers = task.subscriptions.iter().map(|(node, offer)| {
                let offer = json!({
                    "price_per_one_million_compute_units": offer.price_per_one_million_compute_units,
                    "max_num_compute_units": offer.max_num_compute_units,
                });
                (node.to_string(), offer)
            });
            json!({
                "role": task.role,
                "model_name": task.model_name,
                "security_level": task.security_level,
                "minimum_reputation_score": task.minimum_reputation_score,
                "deprecated_at_epoch": task.deprecated_at_epoch,
                "subscriptions": offers.collect::<serde_json::Map<_, _>>(),
            })
        }
        Some(Entry::Stack(entry)) => {
            let ticket = entry.ticket.as_ref().map(|ticket| {
                json!({
                    "selected_node_id": ticket.selected_node_id,
                    "num_claimed_compute_units": ticket.num_claimed_compute_units,
                    "requested_attestation_nodes": ticket.requested_attestation_nodes,
                    "dispute_settled_at_epoch": ticket.dispute_settled_at_epoch,
                    "committed_stack_proof": hex::encode(&ticket.committed_stack_proof.0),
                    "stack_merkle_leaves_vector": hex::encode(&ticket.stack_merkle_leaves.0),
                    "already_attested_nodes": ticket.already_attested_nodes,
                    "is_in_dispute": ticket.is_in_dispute,
                })
            });
            json!({
                "owner": entry.owner,
                "price_per_one_million_compute_units": entry.stack.price_per_one_million_compute_units,
                "num_compute_units": entry.stack.num_compute_units,
                "selected_node_id": entry.stack.selected_node_id,
                "task_small_id": entry.stack.task_small_id,
                "is_claimed": entry.stack.is_claimed,
                "ticket": ticket,
            })
        }
    }
}

/// The same entry of the network's state, without what the reader leaves out.
fn of_network(state: &Value, read: &EntryRead) -> Value {
    let (of, id) = match read.key {
        EntryKey::Node(id) => ("nodes", id.get()),
        EntryKey::Task(id) => ("tasks", id.get()),
        EntryKey::Stack(id) => ("stacks", id.get()),
    };
    let Some(Value::Object(mut entry)) = state[of].get(id.to_string()).cloned() else {
        return Value::Null;
    };
    if of == "stacks" {
        let mut ticket = state["tickets"].get(id.to_string()).cloned();
        if let Some(Value::Object(ticket)) = &mut ticket {
            ticket.remove("id");
        }
        entry.insert("ticket".to_owned(), ticket.unwrap_or_default());
    }
    entry.retain(|field, _| match of {
        "nodes" => field == "was_disabled_in_epoch",
        "tasks" => ![
            "id",
            "is_deprecated",
            "is_public",
            "whitelisted_nodes",
            "subscribed_nodes_small_ids",
        ]
        .contains(&field.as_str()),
        _ => true,
    });
    Value::Object(entry)
}

async fn assert_is_the_networks(network: &TestNetwork) {
    let state = network.localnet.state().unwrap();
    let counters = network.chain.counters().await.unwrap();
    let keys: Vec<EntryKey> = (1..=counters.next_node.get())
        .map(node)
        .chain((1..=counters.next_task.get()).map(task))
        .chain((1..=counters.next_stack.get()).map(stack))
        .collect();
    let read = network.chain.entries(&keys, 0).await.unwrap();
    assert_eq!(read.counters, counters);
    assert_eq!(read.entries.len(), keys.len());
    for (entry, key) in read.entries.iter().zip(&keys) {
        assert_eq!(entry.key, *key);
        assert_eq!(as_state(entry), of_network(&state, entry), "{key:?}");
        assert_eq!(entry.version > 0, entry.entry.is_some());
        assert!(entry.version <= counters.version);
    }
    let listed = network.chain.list_stacks(None).await.unwrap();
    let listed: BTreeSet<_> = listed.stacks.into_iter().collect();
    let existing = read.entries.iter().filter_map(|entry| match entry.key {
        EntryKey::Stack(stack) if entry.entry.is_some() => Some(stack),
        _ => None,
    });
    assert_eq!(listed, existing.collect());
    assert_eq!(counters.stacks, u64::try_from(listed.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_the_networks_own() {
    let network = TestNetwork::start().await;
    assert_is_the_networks(&network).await;
    let parameters = Parameters {
        cross_validation_probability_permille: Some(1_000),
        ..Parameters::default()
    };
    network.localnet.set_parameters(&parameters).unwrap();
    let tasks = [network.task(0), network.task(1), network.task(2)];
    let operator = network.operator(0, &tasks).await;
    for _ in 0..60 {
        register(&network, &tasks);
    }
    assert_is_the_networks(&network).await;
    let stacks = tasks.map(|task| network.stack(task, operator.node));
    let open = network.stack(tasks[2], operator.node);
    settle(&network, &operator, stacks[0]).await;
    settle(&network, &operator, stacks[2]).await;
    let task = tasks[1];
    network
        .act(&operator, ContractCall::UnsubscribeFromTask { task })
        .await;
    network.localnet.deprecate_task(task).unwrap();
    network.localnet.disable_node(NodeSmallId::new(2)).unwrap();
    assert_is_the_networks(&network).await;
    for _ in 0..4 {
        network.localnet.advance_epoch().unwrap();
    }
    let claimed = vec![stacks[0]];
    network
        .act(&operator, ContractCall::ClaimFunds { stacks: claimed })
        .await;
    network.localnet.destroy_node(NodeSmallId::new(2)).unwrap();
    network.localnet.remove_task(task, true).unwrap();
    assert_is_the_networks(&network).await;
    let left = network
        .chain
        .entries(&[stack(open.get())], 0)
        .await
        .unwrap();
    assert!(left.entries[0].entry.is_some());
}

/// The transactions of the network that no event tells of.
async fn silent(network: &TestNetwork) -> Vec<LedgerTransaction> {
    let registered = network.operator(1, &[]).await;
    let last = network.act(&registered, ContractCall::WithdrawFees).await;
    let frames = network.follow_until(None, &last).await;
    let silent = transactions(&frames).filter(|transaction| !transaction.unexplained.is_empty());
    silent.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_events_tell_what_they_changed() {
    let network = TestNetwork::start().await;
    let removed = network.task(0);
    let disabled = register(&network, &[]);
    let destroyed = register(&network, &[]);
    network.localnet.deprecate_task(removed).unwrap();
    network.localnet.disable_node(destroyed).unwrap();
    for _ in 0..4 {
        network.localnet.advance_epoch().unwrap();
    }
    network.localnet.disable_node(disabled).unwrap();
    network.localnet.destroy_node(destroyed).unwrap();
    network.localnet.remove_task(removed, true).unwrap();
    let silent = silent(&network).await;
    let mut found = BTreeSet::new();
    for transaction in &silent {
        assert!(transaction.contract_version.is_some());
        let entries = network.chain.entries_of(&transaction.unexplained).await;
        found.extend(entries.unwrap());
    }
    // The withdrawal paid nothing, and changed no entry.
    let expected = [
        EntryKey::Node(disabled),
        EntryKey::Node(destroyed),
        EntryKey::Task(removed),
    ];
    assert_eq!(found, BTreeSet::from(expected));
}

/// A cursor of the newest checkpoint leads to what comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_followed_from_the_newest_checkpoint() {
    let network = TestNetwork::start().await;
    network.task(0);
    network.localnet.step().unwrap();
    let counters = network.chain.counters().await.unwrap();
    let cursor = network.chain.newest_cursor().await.unwrap();
    let operator = network.operator(0, &[]).await;
    let last = network.act(&operator, ContractCall::WithdrawFees).await;
    let frames = network.follow_until(Some(cursor), &last).await;
    let newer = transactions(&frames)
        .filter(|transaction| transaction.contract_version > Some(counters.version));
    assert_eq!(newer.count(), 2);
}

#[tokio::test]
async fn a_wrong_contract_is_an_error() {
    let network = TestNetwork::start().await;
    let addresses = network.localnet.addresses();
    let config = atoma_sui::SuiChainConfig::new(
        network.localnet.url(),
        addresses.package,
        crate::support::NOBODY,
    );
    let chain = atoma_sui::SuiChain::connect(config).unwrap();
    let error = chain.counters().await.unwrap_err();
    assert!(matches!(error, ChainError::NoObject(_)), "{error}");
}
