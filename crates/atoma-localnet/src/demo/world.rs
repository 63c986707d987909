//! A description of the demonstration world.

use std::path::PathBuf;

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::Address;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A description of the demonstration world.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The operators. The files are those of the first.
    pub operators: Vec<DemoOperator>,
    /// The tasks, one of each security level.
    pub tasks: Vec<DemoTask>,
    /// The stacks that are not claimed yet, among the
    /// [newest](crate::contract::MAX_STACKS_READ).
    pub stacks: Vec<DemoStack>,
    pub(super) url: String,
    /// The authority to trust, with TLS.
    pub(super) ca_file: Option<PathBuf>,
    pub(super) package: Address,
    pub(super) atoma_db: Address,
}

/// A node operator.
#[derive(Debug, Clone)]
pub struct DemoOperator {
    /// The address that owns the badges.
    pub address: Address,
    /// The address's key.
    pub key: SecretKey,
    /// The operator's nodes.
    pub nodes: Vec<NodeSmallId>,
}

/// A task of the demonstration world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoTask {
    /// The task's small id.
    pub task_small_id: TaskSmallId,
    /// 0 none, 1 confidential compute, 2 sampling consensus.
    pub security_level: u16,
}

/// A stack of the demonstration world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoStack {
    /// The stack's small id.
    pub stack_small_id: StackSmallId,
    /// The task that it was bought for.
    pub task_small_id: TaskSmallId,
    /// The node that serves it.
    pub node_small_id: NodeSmallId,
    /// The compute units that it holds.
    pub num_compute_units: u64,
}

/// An Ed25519 private key. `Debug` does not show it, and it is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(pub(super) [u8; 32]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl SecretKey {
    /// The raw key.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as an entry of `sui.keystore`: base64 of the scheme flag and the key.
    pub fn to_keystore(&self) -> String {
        sui_crypto::ed25519::Ed25519PrivateKey::new(self.0).to_base64()
    }
}
