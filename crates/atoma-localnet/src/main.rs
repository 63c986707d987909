//! Runs a local Sui network with the Atoma contract until interrupted.

mod arguments;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use arguments::LocalNetArgs;
use atoma_localnet::{LocalNet, demo};
use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let arguments = LocalNetArgs::parse();
    if let Some(file) = &arguments.ready_file {
        atoma_localnet::clear_ready_file(file)?;
    }
    let network = LocalNet::start(arguments.config())
        .await
        .context("can't start the network")?;
    let addresses = network.addresses();
    tracing::info!(
        url = network.url(),
        admin_url = network.admin_url(),
        package = %addresses.package,
        atoma_db = %addresses.atoma_db,
        "the local network is running"
    );
    if arguments.demo {
        demo::prepare(&network, arguments.data_dir.as_deref())
            .context("can't create the demonstration world")?;
        if let Some(count) = arguments.stacks {
            demo::add_stacks(&network, count).context("can't buy the stacks")?;
            network.snapshot_if_due();
        }
        tracing::info!("the demonstration world is ready");
    }
    if let Some(file) = &arguments.ready_file {
        network.write_ready_file(file)?;
    }
    tracing::info!("the network is ready");
    interrupted()
        .await
        .context("can't install a signal handler")?;
    network.shutdown().await;
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
