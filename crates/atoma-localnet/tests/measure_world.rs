//! What a world of many stacks costs: the time to make it, the log and the snapshot, and the time and
//! the memory of a start with and without the snapshot.
//!
//! `ATOMA_LOCALNET_STACKS=1000000 cargo test --release -p atoma-localnet --test measure_world --
//! --nocapture` measures a million.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The number of stacks. Measurements need a million.
fn stacks() -> u64 {
    std::env::var("ATOMA_LOCALNET_STACKS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(2_000)
}

/// A network in its own process, killed when dropped.
struct Network {
    process: Child,
    url: String,
    started: Duration,
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Network {
    /// Starts a network and waits until it is ready.
    fn start(directory: &Path) -> Self {
        let begin = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_atoma-localnet"))
            .args(["--sui-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"])
            .args(["--demo", "--stacks", &stacks().to_string()])
            .arg("--data-dir")
            .arg(directory.join("data"))
            .arg("--ready-file")
            .arg(directory.join("ready.json"))
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.contains("the network is ready")));
        let started = begin.elapsed();
        let ready = fs::read(directory.join("ready.json")).unwrap();
        let ready: serde_json::Value = serde_json::from_slice(&ready).unwrap();
        // So that the process can go on writing.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            url: ready["admin_url"].as_str().unwrap().to_owned(),
            started,
        }
    }

    /// The memory in use and its maximum so far, in MB.
    fn memory(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        format!(
            "{} MB of memory, at most {} MB",
            value("VmRSS") / 1_000,
            value("VmHWM") / 1_000
        )
    }
}

#[test]
fn a_large_world_starts_from_its_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let size = |name: &str| {
        let file = fs::metadata(directory.path().join("data").join(name));
        file.map_or(0, |file| file.len() / 1_000_000)
    };
    let network = Network::start(directory.path());
    eprintln!(
        "{} stacks made in {:?}, {}; log {} MB",
        stacks(),
        network.started,
        network.memory(),
        size("ledger.log"),
    );
    drop(network);
    let network = Network::start(directory.path());
    eprintln!(
        "start without a snapshot in {:?}, {}",
        network.started,
        network.memory(),
    );
    let _ = &network.url;
}
