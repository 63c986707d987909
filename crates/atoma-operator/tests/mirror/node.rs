//! A node embedded without an API.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use atoma_domain::StackSmallId;
use atoma_domain::events::ContractEvent;
use atoma_domain::journal::GasOptions;
use atoma_domain::{CheckpointNumber, ComputeUnits, Hash32};
use atoma_localnet::LocalNetConfig;
use atoma_operator::{
    Adapters, MirrorChange, MirrorChanges, Node, NodeChoice, NodeConfig, ServedMessage, StackStatus,
};
use atoma_state::{DataDirError, OwnError, OwnedState, StateOptions};
use atoma_sui::{SuiChain, SuiChainConfig, SuiEventSource};
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// The limit for anything that is waited for: long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node of the world's first operator, with its data in `dir`.
async fn node(world: &World, dir: &Path) -> Node {
    let owned = OwnedState::open(dir, StateOptions::default())
        .await
        .unwrap();
    let database = Arc::new(owned.state().clone());
    let adapters = Adapters::new(
        world.chain.clone(),
        Arc::new(world.source()),
        world.signer(),
        database,
        Arc::new(owned),
    );
    let mut config = NodeConfig::default();
    // The world acts with the node's badge too.
    config.engine.allow_foreign_use = true;
    Node::build(adapters, config, CancellationToken::new())
        .await
        .unwrap()
}

/// Waits until a subscriber is told of an event that `find` finds.
async fn told<T>(changes: &mut MirrorChanges, find: impl Fn(&ContractEvent) -> Option<T>) -> T {
    let found = async {
        while let Some(change) = changes.next().await {
            if let MirrorChange::Applied(transaction) = change
                && let Some(found) = transaction.events.iter().find_map(&find)
            {
                return found;
            }
        }
        panic!("the subscription ended");
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}

async fn ends(mut changes: MirrorChanges) {
    let end = async { while changes.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
}

fn message(stack: StackSmallId) -> ServedMessage {
    ServedMessage {
        stack_small_id: stack,
        node_small_id: None,
        message_hash: Hash32::of(&[b"a request and its response"]),
        num_compute_units: ComputeUnits::new(600),
        reservation: None,
        id: None,
    }
}

#[tokio::test]
async fn a_node_serves_settles_and_tells_its_subscribers() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let node = node(&world, dir.path()).await;
    let mut changes = node.changes();
    node.start().await.unwrap();

    let task = world.task(0);
    world.subscribe(0, task).await;
    let bought = world.stack(task, world.operators[0].node).unwrap();
    let created = |event: &ContractEvent| match event {
        ContractEvent::StackCreated(created) => Some(created.stack_small_id),
        _ => None,
    };
    assert_eq!(told(&mut changes, created).await, bought);
    let operator = node.operator();
    operator.record_message(message(bought)).await.unwrap();
    let (choice, gas) = (NodeChoice::default(), GasOptions::default());
    let settled = operator.settle(&[bought], None, choice, gas).await.unwrap();
    assert_eq!(settled[0].status, StackStatus::Succeeded, "{settled:?}");
    let settling = |event: &ContractEvent| match event {
        ContractEvent::StackTrySettle(event) => Some(event.stack_small_id),
        _ => None,
    };
    assert_eq!(told(&mut changes, settling).await, bought);

    // A second node on the same database would sign over the first's versions.
    let second = OwnedState::open(dir.path(), StateOptions::default()).await;
    let in_use = |error: &OwnError| matches!(error, OwnError::DataDir(DataDirError::InUse { .. }));
    assert!(second.as_ref().is_err_and(in_use), "{second:?}");
    node.stop().await.unwrap();
    ends(changes).await;
    OwnedState::open(dir.path(), StateOptions::default())
        .await
        .unwrap();
}

/// What runs beside a node ends with it, and so do the subscriptions to a node that was never started.
#[tokio::test]
async fn everything_ends_with_its_node() {
    let world = World::start().await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let stopped = node(&world, dirs[0].path()).await;
    let (ended, mut beside) = tokio::sync::mpsc::channel::<()>(1);
    let forever = ended.clone();
    stopped.spawn(async move {
        let _forever = forever;
        std::future::pending::<()>().await;
    });
    stopped.when_stopping(async move { drop(ended) });
    let changes = stopped.changes();
    stopped.stop().await.unwrap();
    assert_eq!(beside.recv().await, None);
    ends(changes).await;

    let dropped = node(&world, dirs[1].path()).await;
    dropped.start().await.unwrap();
    dropped.start().await.unwrap();
    let (changes, operator) = (dropped.changes(), dropped.operator().clone());
    drop(dropped);
    ends(changes).await;
    // Also while others still hold its use cases, another process may have the database once all has ended.
    let free = async {
        while OwnedState::open(dirs[1].path(), StateOptions::default())
            .await
            .is_err()
        {
            // A refusal alone lets nobody else run.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
    drop(operator);
}

/// The database knows its chain: no Sui node of another chain is asked for anything.
#[tokio::test]
async fn a_node_refuses_another_chain() {
    let world = World::start().await;
    let default = LocalNetConfig::default();
    let other = LocalNetConfig {
        seed: default.seed + 1,
        ..default
    };
    let other = World::start_with(other).await;
    let dir = tempfile::tempdir().unwrap();
    let first = node(&world, dir.path()).await;
    first.start().await.unwrap();
    first.stop().await.unwrap();
    let second = node(&other, dir.path()).await;
    let error = second.start().await.unwrap_err();
    assert!(error.to_string().contains("chain"), "{error}");
    assert!(!error.is_temporary());
    second.stop().await.unwrap();
}

/// A wrong address of the contract is told at once, and an unreachable Sui node is waited for.
#[tokio::test]
async fn only_what_can_not_change_by_itself_fails_a_start() {
    let world = World::start().await;
    let addresses = world.localnet.addresses();
    let unreachable =
        SuiChainConfig::new("http://127.0.0.1:1", addresses.package, addresses.atoma_db);
    let wrong = SuiChainConfig::new(world.localnet.url(), addresses.package, addresses.package);
    for (config, waits) in [(unreachable, true), (wrong, false)] {
        let dir = tempfile::tempdir().unwrap();
        let owned = OwnedState::open(dir.path(), StateOptions::default())
            .await
            .unwrap();
        let chain = SuiChain::connect(config).unwrap();
        let source = SuiEventSource::new(chain.clone(), CheckpointNumber::new(0));
        let adapters = Adapters::new(
            chain,
            Arc::new(source),
            world.signer(),
            Arc::new(owned.state().clone()),
            Arc::new(owned),
        );
        let node = Node::build(adapters, NodeConfig::default(), CancellationToken::new());
        let node = node.await.unwrap();
        assert_eq!(node.start().await.is_ok(), waits);
        assert_ne!(node.operator().check().await.reasons, Vec::<String>::new());
        node.stop().await.unwrap();
    }
}
