//! Further nodes of a network, each with faults of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::core::NetworkCore;
use crate::faults::{Fault, Faults};

/// Another node of a local network. It runs until it is [stopped](Self::stop), or the network is.
#[derive(Debug, Clone)]
pub struct LocalNode {
    pub(crate) core: Arc<NetworkCore>,
    pub(crate) addr: SocketAddr,
    pub(crate) faults: Arc<Faults>,
    pub(crate) stop: CancellationToken,
}

impl LocalNode {
    /// The URL for gRPC clients.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Injects a fault into the next calls of this node.
    pub fn inject_fault(&self, fault: Fault) {
        self.faults.inject(fault, self.core.clock.now_ms());
    }

    /// Removes all faults of this node.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// Stops the node: its connections end, and it takes no new ones.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
