//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::config::Overrides;
use crate::{Config, Daemon, dev, logging, signals};

/// The node daemon of the Atoma Network: mirrors the contract, serves its state, and settles,
/// attests and claims stacks.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon against a Sui network.
    Serve(Serve),
    /// Runs a local Sui network, a demonstration world and the daemon in one process.
    Dev(Dev),
}

#[derive(Debug, Args)]
struct Serve {
    /// The configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where the API listens; overrides `http_addr`.
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<SocketAddr>,
    /// Where the database lies; overrides `data_dir`.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The Sui node to ask; overrides `sui.rpc_url`.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
}

/// The flags of `dev`.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where the API listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub(crate) http_addr: SocketAddr,
    /// Where the local network's gRPC listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9000")]
    pub(crate) sui_addr: SocketAddr,
    /// Where the local network's control listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    pub(crate) admin_addr: SocketAddr,
    /// Where everything is kept; a temporary folder by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How long an epoch lasts; without it epochs end on demand only.
    #[arg(long, value_name = "MS")]
    pub(crate) epoch_ms: Option<u64>,
    /// From a transaction's submission to its effects.
    #[arg(long, value_name = "MS", default_value_t = 300)]
    pub(crate) consensus_ms: u64,
    /// Between checkpoints.
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub(crate) checkpoint_ms: u64,
    /// What every call to the local network takes.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) rpc_ms: u64,
    /// What the local network's randomness grows from: the same seed, the same draws.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Runs what the command line asks for, until it is done or interrupted.
///
/// # Errors
/// When the configuration is bad or something that is needed can't be started.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    logging::start();
    let stopping = CancellationToken::new();
    signals::cancel_on_interrupt(stopping.clone());
    match cli.command {
        Command::Serve(serve) => {
            let config = Config::load(
                &serve.config,
                Overrides {
                    http_addr: serve.http_addr,
                    data_dir: serve.data_dir,
                    rpc_url: serve.rpc_url,
                },
            )?;
            Daemon::build(config, stopping)
                .await?
                .run_until_stopped()
                .await
        }
        Command::Dev(flags) => dev::run(flags, stopping).await,
    }
}
