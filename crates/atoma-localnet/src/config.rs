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
    /// The address for the control calls. `None` disables them. Anyone who can reach it controls the
    /// network and can read its keys, so it must be a loopback address, unless
    /// [`admin_beyond_loopback`](Self::admin_beyond_loopback) is set.
    pub admin_addr: Option<SocketAddr>,
    /// Whether the control calls may listen on an address that other machines can reach.
    pub admin_beyond_loopback: bool,
    /// The address for the faucet alone, such as port 9123, where SDKs look for a local network's.
    /// The faucet is also at `sui_addr`.
    pub faucet_addr: Option<SocketAddr>,
    /// Serves gRPC, grpc-web and the faucet at `sui_addr` over TLS.
    pub tls: Option<TlsConfig>,
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
            admin_beyond_loopback: false,
            faucet_addr: None,
            tls: None,
            data_dir: None,
            seed: 0,
            epoch_ms: None,
            consensus_ms: 0,
            checkpoint_ms: 0,
            rpc_ms: 0,
        }
    }
}

/// TLS with a certificate that the network makes itself, for `localhost`, `127.0.0.1`, `::1` and the
/// names given. With a data directory it stays the same across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// More host names and IP addresses, such as a container's name.
    pub names: Vec<String>,
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
