//! A node as a whole: its engine, its ingestion and what runs beside them, started and stopped in the right order.
//!
//! `adapters.rs` and `config.rs` say what it is made of, `start.rs` is the start: what needs the chain, and when writes
//! begin.

mod adapters;
mod config;
mod error;
mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atoma_domain::Mist;
use atoma_domain::ports::StoreError;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::alarms::Alarms;
use crate::autopilot::Autopilot;
use crate::engine::Engine;
use crate::ingest::{Applied, MirrorChanges};
use crate::readiness::Readiness;
use crate::reconciliation::Reconciler;
use crate::use_cases::Operator;

pub use adapters::Adapters;
pub use config::NodeConfig;
pub use error::StartError;

/// An operator's daemon without an API: it mirrors the contract, and carries out what [`operator`](Self::operator) is
/// asked for, for all node badges of one address.
///
/// [`build`](Self::build) it, [`start`](Self::start) it, and [`stop`](Self::stop) it: then nothing of it runs any more, and
/// the database is closed. Dropping it has the same effect without waiting for it.
#[derive(Debug)]
pub struct Node {
    parts: Parts,
    operator: Operator,
    autopilot: Autopilot,
    is_started: AtomicBool,
    /// Ends with the node.
    finishing: JoinHandle<()>,
    _stopping: DropGuard,
}

/// What the tasks of a node share.
#[derive(Clone, Debug)]
struct Parts {
    adapters: Adapters,
    config: NodeConfig,
    engine: Engine,
    autopilot: Autopilot,
    applied: Applied,
    readiness: Readiness,
    reconciler: Reconciler,
    alarms: Alarms,
    tasks: TaskTracker,
    /// The runtime in which all of it runs.
    runtime: Handle,
    stopping: CancellationToken,
    /// Why a start in the background ended the node.
    fatal: Arc<Mutex<Option<StartError>>>,
}

impl Node {
    /// Puts a node together. It asks nothing of the chain, and only serves reads of an earlier mirror until it is started. It
    /// runs until `stopping` is cancelled, in the runtime in which it was built.
    ///
    /// # Errors
    /// When the database can't be read, or a Sui node of another chain than the database's has answered already.
    pub async fn build(
        adapters: Adapters,
        config: NodeConfig,
        stopping: CancellationToken,
    ) -> Result<Self, StartError> {
        let applied = Applied::default();
        let readiness = Readiness::new(
            crate::Ports {
                chain: Arc::clone(&adapters.background_chain),
                ..adapters.ports.clone()
            },
            applied.clone(),
        );
        readiness.adopt_earlier_mirror().await?;
        if let Some(identity) = adapters.ports.events.bound_to().await? {
            adapters.ports.chain.expect_chain(identity.chain_id)?;
        }
        let engine = Engine::new(
            adapters.ports.clone(),
            config.engine.clone(),
            stopping.clone(),
        );
        let reconciler = Reconciler::new(
            Arc::clone(&adapters.contract),
            Arc::clone(&adapters.mirror),
            Arc::clone(&adapters.ports.clock),
            applied.clone(),
        );
        let alarms = Alarms::new(
            Arc::clone(&adapters.alarms),
            Arc::clone(&adapters.ports.clock),
            adapters.notifiers.clone(),
            config.alarms.clone(),
            Mist::new(config.engine.low_gas_balance),
        );
        let operator = Operator::new(
            adapters.serving.clone(),
            engine.clone(),
            applied.clone(),
            readiness.clone(),
            config.request_timeout,
        )
        .reconciling_with(reconciler.clone())
        .with_alarms(alarms.clone());
        let autopilot = Autopilot::new(
            operator.clone(),
            Arc::clone(&adapters.autopilot),
            Arc::clone(&adapters.background_chain),
            config.autopilot.clone(),
        );
        let parts = Parts {
            autopilot: autopilot.clone(),
            adapters,
            config,
            engine,
            applied,
            readiness,
            reconciler,
            alarms,
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            stopping: stopping.clone(),
            fatal: Arc::default(),
        };
        Ok(Self {
            operator,
            autopilot,
            finishing: parts.runtime.spawn(parts.clone().finish()),
            parts,
            is_started: AtomicBool::new(false),
            _stopping: stopping.drop_guard(),
        })
    }

    /// The use cases: served work, settlements, attestations and all else that an operator does.
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The autopilot, which works if the configuration turns it on.
    pub const fn autopilot(&self) -> &Autopilot {
        &self.autopilot
    }

    /// A subscription to the changes of the mirror from now on.
    pub fn changes(&self) -> MirrorChanges {
        self.parts.applied.subscribe()
    }

    /// Starts the node: checks that the chain is the database's, learns which nodes the operator owns, follows the ledger,
    /// and takes up the transactions that the last run left open. Writes are accepted once those are resolved; until then
    /// they are refused with the reason.
    ///
    /// # Errors
    /// A Sui node or a database that is not available for now is not an error: the start is tried again in the background
    /// until it succeeds. Starting a node again does nothing.
    pub async fn start(&self) -> Result<(), StartError> {
        if self.is_started.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        // Also while the Sui node is away: that is one of the things to tell.
        self.spawn(self.operator.clone().watch_for_alarms());
        for delivery in self.parts.alarms.deliveries() {
            self.spawn(delivery);
        }
        // On its own: a caller that goes away must not leave half a start.
        let parts = self.parts.clone();
        let started = self
            .parts
            .spawn(async move { parts.start_or_keep_trying().await });
        started
            .await
            .map_err(|ended| StoreError::Unavailable(ended.into()))?
    }

    /// Runs work beside the node until it stops. Then the work is dropped where it is.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.parts.stopping.clone();
        self.parts.spawn(async move {
            stopping.run_until_cancelled(work).await;
        });
    }

    /// Runs an action when the node begins to stop. [`stop`](Self::stop) waits for it.
    pub fn when_stopping(&self, action: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.parts.stopping.clone();
        self.parts.spawn(async move {
            stopping.cancelled().await;
            action.await;
        });
    }

    /// Stops everything, waits for it, and closes the database. What was sent and has no outcome yet is taken up by the next
    /// start.
    ///
    /// # Errors
    /// Why a start in the background ended the node, if it did.
    pub async fn stop(self) -> Result<(), StartError> {
        let Self {
            parts,
            finishing,
            _stopping,
            ..
        } = self;
        parts.stopping.cancel();
        finishing
            .await
            .map_err(|ended| StoreError::Unavailable(ended.into()))?;
        let mut fatal = parts.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.take().map_or(Ok(()), Err)
    }
}

impl Parts {
    /// Waits until the node is told to stop and all of it has ended. Only then may another process have the database.
    async fn finish(self) {
        self.stopping.cancelled().await;
        self.engine.stopped().await;
        self.tasks.close();
        self.tasks.wait().await;
        // A start that was under way may have begun lanes since.
        self.engine.stopped().await;
        self.applied.end_subscriptions();
        self.adapters.ownership.give_up().await;
    }

    /// Runs a task that the stop waits for.
    fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tasks.spawn_on(task, &self.runtime)
    }
}
