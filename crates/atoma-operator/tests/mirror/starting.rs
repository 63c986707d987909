//! A node's start while the Sui node or the database is not as it should be.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::events::StackCreated;
use atoma_domain::model::OperatorNode;
use atoma_domain::ports::{ChainEvents, ChainIdentity, LedgerFrame, Progress, StoreError};
use atoma_domain::{Address, Digest, Epoch};
use atoma_localnet::{Fault, FaultKind};
use atoma_operator::{Adapters, Node, NodeConfig};
use atoma_state::{OwnedState, SqliteState, StateOptions};
use tokio_util::sync::CancellationToken;

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);

async fn adapters(world: &World, dir: &Path) -> (Adapters, SqliteState) {
    let owned = OwnedState::open(dir, StateOptions::default())
        .await
        .unwrap();
    let state = owned.state().clone();
    let adapters = Adapters::new(
        world.chain.clone(),
        Arc::new(world.source()),
        world.signer(),
        Arc::new(state.clone()),
        Arc::new(owned),
    );
    (adapters, state)
}

async fn build(adapters: Adapters) -> Node {
    let mut config = NodeConfig::default();
    config.start_pause = Duration::from_millis(5);
    Node::build(adapters, config, CancellationToken::new())
        .await
        .unwrap()
}

/// Waits until the reasons why a node is not ready are as wanted.
async fn until_reasons(node: &Node, wanted: impl Fn(&[String]) -> bool) {
    let reached = async {
        loop {
            let reasons = node.operator().check().await.reasons;
            if wanted(&reasons) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
}

/// What the Sui node doesn't show yet may be the rotation that it then is.
#[tokio::test]
async fn a_last_use_that_is_not_shown_yet_is_asked_for_again() {
    let world = World::start().await;
    world.localnet.advance_epoch().unwrap();
    assert!(world.rotate_key(0, 300).await);
    let dir = tempfile::tempdir().unwrap();
    world.localnet.inject_fault(Fault {
        count: u64::MAX,
        ..Fault::once(FaultKind::TransactionsHidden)
    });
    let node = build(adapters(&world, dir.path()).await.0).await;
    node.start().await.unwrap();
    let says_so = |reasons: &[String]| {
        let hidden = |reason: &String| reason.contains("does not show transaction");
        reasons.iter().any(hidden)
    };
    until_reasons(&node, says_so).await;
    world.localnet.clear_faults();
    until_reasons(&node, <[String]>::is_empty).await;
    node.stop().await.unwrap();
}

/// A database whose first binding to the chain fails.
#[derive(Debug)]
struct BusyAtFirst {
    store: SqliteState,
    was_busy: AtomicBool,
}

#[async_trait]
impl ChainEvents for BusyAtFirst {
    async fn bind(&self, identity: &ChainIdentity) -> Result<(), StoreError> {
        match self.was_busy.swap(true, Ordering::SeqCst) {
            true => self.store.bind(identity).await,
            false => Err(StoreError::Busy("all connections are in use".into())),
        }
    }

    async fn bound_to(&self) -> Result<Option<ChainIdentity>, StoreError> {
        self.store.bound_to().await
    }

    async fn apply(
        &self,
        steps: &[LedgerFrame],
        operator: Address,
    ) -> Result<Progress, StoreError> {
        self.store.apply(steps, operator).await
    }

    async fn apply_early(&self, purchases: &[StackCreated]) -> Result<(), StoreError> {
        self.store.apply_early(purchases).await
    }

    async fn progress(&self) -> Result<Progress, StoreError> {
        self.store.progress().await
    }

    async fn has_applied(&self, digest: Digest) -> Result<bool, StoreError> {
        self.store.has_applied(digest).await
    }

    async fn set_operator_nodes(
        &self,
        address: Address,
        nodes: &[OperatorNode],
    ) -> Result<(), StoreError> {
        self.store.set_operator_nodes(address, nodes).await
    }

    async fn note_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        self.store.note_epoch(epoch).await
    }

    async fn check_disk(&self) -> Result<(), StoreError> {
        self.store.check_disk().await
    }
}

#[tokio::test]
async fn a_database_that_is_busy_at_first_is_waited_for() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (mut adapters, store) = adapters(&world, dir.path()).await;
    adapters.ports.events = Arc::new(BusyAtFirst {
        store,
        was_busy: AtomicBool::new(false),
    });
    let node = build(adapters).await;
    node.start().await.unwrap();
    until_reasons(&node, <[String]>::is_empty).await;
    node.stop().await.unwrap();
}
