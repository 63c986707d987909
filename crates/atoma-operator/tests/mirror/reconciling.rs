//! Comparing a mirror with the network.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{ChainEvents as _, MirrorRepair as _, Repair, StateReader as _};
use atoma_domain::reconciliation::Cause;
use atoma_domain::{Epoch, NodeSmallId};
use atoma_localnet::{Fault, FaultKind, NodeRegistration};

use crate::world::World;

/// What the calls without events leave behind is noticed at once, by what the transactions changed.
#[tokio::test(flavor = "multi_thread")]
async fn calls_without_events_are_noticed_at_once() {
    let world = World::start().await;
    let task = world.task(0);
    world.subscribe(0, task).await;
    let registration = NodeRegistration::default();
    let other = world.localnet.register_node(&registration).unwrap();
    world.localnet.deprecate_task(task).unwrap();
    world.localnet.disable_node(other).unwrap();
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, ["node_disabled"]);
    let found = mirror.reconciler.explain_changes().await.unwrap().unwrap();
    assert_eq!(found.differences.len(), 1);
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    assert_eq!(mirror.reconciler.explain_changes().await.unwrap(), None);

    for _ in 0..4 {
        world.localnet.advance_epoch().unwrap();
    }
    world.localnet.destroy_node(other).unwrap();
    world.localnet.remove_task(task, true).unwrap();
    assert!(world.call(0, ContractCall::PermanentlyDisableNode).await);
    for _ in 0..4 {
        world.localnet.advance_epoch().unwrap();
    }
    assert!(world.call(0, ContractCall::DestroyDisabledNode).await);
    world.follow(&mut mirror).await;
    let own = mirror.store.operator_nodes().await.unwrap();
    assert_eq!(own.len(), 1);
    mirror.reconciler.explain_changes().await.unwrap().unwrap();
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    assert_eq!(mirror.store.operator_nodes().await.unwrap(), []);
    let removed = mirror.store.task(task).await.unwrap().unwrap();
    assert_eq!(removed.removed_at_epoch, Some(Epoch::new(8)));
}

/// A request compares everything, also what the mirror has never seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_compares_everything() {
    let world = World::start().await;
    let tasks = [world.task(0), world.task(2)];
    for task in tasks {
        world.subscribe(0, task).await;
        world.subscribe(1, task).await;
    }
    let node = world.operators[0].node;
    let stacks = tasks.map(|task| world.stack(task, node).unwrap());
    assert!(world.settle(0, stacks[1]).await);
    // This mirror begins late: as if it had missed all events before.
    let mut mirror = world.mirror().await;
    let mut frames = world.ledger().await;
    frames.retain(|frame| frame.transaction.is_some());
    let mut last = frames.pop().unwrap();
    last.transaction.as_mut().unwrap().events.clear();
    let applied = mirror.store.apply(&[last], world.operator()).await;
    applied.unwrap();
    world.follow(&mut mirror).await;
    let missed = world.differences(&mirror).await;
    assert_eq!(
        missed,
        [
            "node_missing",
            "node_missing",
            "task_missing",
            "task_missing",
            "stack_missing",
            "stack_missing"
        ]
    );
    let told = mirror
        .reconciler
        .compare_all(Repair::Nothing)
        .await
        .unwrap();
    assert_eq!(told.differences.len(), missed.len());
    assert_eq!(world.differences(&mirror).await, missed);
    let repair = Repair::Mirror(Cause::Requested);
    let repaired = mirror.reconciler.compare_all(repair).await.unwrap();
    assert_eq!(repaired.differences, told.differences);
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    let again = mirror.reconciler.compare_all(repair).await.unwrap();
    assert_eq!((again.differences, again.open), (vec![], vec![]));
}

/// What an old node answers is not taken for news, and an error or an empty list proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_changes_nothing() {
    let world = World::start().await;
    let task = world.task(0);
    world.subscribe(0, task).await;
    world.stack(task, world.operators[0].node).unwrap();
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    world.stack(task, world.operators[0].node).unwrap();
    world.follow(&mut mirror).await;
    world.localnet.inject_fault(Fault {
        ms: u64::MAX,
        checkpoints: 3,
        ..Fault::once(FaultKind::NodeLags)
    });
    let repair = Repair::Mirror(Cause::Requested);
    let found = mirror.reconciler.compare_all(repair).await.unwrap();
    assert_eq!(found.differences, []);
    assert!(!found.open.is_empty());
    world.localnet.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::Unavailable)
    });
    assert!(mirror.reconciler.compare_all(repair).await.is_err());
    world.localnet.clear_faults();
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    let open = mirror.store.open_stacks(None, 9).await.unwrap();
    assert_eq!(open.len(), 2);
    let nodes: Vec<NodeSmallId> = open.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes, [world.operators[0].node; 2]);
}
