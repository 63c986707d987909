//! What all lanes share.

use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::abandoned::Abandoned;
use super::registry::IntentRegistry;
use crate::Ports;
use crate::engine::EngineConfig;
use crate::engine::limits::{ForeignUses, Limits};
use crate::engine::payment::{Budgets, GasPool};

/// What all lanes share.
#[derive(Debug)]
pub(in crate::engine) struct Context {
    pub(in crate::engine) ports: Ports,
    pub(in crate::engine) config: EngineConfig,
    pub(in crate::engine) gas: Arc<GasPool>,
    pub(in crate::engine) budgets: Budgets,
    pub(in crate::engine) registry: IntentRegistry,
    pub(in crate::engine) abandoned: Abandoned,
    pub(in crate::engine) limits: Arc<Limits>,
    pub(in crate::engine) foreign_uses: ForeignUses,
    /// What is wrong with the unfinished rows of the journal that can't be read.
    unreadable: OnceLock<Vec<String>>,
    /// The same for the other rows, which lists skip.
    skipped: OnceLock<Vec<String>>,
    /// How many attempts from before this process are still unresolved.
    pub(in crate::engine) unresolved: watch::Sender<usize>,
    pub(in crate::engine) stopping: CancellationToken,
    /// Where the engine's work runs, whoever asks for it: a request's own runtime may end with its
    /// server's worker. `None` means the caller's runtime.
    runtime: Option<Handle>,
    tasks: TaskTracker,
}

impl Context {
    /// Shares the ports under a configuration, until `stopping` is cancelled.
    pub(in crate::engine) fn new(
        ports: Ports,
        config: EngineConfig,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            gas: GasPool::new(ports.signer.address()),
            limits: Limits::new(config.limits),
            ports,
            config,
            budgets: Budgets::default(),
            registry: IntentRegistry::default(),
            abandoned: Abandoned::default(),
            foreign_uses: ForeignUses::default(),
            unreadable: OnceLock::new(),
            skipped: OnceLock::new(),
            unresolved: watch::Sender::new(0),
            stopping,
            runtime: Handle::try_current().ok(),
            tasks: TaskTracker::new(),
        }
    }

    /// Notes what is wrong with unfinished rows of the journal that were set aside when the process began.
    pub(in crate::engine) fn note_unreadable(&self, what: Vec<String>) {
        // A second recovery finds the same.
        let _ = self.unreadable.set(what);
    }

    /// What is wrong with the unfinished rows of the journal that are set aside. One of them may hide an
    /// attempt that is signed.
    pub(in crate::engine) fn unreadable(&self) -> &[String] {
        self.unreadable.get().map_or(&[], Vec::as_slice)
    }

    /// Notes what is wrong with other rows of the journal. They hide nothing that is signed.
    pub(in crate::engine) fn note_skipped(&self, what: Vec<String>) {
        // They are looked for once.
        let _ = self.skipped.set(what);
    }

    /// What is wrong with the other rows of the journal that can't be read.
    pub(in crate::engine) fn skipped(&self) -> &[String] {
        self.skipped.get().map_or(&[], Vec::as_slice)
    }

    /// Runs work that [`ended`](Self::ended) waits for.
    pub(in crate::engine) fn spawn<Work>(&self, work: Work) -> JoinHandle<Work::Output>
    where
        Work: Future + Send + 'static,
        Work::Output: Send + 'static,
    {
        match &self.runtime {
            Some(runtime) => self.tasks.spawn_on(work, runtime),
            None => self.tasks.spawn(work),
        }
    }

    /// Waits until all work has ended.
    pub(in crate::engine) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Returns a while after the daemon was told to stop: long enough for an answer that is about
    /// to arrive, short enough to wait for.
    pub(in crate::engine) async fn grace(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(self.config.stopping_grace).await;
    }
}
