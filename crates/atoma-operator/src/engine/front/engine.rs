//! The engine as a value.

use std::sync::Arc;

use atoma_domain::journal::{Action, Actor, Failure, NewIntent};
use atoma_domain::ports::StoreError;
use atoma_domain::{IntentId, ObjectId};
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::lanes::Lanes;
use crate::Ports;
use crate::engine::lane::Work;
use crate::engine::shared::{Context, LaneKey};
use crate::engine::{EngineConfig, LimitStatus};

/// Drives intents to the chain. Cheap to clone; the work belongs to the engine, not to its callers.
#[derive(Clone, Debug)]
pub struct Engine {
    context: Arc<Context>,
    lanes: Arc<Lanes>,
    opening: Arc<Mutex<()>>,
}

impl Engine {
    /// An engine that has nothing to do yet. It works until `stopping` is cancelled, in the runtime
    /// in which it was created, or in its first caller's if it was created outside of one.
    pub fn new(ports: Ports, config: EngineConfig, stopping: CancellationToken) -> Self {
        Self {
            context: Arc::new(Context::new(ports, config, stopping)),
            lanes: Arc::default(),
            opening: Arc::default(),
        }
    }

    /// Waits until all lanes and all other work have stopped; call it after cancelling the token.
    pub async fn stopped(&self) {
        self.context.ended().await;
    }

    /// Stops signing until the next start. Queued intents stay queued; only what was signed before is
    /// pursued.
    pub fn stop_signing(&self, reason: Failure) {
        self.context.limits.stop(reason);
    }

    /// Why nothing is signed now, if so; an unfinished start does not count.
    pub fn paused(&self) -> Option<Failure> {
        let hold = self.context.limits.hold(self.context.ports.clock.now());
        hold.filter(|hold| hold.is_announced)
            .map(|hold| hold.reason.into())
    }

    /// Tells when an intent has come, or stands differently.
    pub fn transactions_changed(&self) -> watch::Receiver<u64> {
        self.context.registry.changed.watch()
    }

    /// How close the limits are to stopping new transactions.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub async fn limits(&self) -> Result<LimitStatus, StoreError> {
        let Ports { journal, clock, .. } = &self.context.ports;
        self.context
            .limits
            .status(journal.as_ref(), clock.as_ref())
            .await
    }

    /// Why nothing is done about an unfinished intent for now, if so.
    pub fn held(&self, id: IntentId) -> Option<Failure> {
        self.context.registry.held(id).map(Failure::from)
    }

    /// What the operator should look into, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let low_balance = self.low_balance().map(|balance| {
            format!(
                "the operator's coins hold {balance} MIST, less than {}: send SUI to {}",
                self.context.config.low_gas_balance,
                self.context.ports.signer.address()
            )
        });
        let held = self.context.registry.all_held().into_iter();
        let held = held.map(|(reason, count)| format!("transactions waiting: {count}; {reason}"));
        let foreign_uses = self.context.foreign_uses.sentences();
        let unreadable = self.context.unreadable().iter();
        let unreadable = unreadable
            .map(|what| format!("a row of the journal can't be read and is set aside: {what}"));
        let skipped = self.context.skipped().iter();
        let skipped = skipped
            .map(|what| format!("a row of the journal can't be read and is skipped: {what}"));
        let nodes = self.context.ports.chain.sui_nodes().into_iter();
        let nodes = nodes.filter_map(|node| {
            let why = node.left_aside?;
            let node = node.node;
            Some(format!(
                "the Sui node {node} is left aside, others are asked: {why}"
            ))
        });
        let warnings = low_balance.into_iter().chain(held).chain(foreign_uses);
        warnings
            .chain(unreadable)
            .chain(skipped)
            .chain(nodes)
            .collect()
    }

    /// Whether an unfinished intent holds the key of this one.
    pub(crate) fn is_under_way(&self, intent: &NewIntent) -> bool {
        let key = intent.action.key(&intent.actor);
        self.context.registry.is_held_key(&key)
    }

    /// The unfinished intent that holds the key of this action, and why nothing is done about it for now, if so.
    pub(crate) fn under_way(
        &self,
        action: &Action,
        actor: &Actor,
    ) -> Option<(IntentId, Option<Failure>)> {
        let id = self.context.registry.holder(&action.key(actor))?;
        Some((id, self.held(id)))
    }

    /// Whether this process is still at work on an intent.
    pub(crate) fn is_at_work_on(&self, id: IntentId) -> bool {
        self.context.registry.watch(id).is_some()
    }

    /// How many foreign uses of badges this process has seen, and the badge of the latest.
    pub(crate) fn foreign_uses_seen(&self) -> (u64, Option<ObjectId>) {
        self.context.foreign_uses.seen()
    }

    /// Completes when the daemon is told to stop.
    pub(crate) async fn stop_requested(&self) {
        self.context.stopping.cancelled().await;
    }

    /// Runs work on its own until the daemon is told to stop, which [`stopped`](Self::stopped) waits for. Then the work
    /// is dropped where it is, so nothing may depend on its end.
    pub(crate) fn spawn_until_stopped(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.context.stopping.clone();
        self.context
            .spawn(async move { stopping.run_until_cancelled(work).await });
    }

    /// What the lanes share.
    pub(in crate::engine) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Gives a lane work.
    pub(in crate::engine) fn send(&self, lane: LaneKey, work: Work) {
        self.lanes.send(&self.context, lane, work);
    }

    /// The lock under which intents are opened and given to their lanes. It is held across calls of
    /// the database, and never across one of the network.
    pub(in crate::engine) async fn opening(&self) -> MutexGuard<'_, ()> {
        self.opening.lock().await
    }

    /// Runs work to its end even if the caller goes away: a journalled intent must not be left without
    /// a lane.
    pub(in crate::engine) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        self.context.spawn(work).await
    }
}
