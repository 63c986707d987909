//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Overrides};
use crate::daemon::Daemon;
#[cfg(feature = "dev")]
use crate::dev::{self, DevArgs};
use crate::{logging, signals};

/// Node daemon of the Atoma Network. Mirrors the Atoma contract, serves the mirror over HTTP, and
/// settles, attests and claims stacks.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon against a Sui network.
    Serve(ServeArgs),
    /// Run a local Sui network, a demo world and the daemon in one process.
    #[cfg(feature = "dev")]
    Dev(DevArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Address of the HTTP API, which must be a loopback address. Overrides `http_addr`.
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<SocketAddr>,
    /// Directory of the database, relative to the working directory. Overrides `data_dir`.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// URL of the Sui full node. Overrides `sui.rpc_url`.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
}

/// Runs the given command until it finishes or the process receives SIGINT or SIGTERM.
///
/// # Errors
/// When the configuration is invalid or a part of the daemon can't start.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    logging::start();
    let stopping = CancellationToken::new();
    signals::cancel_on_interrupt(stopping.clone());
    match cli.command {
        Command::Serve(args) => {
            let config = Config::load(
                &args.config,
                Overrides {
                    http_addr: args.http_addr,
                    data_dir: args.data_dir,
                    rpc_url: args.rpc_url,
                },
            )?;
            Daemon::build(config, stopping)
                .await?
                .run_until_stopped()
                .await
        }
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev::run(args, stopping).await,
    }
}
