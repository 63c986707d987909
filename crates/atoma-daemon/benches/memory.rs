//! What the programs hold in memory after 10,000 settled stacks: `serve` beside a local network of
//! its own process, and `dev`. The baseline is the same program before the first settlement.
//!
//! `cargo bench -p atoma-daemon --bench memory`: one run each, a few minutes; Linux only.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/post.rs"]
mod post;
#[path = "support/process.rs"]
mod process;
#[path = "support/resident.rs"]
mod resident;

use std::process::Child;

use atoma_localnet::demo;
use atoma_localnet::{LocalNet, LocalNetConfig};
use post::post;
use process::{start, until_ready};
use resident::resident_mib;
use serde_json::json;

const STACKS: usize = 10_000;
const AT_ONCE: usize = 1_000;
const API: &str = "127.0.0.1:38300";
const SUI: &str = "127.0.0.1:38900";
const ADMIN: &str = "127.0.0.1:38901";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        serve().await;
        dev().await;
    });
}

async fn serve() {
    let dir = tempfile::tempdir().unwrap();
    let network = LocalNet::start(LocalNetConfig {
        sui_addr: SUI.parse().unwrap(),
        admin_addr: Some(ADMIN.parse().unwrap()),
        ..LocalNetConfig::default()
    })
    .await
    .unwrap();
    demo::prepare(&network, Some(dir.path())).unwrap();
    let daemon = start(&["serve", "--http-addr", API, "--config"], Some(dir.path()));
    settle_all("serve", daemon).await;
    network.shutdown().await;
}

async fn dev() {
    let daemon = start(
        &[
            "dev",
            "--http-addr",
            API,
            "--sui-addr",
            SUI,
            "--admin-addr",
            ADMIN,
            "--consensus-ms",
            "0",
            "--checkpoint-ms",
            "10",
        ],
        None,
    );
    settle_all("dev", daemon).await;
}

async fn settle_all(name: &str, mut daemon: Child) {
    let client = reqwest::Client::new();
    until_ready(&client, API).await;
    let before = resident_mib(daemon.id());
    let purchase = json!({
        "task_small_id": 1, "num_compute_units": 1000, "price": 1_000_000,
        "count": STACKS, "node_small_id": 1,
    });
    let bought = post(&client, ADMIN, "/stacks", &purchase).await;
    let stacks: Vec<u64> = serde_json::from_value(bought["stack_small_ids"].clone()).unwrap();
    for stack in &stacks {
        let message = json!({
            "stack_small_id": stack, "message_hash": format!("0x{stack:064x}"),
            "num_compute_units": 900,
        });
        // The mirror may not know the newest stacks yet.
        while post(&client, API, "/stack_messages", &message).await["code"] == "unknown_stack" {}
    }
    for part in stacks.chunks(AT_ONCE) {
        let request = json!({"stack_small_ids": part});
        let settled = post(&client, API, "/try_settle_stack_ids", &request).await;
        assert_eq!(settled["tx_digests"].as_array().unwrap().len(), part.len());
    }
    let after = resident_mib(daemon.id());
    println!("{name}: {before} MiB resident before, {after} MiB after {STACKS} settled stacks");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
