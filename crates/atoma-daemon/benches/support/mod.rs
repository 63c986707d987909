//! A local network with stacks to settle, and a daemon's parts over it.

#[path = "daemon.rs"]
mod daemon;

use std::path::Path;

use atoma_daemon::Daemon;
use atoma_domain::model::NewMessage;
use atoma_domain::{ComputeUnits, Hash32, NodeSmallId, StackSmallId};
use atoma_localnet::demo::{self, Demo};
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase};
use daemon::daemon;
use tempfile::TempDir;

/// A network, the demonstration world on it, and a daemon.
pub(crate) struct World {
    pub(crate) network: LocalNet,
    pub(crate) demo: Demo,
    pub(crate) daemon: Daemon,
    _dir: Option<TempDir>,
}

impl World {
    /// Starts all of it.
    pub(crate) async fn start(consensus_ms: u64, rpc_ms: u64, checkpoint_ms: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self::start_in(dir.path(), consensus_ms, rpc_ms, checkpoint_ms).await;
        Self {
            _dir: Some(dir),
            ..world
        }
    }

    /// Starts all of it with its files in `dir`, which is the caller's.
    pub(crate) async fn start_in(
        dir: &Path,
        consensus_ms: u64,
        rpc_ms: u64,
        checkpoint_ms: u64,
    ) -> Self {
        let network = LocalNet::start(LocalNetConfig {
            consensus_ms,
            rpc_ms,
            checkpoint_ms,
            ..LocalNetConfig::default()
        })
        .await
        .unwrap();
        let demo = demo::prepare(&network, Some(dir)).unwrap();
        let daemon = daemon(dir).await;
        Self {
            network,
            demo,
            daemon,
            _dir: None,
        }
    }

    /// Buys stacks of the sampling-consensus task for one node, and records a message on each.
    pub(crate) async fn stacks_with_work(
        &self,
        node: NodeSmallId,
        count: u64,
    ) -> Vec<StackSmallId> {
        let task = self.demo.tasks.last().unwrap().task_small_id;
        let stacks = self
            .network
            .buy_stacks(&Purchase {
                task_small_id: task,
                num_compute_units: 1_000,
                price: 1_000_000,
                count,
                node_small_id: Some(node),
            })
            .unwrap();
        let operator = self.daemon.operator();
        operator.wait_for_stacks(&stacks).await.unwrap();
        for stack in &stacks {
            let hash = Hash32::of(&[&stack.get().to_le_bytes()]);
            let (units, now) = (ComputeUnits::new(900), operator.ports().clock.now());
            let message = NewMessage::new(*stack, hash, units, now);
            let recorded = operator.ports().work.record_message(&message).await;
            recorded.unwrap();
        }
        stacks
    }

    /// The first operator's first node.
    pub(crate) fn node(&self) -> NodeSmallId {
        self.demo.operators[0].nodes[0]
    }
}

/// A runtime as the daemon's.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}
