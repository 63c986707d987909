//! What a view reads, and in how many calls.

use std::cell::Cell;
use std::sync::Once;

use atoma_domain::contract::ContractCall;
use atoma_domain::model::NodeKey;
use atoma_domain::ports::{Chain as _, SubscriberQuery, ViewQuery};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{
    ComputeUnits, HexBytes, MicroUsdc, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_localnet::Purchase;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{PRICE, TestNetwork, root};

thread_local! {
    /// Object reads made by this thread, which runs one test.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts object reads by their trace events. It is installed for the whole process, because a
/// callsite first hit by another thread does not notify a thread's own subscriber.
struct CountCalls;

impl CountCalls {
    fn install() {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
    }

    fn take() -> usize {
        CALLS.replace(0)
    }
}

impl Subscriber for CountCalls {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "atoma_sui::connection"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        CALLS.set(CALLS.get() + 1);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The nodes of a list, and whether each has an offer.
type Listed = Vec<(u64, bool)>;

async fn listed(
    network: &TestNetwork,
    task: TaskSmallId,
    expected: &[NodeSmallId],
) -> Option<Listed> {
    let query = ViewQuery {
        subscribers: Some(SubscriberQuery {
            task,
            expected: expected.to_vec(),
        }),
        ..ViewQuery::default()
    };
    let list = network.chain.view(&query).await.unwrap().subscribers?;
    assert!(list.iter().all(|subscriber| subscriber.is_active));
    let entries = list
        .iter()
        .map(|subscriber| (subscriber.node_small_id.get(), subscriber.offer.is_some()));
    Some(entries.collect())
}

#[tokio::test]
async fn a_subscriber_list_is_read_as_the_contract_keeps_it() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    assert_eq!(listed(&network, task, &[]).await, Some(vec![]));
    let operators = [
        network.operator(0, &[task]).await,
        network.operator(1, &[task]).await,
        network.operator(2, &[task]).await,
    ];
    let nodes: Vec<_> = operators.iter().map(|operator| operator.node).collect();
    assert_eq!(nodes.iter().map(|node| node.get()).max(), Some(3));
    let full = vec![(1, true), (2, true), (3, true)];
    assert_eq!(listed(&network, task, &nodes).await, Some(full));

    // As recorded in the test vectors: unsubscribing leaves the entry, a purchase prunes it, and
    // subscribing again adds a second one.
    let unsubscribe = || ContractCall::UnsubscribeFromTask { task };
    network.act(&operators[2], unsubscribe()).await;
    let left = vec![(1, true), (2, true), (3, false)];
    assert_eq!(listed(&network, task, &nodes[..1]).await, Some(left));
    network.stack(task, nodes[0]);
    let pruned = vec![(1, true), (2, true)];
    assert_eq!(listed(&network, task, &nodes).await, Some(pruned));
    network.act(&operators[1], unsubscribe()).await;
    let price = PRICE;
    network
        .act(&operators[1], ContractCall::SubscribeToTask { task, price })
        .await;
    let twice = vec![(1, true), (2, true), (2, true)];
    assert_eq!(listed(&network, task, &[]).await, Some(twice));

    assert_eq!(listed(&network, TaskSmallId::new(9), &nodes).await, None);
}

#[tokio::test]
async fn the_shares_of_nodes_that_exist_are_read() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let query = ViewQuery {
        shares: vec![operator.node, NodeSmallId::new(9)],
        ..ViewQuery::default()
    };
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(view.shares, [(operator.node, MicroUsdc::ZERO)].into());
}

#[tokio::test]
async fn a_nodes_key_is_read_as_the_contract_keeps_it() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let key_of = async |node| {
        let query = ViewQuery {
            node_key: Some(node),
            ..ViewQuery::default()
        };
        network.chain.view(&query).await.unwrap().node_key
    };
    assert_eq!(key_of(operator.node).await, None);
    let rotation = network.localnet.rotate_network_key().unwrap();
    for (key, device_type) in [(7, 300), (7, 0), (8, 300)] {
        let rotate = ContractCall::RotateNodePublicKey {
            commitment: HexBytes(vec![key; 3]),
            evidence: HexBytes(vec![1]),
            key_rotation_counter: rotation,
            device_type,
        };
        network.act(&operator, rotate).await;
    }
    let kept = NodeKey {
        node_small_id: operator.node,
        public_key_commitment: HexBytes(vec![7; 3]),
        key_rotation_counter: rotation,
        updated_at_epoch: network.chain.epoch().await.unwrap().epoch,
        device_types: vec![300, 0],
    };
    assert_eq!(key_of(operator.node).await, Some(kept));
    assert_eq!(key_of(NodeSmallId::new(9)).await, None);
}

#[tokio::test]
async fn a_subscriber_list_has_prices_and_disabled_nodes() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    let first = network.operator(0, &[task]).await;
    let second = network.operator(1, &[task]).await;
    let price = PricePerMillion::new(77);
    network
        .act(&first, ContractCall::UpdateSubscription { task, price })
        .await;
    network
        .act(&second, ContractCall::PermanentlyDisableNode)
        .await;
    let query = ViewQuery {
        subscribers: Some(SubscriberQuery {
            task,
            expected: Vec::new(),
        }),
        ..ViewQuery::default()
    };
    let list = network
        .chain
        .view(&query)
        .await
        .unwrap()
        .subscribers
        .unwrap();
    assert_eq!(list[0].offer.map(|offer| offer.0), Some(price));
    assert!(list[0].is_active);
    assert!(!list[1].is_active);
}

#[tokio::test]
async fn a_view_with_a_warm_cache_is_one_call() {
    CountCalls::install();
    let network = TestNetwork::start().await;
    let task = network.task(2);
    let selected = network.operator(0, &[task]).await;
    let other = network.operator(1, &[task]).await;
    let stack = network.stack(task, selected.node);
    network.localnet.force_attesters(stack, vec![other.node]);
    let mut query = ViewQuery {
        badge: Some(selected.badge),
        stacks: vec![stack],
        tickets: vec![stack],
        subscribers: Some(SubscriberQuery {
            task,
            expected: vec![selected.node, other.node],
        }),
        ..ViewQuery::default()
    };
    CountCalls::take();
    network.chain.view(&query).await.unwrap();
    assert!(CountCalls::take() > 1, "the task has not been read before");
    network.chain.view(&query).await.unwrap();
    assert_eq!(CountCalls::take(), 1);

    let settle = ContractCall::TrySettleStack {
        stack,
        claimed: ComputeUnits::new(1),
        proof: SettlementProof::of_selected_node(&root(), 1, 2).unwrap(),
    };
    network.act(&selected, settle).await;
    CountCalls::take();
    network.chain.view(&query).await.unwrap();
    assert_eq!(CountCalls::take(), 2, "the ticket has not been read before");
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(view.tickets.len(), 1);
    assert_eq!(CountCalls::take(), 1);

    // The list has a node that was not expected.
    query.subscribers = Some(SubscriberQuery {
        task,
        expected: vec![selected.node],
    });
    let view = network.chain.view(&query).await.unwrap();
    assert_eq!(view.subscribers.unwrap().len(), 2);
    assert_eq!(CountCalls::take(), 2);
}

#[tokio::test]
async fn more_objects_than_fit_one_call_are_all_read() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    let operator = network.operator(0, &[task]).await;
    let purchase = Purchase {
        task_small_id: task,
        num_compute_units: 10,
        price: PRICE.get(),
        count: 120,
        node_small_id: None,
    };
    let stacks = network.localnet.buy_stacks(&purchase).unwrap();
    let query = ViewQuery {
        badge: Some(operator.badge),
        stacks: stacks.iter().rev().copied().collect(),
        ..ViewQuery::default()
    };
    let view = network.chain.view(&query).await.unwrap();
    let read: Vec<StackSmallId> = view.stacks.into_keys().collect();
    assert_eq!(read, stacks);
}

#[tokio::test]
async fn all_pages_of_coins_are_read() {
    let network = TestNetwork::start().await;
    let signer = network.funded(0);
    for _ in 0..3 {
        network
            .localnet
            .faucet_coins(signer.owner(), &[1_000_000; 400])
            .unwrap();
    }
    let coins = network.chain.gas_coins(signer.owner()).await.unwrap();
    assert_eq!(coins.len(), 2 + 1_200);
    assert!(coins.is_sorted_by(|a, b| a.balance >= b.balance));
}
