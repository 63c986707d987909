//! Suite of [`StateReader`](atoma_domain::ports::StateReader).

use atoma_domain::events::{
    NodeSubscriptionUpdated, NodeUnsubscribedFromTask, TaskDeprecation, TaskRemoved,
};
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{Page, StackFilter, StackSnapshot};
use atoma_domain::{Epoch, PricePerMillion};

use super::Store;
use super::fixtures::*;

/// Ids on both sides of 2⁶³, where a signed column would turn negative.
const WIDE: [u64; 5] = [1, 2, 1 << 62, 1 << 63, u64::MAX];

pub async fn tasks_are_listed_by_id_over_the_whole_range(store: impl Store) {
    let events = WIDE.iter().rev().map(|id| task_registered(*id)).collect();
    apply_events(&store, 1, events).await;
    let listed = store.tasks(Page::first(10)).await.unwrap();
    let ids: Vec<u64> = listed.iter().map(|task| task.task_small_id.get()).collect();
    assert_eq!(ids, WIDE);
    assert_eq!(listed[1].model_name.as_deref(), Some("model 2"));
    assert_eq!(listed[1].minimum_reputation_score, Some(255));
    assert_eq!(listed[0].model_name, None);

    let after = Page {
        after: Some(task(1 << 62)),
        limit: 1,
    };
    let part = store.tasks(after).await.unwrap();
    assert_eq!(part.len(), 1);
    assert_eq!(part[0].task_small_id, task(1 << 63));
    assert_eq!(store.tasks(Page::first(0)).await.unwrap(), []);

    // Both events carry another object's id, so only the small id identifies the task.
    let deprecated = TaskDeprecation {
        task_id: object(77),
        task_small_id: task(1),
        epoch: Epoch::new(u64::MAX),
    };
    let removed = TaskRemoved {
        task_id: object(78),
        task_small_id: task(2),
        removed_at_epoch: Epoch::new(9),
    };
    let unknown = TaskRemoved {
        task_id: object(79),
        task_small_id: task(3),
        removed_at_epoch: Epoch::new(9),
    };
    apply_events(
        &store,
        2,
        vec![deprecated.into(), removed.into(), unknown.into()],
    )
    .await;
    let first = store.task(task(1)).await.unwrap().unwrap();
    assert_eq!(first.task_id, Some(object(1)));
    assert_eq!(first.deprecated_at_epoch, Some(Epoch::new(u64::MAX)));
    let second = store.task(task(2)).await.unwrap().unwrap();
    assert_eq!(second.removed_at_epoch, Some(Epoch::new(9)));
    assert!(first.is_deprecated() && second.is_deprecated());
    assert_eq!(store.task(task(3)).await.unwrap(), None);
}

pub async fn cancelled_subscriptions_stay(store: impl Store) {
    let (one, two, three) = (node(1), node(2), node(u64::MAX));
    let unsubscribed = NodeUnsubscribedFromTask {
        task_small_id: task(1),
        node_small_id: one,
    };
    let updated = NodeSubscriptionUpdated {
        node_small_id: two,
        task_small_id: task(1),
        price_per_one_million_compute_units: PricePerMillion::new(u64::MAX),
        max_num_compute_units: units(3),
    };
    apply_events(
        &store,
        1,
        vec![
            subscribed(1, 1, 10),
            subscribed(2, 1, 11),
            subscribed(u64::MAX, 1, 12),
            subscribed(1, 6, 13),
            bought(1, 1, 100),
        ],
    )
    .await;
    let subscribers = async || {
        let inputs = store.settlement_inputs(stack(1)).await.unwrap();
        inputs.unwrap().subscribers
    };
    assert_eq!(subscribers().await, [one, two, three]);
    apply_events(&store, 2, vec![unsubscribed.into(), updated.into()]).await;
    assert_eq!(subscribers().await, [two, three]);

    let nodes = [three, one, two];
    let all = store.subscriptions(&nodes, Page::first(9)).await.unwrap();
    let keys: Vec<(u64, u64, u64, bool)> = all
        .iter()
        .map(|s| {
            (
                s.node_small_id.get(),
                s.task_small_id.get(),
                s.price_per_one_million_compute_units.get(),
                s.valid,
            )
        })
        .collect();
    assert_eq!(
        keys,
        [
            (1, 1, 10, false),
            (1, 6, 13, true),
            (2, 1, u64::MAX, true),
            (u64::MAX, 1, 12, true)
        ]
    );
    let rest = Page {
        after: Some((one, task(6))),
        limit: 1,
    };
    let part = store.subscriptions(&nodes, rest).await.unwrap();
    assert_eq!(part, all[2..3]);
    assert_eq!(store.subscriptions(&[], Page::first(9)).await.unwrap(), []);

    // A new subscription is valid again, and last in order.
    apply_events(&store, 3, vec![subscribed(1, 1, 20)]).await;
    assert_eq!(subscribers().await, [two, three, one]);
}

pub async fn stacks_are_listed_by_node_in_pages(store: impl Store) {
    let events = WIDE
        .iter()
        .rev()
        .enumerate()
        .map(|(i, id)| bought(*id, if i == 0 { 9 } else { 1 }, u64::MAX));
    apply_events(&store, 1, events.collect()).await;
    let filter = StackFilter {
        nodes: &[node(1), node(2)],
        filled_beyond: None,
    };
    let listed = store.stacks(filter, Page::first(2)).await.unwrap();
    let ids: Vec<u64> = listed.iter().map(|s| s.stack_small_id.get()).collect();
    assert_eq!(ids, WIDE[..2]);
    assert_eq!(listed[0].num_compute_units, units(u64::MAX));
    assert_eq!(listed[0].owner_address, owner());
    assert_eq!(listed[0].merkle_root, None);
    assert_eq!(listed[0].num_total_messages, 0);
    let rest = Page {
        after: Some(listed[1].stack_small_id),
        limit: 10,
    };
    let listed = store.stacks(filter, rest).await.unwrap();
    let ids: Vec<u64> = listed.iter().map(|s| s.stack_small_id.get()).collect();
    assert_eq!(ids, WIDE[2..4]);

    // Pages of one node.
    let one = StackFilter {
        nodes: &[node(1)],
        filled_beyond: None,
    };
    let listed = store.stacks(one, rest).await.unwrap();
    let ids: Vec<u64> = listed.iter().map(|s| s.stack_small_id.get()).collect();
    assert_eq!(ids, WIDE[2..4]);

    // Pages over several nodes, one of them given twice, and over many.
    let many: Vec<_> = (1..=9).rev().map(node).collect();
    for nodes in [&[node(9), node(1), node(9)][..], &many] {
        let all = StackFilter {
            nodes,
            filled_beyond: None,
        };
        let mut page = Page::first(2);
        let mut ids = Vec::new();
        loop {
            let part = store.stacks(all, page).await.unwrap();
            let Some(last) = part.last() else { break };
            page.after = Some(last.stack_small_id);
            ids.extend(part.iter().map(|s| s.stack_small_id.get()));
        }
        assert_eq!(ids, WIDE);
    }

    let mut by_id = store
        .stacks_by_id(&[stack(u64::MAX), stack(3), stack(1)])
        .await
        .unwrap();
    by_id.sort_by_key(|s| s.stack_small_id);
    let ids: Vec<u64> = by_id.iter().map(|s| s.stack_small_id.get()).collect();
    assert_eq!(ids, [1, u64::MAX]);
    assert_eq!(by_id[1].selected_node_id, node(9));
}

pub async fn a_snapshot_has_stacks_settlements_and_tasks(store: impl Store) {
    let events = vec![
        task_registered(1),
        task_registered(2),
        task_registered(3),
        bought(1, 1, 100),
        bought(2, 2, 100),
        bought(3, 1, 100),
        settled(2, 2, &[1]),
        // Bought before the mirror begins.
        settled(9, 1, &[]),
    ];
    apply_events(&store, 1, events).await;
    let ids = [stack(9), stack(2), stack(1), stack(7)];
    let known = store.snapshot_of(&ids).await.unwrap();
    let mut stacks = known.stacks.clone();
    stacks.sort_by_key(|s| s.stack_small_id);
    let mut alone = store.stacks_by_id(&ids).await.unwrap();
    alone.sort_by_key(|s| s.stack_small_id);
    assert_eq!(stacks, alone);
    assert_eq!(stacks.len(), 2);
    let mut settlements = known.settlements;
    settlements.sort_by_key(|s| s.stack_small_id);
    let mut alone = store.settlements_by_id(&ids).await.unwrap();
    alone.sort_by_key(|s| s.stack_small_id);
    assert_eq!(settlements, alone);
    assert_eq!(settlements.len(), 2);
    // One task for all its stacks, and none of other stacks.
    let mut tasks: Vec<_> = stacks.iter().map(|s| s.task_small_id).collect();
    tasks.dedup();
    let found: Vec<_> = known.tasks.iter().map(|t| t.task_small_id).collect();
    assert_eq!(found, tasks);
    assert_eq!(
        store.snapshot_of(&[]).await.unwrap(),
        StackSnapshot::default()
    );
}

pub async fn filled_stacks_compare_exactly_and_fill_their_pages(store: impl Store) {
    // Every third is filled beyond a half, after many stacks that are filled to exactly a half.
    let count = 400_u64;
    let events = (1..=count).map(|id| bought(id, 1, 100));
    apply_events(&store, 1, events.collect()).await;
    let is_beyond = |id: u64| id.is_multiple_of(3) && id > 250;
    for id in 1..=count {
        let used = if is_beyond(id) { 51 } else { 50 };
        store.record_message(&message(id, id, used)).await.unwrap();
    }
    let expected: Vec<u64> = (1..=count).filter(|id| is_beyond(*id)).collect();
    for nodes in [&[node(1)][..], &[node(1), node(2)]] {
        let half = StackFilter {
            nodes,
            filled_beyond: Some(0.5),
        };
        let mut found = Vec::new();
        let mut page = Page::first(7);
        loop {
            let part = store.stacks(half, page).await.unwrap();
            let Some(last) = part.last() else { break };
            page.after = Some(last.stack_small_id);
            found.extend(part.iter().map(|stack| stack.stack_small_id.get()));
            // Only the last page is short.
            assert!(part.len() == 7 || found.len() == expected.len());
        }
        assert_eq!(found, expected);
    }

    // 2⁶³ of 2⁶⁴ − 1 units exceeds a half by half a unit.
    let size = u64::MAX;
    apply_events(
        &store,
        2,
        vec![bought(1000, 2, size), bought(1001, 2, size)],
    )
    .await;
    store
        .record_message(&message(1000, 1, 1 << 63))
        .await
        .unwrap();
    store
        .record_message(&message(1001, 1, (1 << 63) - 1))
        .await
        .unwrap();
    let filter = StackFilter {
        nodes: &[node(2)],
        filled_beyond: Some(0.5),
    };
    let found = store.stacks(filter, Page::first(10)).await.unwrap();
    let ids: Vec<u64> = found.iter().map(|s| s.stack_small_id.get()).collect();
    assert_eq!(ids, [1000]);
}

pub async fn operator_nodes_follow_registrations_and_the_chain(store: impl Store) {
    let mut foreign = frame(2, 0, vec![registered(7)]);
    foreign.transaction.as_mut().unwrap().sender = address(2);
    let own = frame(1, 0, vec![registered(3), registered(2)]);
    store.apply(&[own, foreign], operator()).await.unwrap();
    let of = |id: u64| OperatorNode {
        node_small_id: node(id),
        node_badge_id: object(id),
        address: operator(),
    };
    assert_eq!(store.operator_nodes().await.unwrap(), [of(2), of(3)]);

    // On chain, one badge was sent away and another received.
    store
        .set_operator_nodes(operator(), &[of(3), of(7)])
        .await
        .unwrap();
    assert_eq!(store.operator_nodes().await.unwrap(), [of(3), of(7)]);
    // An operator with another address has other nodes.
    let other = OperatorNode {
        address: address(2),
        ..of(8)
    };
    store
        .set_operator_nodes(address(2), &[other])
        .await
        .unwrap();
    assert_eq!(store.operator_nodes().await.unwrap(), [other]);
    store.apply(&[], operator()).await.unwrap();
    assert_eq!(store.operator_nodes().await.unwrap(), [of(3), of(7)]);
    store.set_operator_nodes(operator(), &[]).await.unwrap();
    assert_eq!(store.operator_nodes().await.unwrap(), []);
}
