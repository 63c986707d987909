//! Subscribers and callers that leave.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use atoma_domain::contract::EntriesRead;
use atoma_domain::ports::{
    Compared, EventCursor, MirrorRepair, Repair, StoreError, UnexplainedChange,
};
use atoma_domain::reconciliation::{Cause, Difference};
use atoma_domain::{NodeSmallId, StackSmallId, TimestampMs};
use atoma_localnet::NodeRegistration;
use atoma_operator::{Applied, MirrorChange, Reconciler};
use atoma_state::SqliteState;
use tokio::sync::Notify;

use crate::world::{StoppedClock, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// A mirror whose writes wait to be let through.
#[derive(Debug)]
struct HeldMirror {
    store: SqliteState,
    begun: Notify,
    go: Notify,
}

impl HeldMirror {
    async fn hold(&self) {
        self.begun.notify_one();
        self.go.notified().await;
    }
}

#[async_trait]
impl MirrorRepair for HeldMirror {
    async fn mirrored_version(&self) -> Result<u64, StoreError> {
        self.store.mirrored_version().await
    }

    async fn reconcile(
        &self,
        read: &EntriesRead,
        repair: Repair,
        explained: &[UnexplainedChange],
        now: TimestampMs,
    ) -> Result<Compared, StoreError> {
        self.hold().await;
        self.store.reconcile(read, repair, explained, now).await
    }

    async fn rebuild(
        &self,
        read: &EntriesRead,
        cursor: &EventCursor,
        now: TimestampMs,
    ) -> Result<Option<Vec<Difference>>, StoreError> {
        self.hold().await;
        self.store.rebuild(read, cursor, now).await
    }

    async fn unexplained_changes(&self, limit: u32) -> Result<Vec<UnexplainedChange>, StoreError> {
        self.store.unexplained_changes(limit).await
    }

    async fn open_stacks(
        &self,
        after: Option<(NodeSmallId, StackSmallId)>,
        limit: u32,
    ) -> Result<Vec<(NodeSmallId, StackSmallId)>, StoreError> {
        self.store.open_stacks(after, limit).await
    }

    async fn missing_stacks(
        &self,
        stacks: &[StackSmallId],
    ) -> Result<Vec<StackSmallId>, StoreError> {
        self.store.missing_stacks(stacks).await
    }
}

/// A caller that leaves between a write and its end has changed the mirror all the same.
#[tokio::test]
async fn a_change_is_told_though_its_caller_has_left() {
    let world = World::start().await;
    let mut mirror = world.mirror().await;
    world.follow(&mut mirror).await;
    let held = Arc::new(HeldMirror {
        store: mirror.store.clone(),
        begun: Notify::new(),
        go: Notify::new(),
    });
    let applied = Applied::default();
    let reconciler = Reconciler::new(
        world.chain.clone(),
        held.clone(),
        Arc::new(StoppedClock),
        applied.clone(),
    );
    let mut changes = applied.subscribe();
    let registration = NodeRegistration::default();
    let node = world.localnet.register_node(&registration).unwrap();
    world.localnet.disable_node(node).unwrap();
    world.follow(&mut mirror).await;
    assert_eq!(world.differences(&mirror).await, ["node_disabled"]);
    tokio::select! {
        compared = reconciler.compare_all(Repair::Mirror(Cause::Requested)) => panic!("{compared:?}"),
        () = held.begun.notified() => {}
    }
    held.go.notify_one();
    let told = tokio::time::timeout(PATIENCE, changes.next())
        .await
        .unwrap();
    assert_eq!(told, Some(MirrorChange::Repaired));
    assert_eq!(world.differences(&mirror).await, [""; 0]);

    tokio::select! {
        rebuilt = reconciler.rebuild() => panic!("{rebuilt:?}"),
        () = held.begun.notified() => {}
    }
    held.go.notify_one();
    let told = tokio::time::timeout(PATIENCE, changes.next())
        .await
        .unwrap();
    assert_eq!(told, Some(MirrorChange::Missed));
}
