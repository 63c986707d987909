//! The binary's command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use atoma_localnet::{LocalNetConfig, TlsConfig};
use clap::Parser;

/// A local Sui network with the Atoma contract, for development and tests. Nothing on it has value.
#[derive(Debug, Parser)]
// What is given later counts: a container or an action gives defaults first.
#[command(version, about, args_override_self = true)]
pub(crate) struct LocalNetArgs {
    /// Listen for gRPC, grpc-web and faucet requests on this address.
    #[arg(long, default_value = "127.0.0.1:9000")]
    sui_addr: SocketAddr,
    /// Listen for control calls on this loopback address; disabled by default.
    #[arg(long)]
    admin_addr: Option<SocketAddr>,
    /// Allow an --admin-addr that other machines can reach. They then control the network and can
    /// use its keys.
    #[arg(long, requires = "admin_addr")]
    admin_beyond_loopback: bool,
    /// Listen for faucet requests on this address too. SDKs expect a local network's faucet at
    /// 127.0.0.1:9123.
    #[arg(long)]
    faucet_addr: Option<SocketAddr>,
    /// Use TLS on --sui-addr, with a certificate made by the network. Clients must trust
    /// tls/ca.crt in the data directory.
    #[arg(long, requires = "data_dir")]
    tls: bool,
    /// A host name or IP address for the certificate, besides localhost, 127.0.0.1 and ::1. May be
    /// repeated.
    #[arg(long = "tls-name", requires = "tls", value_name = "NAME")]
    tls_names: Vec<String>,
    /// Write the addresses of the network and of the contract to this file as JSON, once everything
    /// is ready. It is deleted at the start.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Keep the ledger, and with --demo an operator's files, in this directory.
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The seed for ids, keys and draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The length of an epoch in milliseconds; by default, epochs end on demand only.
    #[arg(long)]
    epoch_ms: Option<u64>,
    /// Milliseconds from submission to effects [default: 0, with --demo 300].
    #[arg(long)]
    consensus_ms: Option<u64>,
    /// Milliseconds between checkpoints; 0 makes one with every transaction [default: 50, with
    /// --demo 250].
    #[arg(long)]
    checkpoint_ms: Option<u64>,
    /// Milliseconds added to each call.
    #[arg(long, default_value_t = 0)]
    rpc_ms: u64,
    /// Create the demonstration world.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Buy stacks until the demonstration world has had this many; a million takes minutes and, with
    /// --data-dir, less than 1 GB of memory.
    #[arg(long, requires = "demo", value_name = "COUNT")]
    pub(crate) stacks: Option<u64>,
}

impl LocalNetArgs {
    /// The network's configuration.
    pub(crate) fn config(&self) -> LocalNetConfig {
        let (consensus_ms, checkpoint_ms) = if self.demo { (300, 250) } else { (0, 50) };
        LocalNetConfig {
            sui_addr: self.sui_addr,
            admin_addr: self.admin_addr,
            admin_beyond_loopback: self.admin_beyond_loopback,
            faucet_addr: self.faucet_addr,
            tls: self.tls.then(|| TlsConfig {
                names: self.tls_names.clone(),
            }),
            data_dir: self.data_dir.clone(),
            seed: self.seed,
            epoch_ms: self.epoch_ms,
            consensus_ms: self.consensus_ms.unwrap_or(consensus_ms),
            checkpoint_ms: self.checkpoint_ms.unwrap_or(checkpoint_ms),
            rpc_ms: self.rpc_ms,
        }
    }
}
