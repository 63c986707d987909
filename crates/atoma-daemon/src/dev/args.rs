//! The flags of `dev`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// The flags of `dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Address of the HTTP API. Beyond loopback it needs a token and encryption.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(super) http_addr: SocketAddr,
    /// Address of the local network's gRPC endpoint.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    pub(super) sui_addr: SocketAddr,
    /// Address of the local network's control API.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    pub(super) admin_addr: SocketAddr,
    /// Directory for all files, relative to the working directory. Without it, a temporary one that is removed on exit.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Length of an epoch. Without it, an epoch ends only when you ask for it.
    #[arg(long, value_name = "MS")]
    pub(super) epoch_ms: Option<u64>,
    /// Let the autopilot attest, settle and claim.
    #[arg(long)]
    pub(super) autopilot: bool,
    /// Delay between submitting a transaction and its effects.
    #[arg(long, value_name = "MS", default_value_t = 300)]
    pub(super) consensus_ms: u64,
    /// Interval between checkpoints.
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub(super) checkpoint_ms: u64,
    /// Delay added to every call to the local network.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(super) rpc_ms: u64,
    /// Seed of the local network's randomness. The same seed gives the same draws.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
}
