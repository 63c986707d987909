//! Suite of [`StateReader::due_attestations`].

use atoma_domain::events::{ContractEvent, StackTrySettle};
use atoma_domain::model::{DueAttestation, DueNode, OperatorNode};
use atoma_domain::ports::{Page, StateReader};
use atoma_domain::settlement::commitment;
use atoma_domain::{Epoch, Hash32};

use super::Store;
use super::fixtures::*;

/// What the nodes must attest in an epoch: stacks, with the nodes of each.
async fn due(store: &impl StateReader, nodes: &[u64], epoch: u64) -> Vec<(u64, Vec<u64>)> {
    let nodes: Vec<_> = nodes.iter().copied().map(node).collect();
    let page = Page::first(100);
    let due = store
        .due_attestations(&nodes, Epoch::new(epoch), page)
        .await;
    let ids = |due: &DueAttestation| {
        let nodes = due.nodes.iter().map(|due| due.node_small_id.get());
        (due.stack_small_id.get(), nodes.collect())
    };
    due.unwrap().iter().map(ids).collect()
}

/// The list has what the metrics count.
pub async fn what_is_counted_as_due_is_listed(store: impl Store) {
    let events = vec![
        settled(1, 1, &[2, 3]),
        settled(2, 1, &[3, 3]),
        settled(3, 1, &[3]),
        settled(4, 1, &[3]),
        settled(5, 3, &[]),
        // The bytes of node 1 are in this list, but the node is not.
        settled(6, 3, &[0, 1 << 56]),
    ];
    apply_events(&store, 51, events).await;
    assert_eq!(
        due(&store, &[3], 5).await,
        [(1, vec![3]), (2, vec![3]), (3, vec![3]), (4, vec![3])]
    );
    assert_eq!(due(&store, &[2, 3], 5).await[0], (1, vec![2, 3]));
    assert_eq!(due(&store, &[1], 5).await, []);
    assert_eq!(due(&store, &[], 5).await, []);
    apply_events(&store, 52, vec![attested(2, 3), attested(1, 2)]).await;
    assert_eq!(due(&store, &[2], 5).await, []);
    apply_events(&store, 53, vec![disputed(3, 9, 1), ticket_claimed(4, 1, 0)]).await;
    // The tickets can be claimed in epoch 6, and attested until they are.
    for (epoch, stacks) in [(5, 1), (6, 1), (7, 0)] {
        let listed = due(&store, &[3], epoch).await;
        assert_eq!(listed.len(), stacks, "{epoch}");
        let figures = store.figures(&[node(3)], Epoch::new(epoch)).await.unwrap();
        let counted = &figures.nodes[&node(3)];
        let counted = counted.attestations_due + counted.attestations_overdue;
        assert_eq!(counted, u64::try_from(stacks).unwrap(), "{epoch}");
    }
}

/// The most urgent first, whatever the ids of the stacks.
pub async fn due_attestations_come_in_pages(store: impl Store) {
    apply_events(&store, 51, vec![settled(8, 1, &[3]), settled(9, 1, &[3])]).await;
    apply_events(
        &store,
        61,
        vec![settled(1 << 63, 1, &[3]), settled(2, 1, &[3])],
    )
    .await;
    apply_events(
        &store,
        62,
        vec![settled(5, 1, &[4]), settled(3, 1, &[3, 4])],
    )
    .await;
    let nodes = [node(3)];
    for limit in 1..=6 {
        let mut page = Page::first(limit);
        let mut listed = Vec::new();
        loop {
            let next = store.due_attestations(&nodes, Epoch::new(6), page).await;
            let next = next.unwrap();
            assert!(next.len() <= usize::try_from(limit).unwrap());
            let Some(last) = next.last() else { break };
            page.after = Some((last.claimable_from_epoch, last.stack_small_id));
            let key =
                |due: &DueAttestation| (due.claimable_from_epoch.get(), due.stack_small_id.get());
            listed.extend(next.iter().map(key));
        }
        assert_eq!(
            listed,
            [(6, 8), (6, 9), (7, 2), (7, 3), (7, 1 << 63)],
            "{limit}"
        );
    }
    // A page from an epoch that is over by now begins with this one.
    let page = Page {
        after: Some((Epoch::new(6), stack(8))),
        limit: 1,
    };
    let next = store.due_attestations(&nodes, Epoch::new(7), page).await;
    assert_eq!(next.unwrap()[0].stack_small_id, stack(2));
}

/// A settlement by node 1 that asks for nodes 4, 3 and 2.
fn settled_over(id: u64, root: Hash32) -> ContractEvent {
    StackTrySettle {
        stack_small_id: stack(id),
        selected_node_id: node(1),
        requested_attestation_nodes: vec![node(4), node(3), node(2)],
        committed_stack_proof: commitment(&root, 5, 3).unwrap().into(),
        stack_merkle_leaf: hash(1).into(),
        num_claimed_compute_units: units(5),
    }
    .into()
}

pub async fn due_attestations_say_whether_the_record_agrees(store: impl Store) {
    apply_events(&store, 51, vec![bought(1, 1, 100)]).await;
    for (by, number) in [(1, 7), (2, 7), (3, 8)] {
        let served = atoma_domain::model::NewMessage {
            node_small_id: Some(node(by)),
            ..message(1, number, 3)
        };
        store.record_message(&served).await.unwrap();
    }
    // One message is its own root. Stack 2 was bought before the mirror begins.
    let events = vec![settled_over(1, hash(7)), settled_over(2, hash(7))];
    apply_events(&store, 52, events).await;
    let nodes = [node(4), node(3), node(2), node(1)];
    let due = store
        .due_attestations(&nodes, Epoch::new(5), Page::first(9))
        .await;
    let agree = |agrees: [Option<bool>; 3]| {
        let nodes = [2, 3, 4].map(node).into_iter().zip(agrees);
        nodes
            .map(|(node_small_id, record_agrees)| DueNode {
                node_small_id,
                record_agrees,
            })
            .collect()
    };
    let expected = |id, task_small_id, nodes| DueAttestation {
        stack_small_id: stack(id),
        task_small_id,
        claimable_from_epoch: Epoch::new(6),
        nodes,
    };
    assert_eq!(
        due.unwrap(),
        [
            expected(1, Some(task(1)), agree([Some(true), Some(false), None])),
            expected(2, None, agree([None, None, None])),
        ]
    );
}

pub async fn without_its_own_record_a_node_attests_from_the_selected_nodes(store: impl Store) {
    apply_events(&store, 51, vec![bought(1, 1, 100)]).await;
    store.record_message(&message(1, 7, 3)).await.unwrap();
    apply_events(&store, 52, vec![settled_over(1, hash(7))]).await;
    let agrees = async || {
        let page = Page::first(1);
        let due = store
            .due_attestations(&[node(4)], Epoch::new(5), page)
            .await;
        due.unwrap()[0].nodes[0].record_agrees
    };
    let of = |address, id: u64| OperatorNode {
        node_small_id: node(id),
        node_badge_id: object(id),
        address,
    };
    let set = async |operator, nodes: &[OperatorNode]| {
        let set = store.set_operator_nodes(operator, nodes).await;
        set.unwrap();
    };
    // The selected node is of an operator whom the database served before.
    set(address(2), &[of(address(2), 1)]).await;
    set(operator(), &[of(operator(), 4)]).await;
    assert_eq!(agrees().await, None);
    set(operator(), &[of(operator(), 1), of(operator(), 4)]).await;
    assert_eq!(agrees().await, Some(true));
}
