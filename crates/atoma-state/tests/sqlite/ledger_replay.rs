//! Applying any part of the ledger again changes nothing, and the mirror doesn't depend on how the
//! ledger is cut into batches.

use std::collections::BTreeSet;

use atoma_domain::events::{ContractEvent, NodeUnsubscribedFromTask};
use atoma_domain::ports::{ChainEvents, LedgerFrame};
use proptest::prelude::*;

use crate::raw::Database;
use crate::suite::fixtures::*;

/// Few ids, so that events concern the same things; one beyond 2⁶³.
fn id() -> impl Strategy<Value = u64> {
    prop_oneof![1..4_u64, Just((1 << 63) + 9)]
}

fn event() -> impl Strategy<Value = ContractEvent> {
    prop_oneof![
        id().prop_map(registered),
        id().prop_map(task_registered),
        (id(), id(), any::<u64>()).prop_map(|(node, task, price)| subscribed(node, task, price)),
        (id(), id()).prop_map(|(node_id, task_id)| {
            NodeUnsubscribedFromTask {
                task_small_id: task(task_id),
                node_small_id: node(node_id),
            }
            .into()
        }),
        (id(), id(), any::<u64>()).prop_map(|(stack, node, size)| bought(stack, node, size)),
        (id(), id(), prop::collection::vec(id(), 0..3))
            .prop_map(|(stack, node, requested)| settled(stack, node, &requested)),
        (id(), id()).prop_map(|(stack, node)| attested(stack, node)),
        (id(), id(), id()).prop_map(|(stack, one, two)| disputed(stack, one, two)),
        (id(), id(), any::<u64>()).prop_map(|(stack, node, sum)| ticket_claimed(stack, node, sum)),
        (id(), id()).prop_map(|(stack, node)| stack_claimed(stack, node)),
    ]
}

/// A part of the ledger: each checkpoint has a few transactions and is then covered.
fn ledger() -> impl Strategy<Value = Vec<LedgerFrame>> {
    let transaction = prop::collection::vec(event(), 0..4);
    let checkpoint = prop::collection::vec(transaction, 0..3);
    prop::collection::vec(checkpoint, 1..8).prop_map(|mut checkpoints| {
        leave_out_impossible_attestations(&mut checkpoints);
        let mut frames = Vec::new();
        for (number, transactions) in (1..).zip(checkpoints) {
            for (index, events) in (0..).zip(transactions) {
                frames.push(frame(number, index, events));
            }
            frames.push(covered(number));
        }
        frames
    })
}

/// Leaves out attestations of stacks that nobody has bought, or of a node that is not registered, by then. The contract has
/// none, and whether one goes into the books depends on the stack.
fn leave_out_impossible_attestations(checkpoints: &mut [Vec<Vec<ContractEvent>>]) {
    let (mut nodes, mut seen, mut stacks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for transaction in checkpoints.iter_mut().flatten() {
        transaction.retain(|event| {
            match event {
                ContractEvent::NodeRegistered(event) => {
                    nodes.insert(event.node_small_id);
                }
                ContractEvent::StackCreated(event) => {
                    let is_first = seen.insert(event.stack_small_id);
                    if is_first && nodes.contains(&event.selected_node_id) {
                        stacks.insert(event.stack_small_id);
                    }
                }
                ContractEvent::NewStackSettlementAttestation(event) => {
                    return stacks.contains(&event.stack_small_id);
                }
                _ => {}
            }
            true
        });
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn replaying_any_part_changes_nothing(
        frames in ledger(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 4),
    ) {
        runtime().block_on(async {
            let whole = Database::new();
            let store = whole.open().await;
            let progress = store.apply(&frames, operator()).await.unwrap();
            let dump = whole.dump().await;
            for (one, other) in &cuts {
                let (one, other) = (one.index(frames.len() + 1), other.index(frames.len() + 1));
                let part = &frames[one.min(other)..one.max(other)];
                let prefix = &frames[..one];
                let suffix = &frames[one..];
                for again in [part, prefix, suffix, &frames] {
                    assert_eq!(store.apply(again, operator()).await.unwrap(), progress);
                }
                assert_eq!(whole.dump().await, dump);
            }

            // Frame by frame, repeating a part after each, gives the same database.
            let pieces = Database::new();
            let store = pieces.open().await;
            for upto in 1..=frames.len() {
                store.apply(&frames[upto - 1..upto], operator()).await.unwrap();
                store.apply(&frames[upto / 2..upto], operator()).await.unwrap();
            }
            assert_eq!(store.progress().await.unwrap(), progress);
            assert_eq!(pieces.dump().await, dump);
        });
    }
}
