//! How a local network is set up.

use std::net::SocketAddr;
use std::path::PathBuf;

use atoma_domain::ObjectId;
use sui_sdk_types::{Address, StructTag, TypeTag};

/// A [`Config::checkpoint_ms`] with which checkpoints are made by
/// [`LocalNet::step`](crate::LocalNet::step) alone.
pub const CHECKPOINT_ON_STEP: u64 = u64::MAX;

/// Settings of a [`LocalNet`](crate::LocalNet).
///
/// The default is what tests want: free ports, nothing on disk, no delays, a checkpoint with every
/// transaction, epochs on demand.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where gRPC and grpc-web listen.
    pub sui_addr: SocketAddr,
    /// Where the control calls listen; off without it. It must be a loopback address.
    pub admin_addr: Option<SocketAddr>,
    /// Where the ledger is kept across restarts; in memory alone without it.
    pub data_dir: Option<PathBuf>,
    /// Decides ids, keys and draws, and thereby the chain identifier.
    pub seed: u64,
    /// Milliseconds that an epoch lasts; without it, epochs end on demand only.
    pub epoch_ms: Option<u64>,
    /// Milliseconds from a transaction's submission to its effects.
    pub consensus_ms: u64,
    /// Milliseconds between checkpoints; 0 makes one with every transaction, and
    /// [`CHECKPOINT_ON_STEP`] none without being told.
    pub checkpoint_ms: u64,
    /// Milliseconds added to each gRPC call.
    pub rpc_ms: u64,
}

impl Default for Config {
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

/// Where things stand on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The Atoma package.
    pub package: Address,
    /// The shared `AtomaDb` object.
    pub atoma_db: ObjectId,
    /// The version at which the `AtomaDb` was shared.
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
