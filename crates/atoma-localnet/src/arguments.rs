//! The binary's command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use atoma_localnet::Config;
use clap::Parser;

/// A local Sui network with the Atoma contract, for development and tests. Nothing on it has value.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// Where gRPC and grpc-web listen.
    #[arg(long, default_value = "127.0.0.1:9000")]
    sui_addr: SocketAddr,
    /// Where the control calls listen, on a loopback address; off without it.
    #[arg(long)]
    admin_addr: Option<SocketAddr>,
    /// Keeps the ledger, and with --demo an operator's files, in this directory.
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Decides ids, keys and draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Milliseconds that an epoch lasts; without it, epochs end on demand only.
    #[arg(long)]
    epoch_ms: Option<u64>,
    /// Milliseconds from submission to effects [default: 0, with --demo 300].
    #[arg(long)]
    consensus_ms: Option<u64>,
    /// Milliseconds between checkpoints, 0 for one with every transaction [default: 50, with
    /// --demo 250].
    #[arg(long)]
    checkpoint_ms: Option<u64>,
    /// Milliseconds added to each call.
    #[arg(long, default_value_t = 0)]
    rpc_ms: u64,
    /// Seeds the demonstration world.
    #[arg(long)]
    pub(crate) demo: bool,
}

impl Arguments {
    /// The settings that the arguments ask for.
    pub(crate) fn config(&self) -> Config {
        let (consensus_ms, checkpoint_ms) = if self.demo { (300, 250) } else { (0, 50) };
        Config {
            sui_addr: self.sui_addr,
            admin_addr: self.admin_addr,
            data_dir: self.data_dir.clone(),
            seed: self.seed,
            epoch_ms: self.epoch_ms,
            consensus_ms: self.consensus_ms.unwrap_or(consensus_ms),
            checkpoint_ms: self.checkpoint_ms.unwrap_or(checkpoint_ms),
            rpc_ms: self.rpc_ms,
        }
    }
}
