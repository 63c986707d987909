//! Views: what they read, and in how many calls.

use std::cell::Cell;
use std::sync::Once;

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{Chain as _, SubscriberQuery, ViewQuery};
use atoma_domain::settlement::SettlementProof;
use atoma_domain::{ComputeUnits, NodeSmallId, PricePerMillion, StackSmallId, TaskSmallId};
use atoma_localnet::Purchase;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{PRICE, World, root};

thread_local! {
    /// Calls for objects made by this thread, which is one test's own.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the calls for objects by their trace events. It is there for the whole process: one for
/// a thread alone is not told of by callsites that another thread has met first.
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

/// The nodes of a list and whether each has an offer.
type Listed = Vec<(u64, bool)>;

async fn listed(world: &World, task: TaskSmallId, expected: &[NodeSmallId]) -> Option<Listed> {
    let query = ViewQuery {
        subscribers: Some(SubscriberQuery {
            task,
            expected: expected.to_vec(),
        }),
        ..ViewQuery::default()
    };
    let list = world.chain.view(&query).await.unwrap().subscribers?;
    assert!(list.iter().all(|subscriber| subscriber.is_active));
    let entries = list
        .iter()
        .map(|subscriber| (subscriber.node_small_id.get(), subscriber.offer.is_some()));
    Some(entries.collect())
}

#[tokio::test]
async fn a_subscriber_list_is_read_as_the_contract_keeps_it() {
    let world = World::start().await;
    let task = world.task(0);
    assert_eq!(listed(&world, task, &[]).await, Some(vec![]));
    let operators = [
        world.operator(0, &[task]).await,
        world.operator(1, &[task]).await,
        world.operator(2, &[task]).await,
    ];
    let nodes: Vec<_> = operators.iter().map(|operator| operator.node).collect();
    assert_eq!(nodes.iter().map(|node| node.get()).max(), Some(3));
    let full = vec![(1, true), (2, true), (3, true)];
    assert_eq!(listed(&world, task, &nodes).await, Some(full));

    // The recorded course of such a list: unsubscribing leaves the entry, a purchase sweeps it,
    // subscribing again adds a second one.
    let unsubscribe = || ContractCall::UnsubscribeFromTask { task };
    world.act(&operators[2], unsubscribe()).await;
    let left = vec![(1, true), (2, true), (3, false)];
    assert_eq!(listed(&world, task, &nodes[..1]).await, Some(left));
    world.stack(task, nodes[0]);
    let swept = vec![(1, true), (2, true)];
    assert_eq!(listed(&world, task, &nodes).await, Some(swept));
    world.act(&operators[1], unsubscribe()).await;
    let price = PRICE;
    world
        .act(&operators[1], ContractCall::SubscribeToTask { task, price })
        .await;
    let twice = vec![(1, true), (2, true), (2, true)];
    assert_eq!(listed(&world, task, &[]).await, Some(twice));

    assert_eq!(listed(&world, TaskSmallId::new(9), &nodes).await, None);
}

#[tokio::test]
async fn prices_and_disabled_nodes_are_told() {
    let world = World::start().await;
    let task = world.task(0);
    let first = world.operator(0, &[task]).await;
    let second = world.operator(1, &[task]).await;
    let price = PricePerMillion::new(77);
    world
        .act(&first, ContractCall::UpdateSubscription { task, price })
        .await;
    world
        .act(&second, ContractCall::PermanentlyDisableNode)
        .await;
    let query = ViewQuery {
        subscribers: Some(SubscriberQuery {
            task,
            expected: Vec::new(),
        }),
        ..ViewQuery::default()
    };
    let list = world.chain.view(&query).await.unwrap().subscribers.unwrap();
    assert_eq!(list[0].offer.map(|offer| offer.0), Some(price));
    assert!(list[0].is_active);
    assert!(!list[1].is_active);
}

#[tokio::test]
async fn a_warm_view_is_one_call() {
    CountCalls::install();
    let world = World::start().await;
    let task = world.task(2);
    let selected = world.operator(0, &[task]).await;
    let other = world.operator(1, &[task]).await;
    let stack = world.stack(task, selected.node);
    world.net.force_attesters(stack, vec![other.node]);
    let mut query = ViewQuery {
        badge: Some(selected.badge),
        stacks: vec![stack],
        tickets: vec![stack],
        subscribers: Some(SubscriberQuery {
            task,
            expected: vec![selected.node, other.node],
        }),
    };
    CountCalls::take();
    world.chain.view(&query).await.unwrap();
    assert!(CountCalls::take() > 1, "a task that was never read");
    world.chain.view(&query).await.unwrap();
    assert_eq!(CountCalls::take(), 1);

    let settle = ContractCall::TrySettleStack {
        stack,
        claimed: ComputeUnits::new(1),
        proof: SettlementProof::of_selected_node(&root(), 1, 2).unwrap(),
    };
    world.act(&selected, settle).await;
    CountCalls::take();
    world.chain.view(&query).await.unwrap();
    assert_eq!(CountCalls::take(), 2, "a ticket that was never read");
    let view = world.chain.view(&query).await.unwrap();
    assert_eq!(view.tickets.len(), 1);
    assert_eq!(CountCalls::take(), 1);

    // Another node in the list than those expected.
    query.subscribers = Some(SubscriberQuery {
        task,
        expected: vec![selected.node],
    });
    let view = world.chain.view(&query).await.unwrap();
    assert_eq!(view.subscribers.unwrap().len(), 2);
    assert_eq!(CountCalls::take(), 2);
}

#[tokio::test]
async fn more_objects_than_a_call_takes_are_read_all() {
    let world = World::start().await;
    let task = world.task(0);
    let operator = world.operator(0, &[task]).await;
    let purchase = Purchase {
        task_small_id: task,
        num_compute_units: 10,
        price: PRICE.get(),
        count: 120,
        node_small_id: None,
    };
    let stacks = world.net.buy_stacks(&purchase).unwrap();
    let query = ViewQuery {
        badge: Some(operator.badge),
        stacks: stacks.iter().rev().copied().collect(),
        ..ViewQuery::default()
    };
    let view = world.chain.view(&query).await.unwrap();
    let read: Vec<StackSmallId> = view.stacks.into_keys().collect();
    assert_eq!(read, stacks);
}

#[tokio::test]
async fn all_pages_of_coins_are_read() {
    let world = World::start().await;
    let signer = world.funded(0);
    for _ in 0..3 {
        world
            .net
            .faucet_coins(signer.owner(), &[1_000_000; 400])
            .unwrap();
    }
    let coins = world.chain.gas_coins(signer.owner()).await.unwrap();
    assert_eq!(coins.len(), 2 + 1_200);
    assert!(coins.is_sorted_by(|a, b| a.balance >= b.balance));
}
