//! A network's configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use atoma_domain::ObjectId;
use sui_sdk_types::{Address, StructTag, TypeTag};

/// A value for [`LocalNetConfig::checkpoint_ms`] with which only
/// [`LocalNet::step`](crate::LocalNet::step) makes checkpoints.
pub const CHECKPOINT_ON_STEP: u64 = u64::MAX;

/// The configuration of a [`LocalNet`](crate::LocalNet).
///
/// The default suits tests: free ports, nothing on disk, no delays, a checkpoint with every
/// transaction, epochs on demand.
#[derive(Debug, Clone)]
pub struct LocalNetConfig {
    /// The address for gRPC and grpc-web.
    pub sui_addr: SocketAddr,
    /// The address for the control calls, which must be a loopback address. `None` disables them.
    pub admin_addr: Option<SocketAddr>,
    /// The directory for the ledger, which survives restarts there. `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Determines ids, keys and draws, and so the chain identifier.
    pub seed: u64,
    /// The length of an epoch in milliseconds. `None` ends epochs on demand only.
    pub epoch_ms: Option<u64>,
    /// Milliseconds from a transaction's submission to its effects.
    pub consensus_ms: u64,
    /// Milliseconds between checkpoints. 0 makes a checkpoint with every transaction;
    /// [`CHECKPOINT_ON_STEP`] makes them on demand only.
    pub checkpoint_ms: u64,
    /// Milliseconds added to each gRPC call.
    pub rpc_ms: u64,
}

impl Default for LocalNetConfig {
    fn default() -> Self {
        Self {
            sui_addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin_addr: None,
            data_dir: None,
            seed: 0,
            epoch_ms: None,
            consensus_ms: 0,
            checkpoint_ms: 0,
            rpc_ms: 0,
        }
    }
}

/// The addresses of the contract and of the test currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The Atoma package.
    pub package: Address,
    /// The shared `AtomaDb` object.
    pub atoma_db: ObjectId,
    /// The `AtomaDb`'s initial shared version.
    pub atoma_db_initial_shared_version: u64,
    /// The package of the test currency.
    pub usdc_package: Address,
}

impl Addresses {
    /// The type of the test currency.
    pub fn usdc(&self) -> TypeTag {
        StructTag::new(
            self.usdc_package,
            sui_sdk_types::Identifier::from_static("usdc"),
            sui_sdk_types::Identifier::from_static("USDC"),
            Vec::new(),
        )
        .into()
    }
}
