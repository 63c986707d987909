//! Rebuilding a mirror from the contract's state.

use atoma_domain::model::NewMessage;
use atoma_domain::ports::{ChainEvents as _, ServedWork as _};
use atoma_domain::{ComputeUnits, StackSmallId, TimestampMs};
use atoma_localnet::{Fault, FaultKind};

use crate::world::{Mirror, World, root};

/// A network with a settled and a claimed stack, and its stacks.
async fn busy_world() -> (World, Vec<StackSmallId>) {
    let world = World::start().await;
    let task = world.task(2);
    world.subscribe(0, task).await;
    world.subscribe(1, task).await;
    let node = world.operators[0].node;
    let stacks: Vec<_> = (0..3).map(|_| world.stack(task, node).unwrap()).collect();
    assert!(world.settle(0, stacks[0]).await);
    (world, stacks)
}

fn prune(world: &World) {
    let state = world.localnet.state().unwrap();
    world.localnet.inject_fault(Fault {
        checkpoints: state["checkpoint"].as_u64().unwrap(),
        ..Fault::once(FaultKind::HistoryPruned)
    });
}

async fn record(mirror: &Mirror, stack: StackSmallId) {
    let message = NewMessage::new(stack, root(), ComputeUnits::new(9), TimestampMs::new(1));
    mirror.store.record_message(&message).await.unwrap();
}

/// A node that has pruned what the mirror needs next gives it the present state instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_whose_history_is_pruned_is_rebuilt() {
    let (world, stacks) = busy_world().await;
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    record(&mirror, stacks[1]).await;
    drop(mirror.reconciler);
    let mut mirror = world.mirror_in(mirror.store);
    assert!(world.settle(0, stacks[1]).await);
    world.localnet.step().unwrap();
    prune(&world);
    // The stream resumes at a checkpoint that the node doesn't have any more.
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    // It is followed from there.
    assert!(world.settle(0, stacks[2]).await);
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    let work = mirror.store.work_record(stacks[1], world.operators[0].node);
    let work = work.await.unwrap().unwrap();
    assert_eq!(work.computed_units, ComputeUnits::new(9));
}

/// So is one that begins when the contract is old.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_mirror_begins_with_the_present_state() {
    let (world, stacks) = busy_world().await;
    world.localnet.step().unwrap();
    prune(&world);
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    assert!(world.settle(0, stacks[2]).await);
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, [""; 0]);
}

/// A rebuild that fails leaves the mirror as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_fails_changes_nothing() {
    let (world, _) = busy_world().await;
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    let before = mirror.store.progress().await.unwrap();
    world.localnet.inject_fault(Fault {
        ms: u64::MAX,
        checkpoints: 3,
        ..Fault::once(FaultKind::NodeLags)
    });
    let error = mirror.reconciler.rebuild().await.unwrap_err();
    let told = atoma_domain::with_causes(&error);
    assert!(told.contains("behind the mirror"), "{told}");
    world.localnet.clear_faults();
    world.localnet.inject_fault(Fault {
        count: 3,
        ..Fault::once(FaultKind::Unavailable)
    });
    assert!(mirror.reconciler.rebuild().await.is_err());
    assert_eq!(mirror.store.progress().await.unwrap(), before);
    world.localnet.clear_faults();
    assert_eq!(world.differences(&mirror).await, [""; 0]);
    assert_eq!(mirror.reconciler.rebuild().await.unwrap().differences, []);
}
