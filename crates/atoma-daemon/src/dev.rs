//! `dev`: a local network, the demo world and the daemon in one process.

mod args;
mod guide;
mod work;
mod world;

use std::path::PathBuf;

use anyhow::Context;
use atoma_localnet::{LocalNet, LocalNetConfig, demo};
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, Overrides};
use crate::daemon::Daemon;
use crate::output::print;
pub(crate) use args::DevArgs;
use atoma_state::DataDirLock;

/// Starts a local network, seeds the demo world, runs the daemon against it as against any other
/// network, and records served messages on the operator's stacks.
pub(crate) async fn run(args: DevArgs, stopping: CancellationToken) -> anyhow::Result<()> {
    if let Some(dir) = &args.data_dir {
        config::check_flag("--data-dir", dir)?;
    }
    // Kept until the end, because dropping it removes the directory.
    let temporary = match args.data_dir {
        Some(_) => None,
        None => Some(private_temporary().context("can't create a temporary directory")?),
    };
    let dir: PathBuf = match (&args.data_dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    // Before the network writes its files there. The daemon locks its own directory in it.
    let _lock = DataDirLock::take(&dir)?;
    let network = LocalNet::start(LocalNetConfig {
        sui_addr: args.sui_addr,
        admin_addr: Some(args.admin_addr),
        data_dir: args.data_dir.map(|dir| dir.join("network")),
        seed: args.seed,
        epoch_ms: args.epoch_ms,
        consensus_ms: args.consensus_ms,
        checkpoint_ms: args.checkpoint_ms,
        rpc_ms: args.rpc_ms,
        ..LocalNetConfig::default()
    })
    .await
    .context("can't start the local network")?;
    let demo = demo::seed(&network).context("can't seed the demo world")?;
    demo.write_operator_files(&dir, args.http_addr)?;
    let own = world::own_stacks(&demo);
    world::draw_own_attesters(&network, &demo, &own);

    let overrides = Overrides {
        http_addr: Some(args.http_addr),
        ..Overrides::default()
    };
    let mut config = Config::load(&dir.join("daemon.toml"), overrides)?;
    config.is_demonstration = true;
    if args.autopilot {
        config.demonstrate_autopilot();
    }
    let daemon = Daemon::build(config, stopping.clone()).await?;
    tokio::select! {
        () = stopping.cancelled() => {}
        recorded = work::record(daemon.operator(), &own) => recorded?,
    }
    let text = guide::text(
        &guide::Places {
            api: format!("http://{}", daemon.addr()),
            sui: network.url(),
            admin: network.admin_url().unwrap_or_default(),
            data: dir,
            has_autopilot: args.autopilot,
        },
        &demo,
        &own,
    );
    print(&text)?;
    let served = daemon.run_until_stopped().await;
    network.shutdown().await;
    served
}

/// A temporary directory that only its owner can read.
fn private_temporary() -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}
