//! The demonstration world: two operators with two nodes each, three tasks, a buyer, and what the
//! first operator needs to run a daemon.
//!
//! It comes about through transactions like any other. On a network that has it already, it is
//! only described anew.

mod files;
mod seeding;

use std::path::Path;

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use sui_sdk_types::Address;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::LocalNet;
use crate::network::LocalNetError;
pub use seeding::{STACKS_PER_TASK_AND_NODE, seed};

/// A description of the demonstration world.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The operators; the daemon runs for the first.
    pub operators: Vec<Operator>,
    /// The tasks, one of each security level.
    pub tasks: Vec<DemoTask>,
    /// The stacks that are not claimed yet.
    pub stacks: Vec<DemoStack>,
    url: String,
    package: Address,
    atoma_db: Address,
}

/// A node operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The address that owns the badges.
    pub address: Address,
    /// The address's key.
    pub key: SecretKey,
    /// Its nodes.
    pub nodes: Vec<NodeSmallId>,
}

/// A task of the demonstration world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoTask {
    /// Its id.
    pub task_small_id: TaskSmallId,
    /// 0 none, 1 confidential compute, 2 sampling consensus.
    pub security_level: u16,
}

/// A stack of the demonstration world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoStack {
    /// Its id.
    pub stack_small_id: StackSmallId,
    /// The task it was bought for.
    pub task_small_id: TaskSmallId,
    /// The node that serves it.
    pub node_small_id: NodeSmallId,
    /// How many compute units it holds.
    pub num_compute_units: u64,
}

/// An Ed25519 key. It shows itself nowhere, and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl SecretKey {
    /// The bare key.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as `sui.keystore` holds it: base64 of the scheme's flag and the key.
    pub fn to_keystore(&self) -> String {
        sui_crypto::ed25519::Ed25519PrivateKey::new(self.0).to_base64()
    }
}

/// Seeds the world, unless it is there, and writes the first operator's files into `dir`.
///
/// # Errors
/// When a transaction does not go through or a file can't be written.
pub fn prepare(network: &LocalNet, dir: Option<&Path>) -> Result<Demo, LocalNetError> {
    let demo = seed(network)?;
    if let Some(dir) = dir {
        demo.write_operator_files(dir)?;
    }
    Ok(demo)
}
