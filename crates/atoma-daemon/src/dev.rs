//! `dev`: a whole world in one process, for a first look and for trying things out.

mod guide;
mod work;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use atoma_domain::SecurityLevel;
use atoma_localnet::demo::{self, Demo, DemoStack};
use atoma_localnet::{Config as NetConfig, LocalNet};
use tokio_util::sync::CancellationToken;

use crate::cli::Dev;
use crate::config::Overrides;
use crate::{Config, Daemon};

/// Runs a local network, seeds the demonstration world, runs the daemon against it as against any
/// network, and records served messages on the operator's stacks.
pub(crate) async fn run(flags: Dev, stopping: CancellationToken) -> anyhow::Result<()> {
    // Kept until the end: dropping it removes the folder.
    let temporary = match flags.data_dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no temporary folder can be made")?),
    };
    let dir: PathBuf = match (&flags.data_dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_path_buf(),
        (None, None) => PathBuf::from("."),
    };
    let network = LocalNet::start(NetConfig {
        sui_addr: flags.sui_addr,
        admin_addr: Some(flags.admin_addr),
        data_dir: flags.data_dir.map(|dir| dir.join("network")),
        seed: flags.seed,
        epoch_ms: flags.epoch_ms,
        consensus_ms: flags.consensus_ms,
        checkpoint_ms: flags.checkpoint_ms,
        rpc_ms: flags.rpc_ms,
    })
    .await
    .context("the local network can't start")?;
    let demo = demo::prepare(&network, Some(&dir)).context("the demonstration world failed")?;
    let own = own_stacks(&demo);
    draw_own_attesters(&network, &demo, &own);

    let overrides = Overrides {
        http_addr: Some(flags.http_addr),
        ..Overrides::default()
    };
    let config = Config::load(&dir.join("daemon.toml"), overrides)?;
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
        },
        &demo,
        &own,
    );
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("nobody reads what is printed")?;
    let served = daemon.run_until_stopped().await;
    network.shutdown().await;
    served
}

/// The stacks that the daemon's operator serves.
fn own_stacks(demo: &Demo) -> Vec<DemoStack> {
    let Some(operator) = demo.operators.first() else {
        return Vec::new();
    };
    demo.stacks
        .iter()
        .filter(|stack| operator.nodes.contains(&stack.node_small_id))
        .copied()
        .collect()
}

/// Has the draw of each own sampling-consensus stack name the operator's other node, so that one
/// daemon can show the whole way of a stack.
fn draw_own_attesters(network: &LocalNet, demo: &Demo, own: &[DemoStack]) {
    let Some(operator) = demo.operators.first() else {
        return;
    };
    for stack in own.iter().filter(|stack| is_sampling(demo, stack)) {
        let other = operator
            .nodes
            .iter()
            .find(|node| **node != stack.node_small_id);
        if let Some(other) = other {
            network.force_attesters(stack.stack_small_id, vec![*other]);
        }
    }
}

/// Whether a stack's settlement asks for an attestation.
fn is_sampling(demo: &Demo, stack: &DemoStack) -> bool {
    level(demo, stack) == SecurityLevel::SAMPLING_CONSENSUS
}

fn level(demo: &Demo, stack: &DemoStack) -> SecurityLevel {
    demo.tasks
        .iter()
        .find(|task| task.task_small_id == stack.task_small_id)
        .map_or(SecurityLevel::NONE, |task| {
            SecurityLevel::new(task.security_level)
        })
}
