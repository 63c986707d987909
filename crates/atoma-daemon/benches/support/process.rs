//! The daemon as a process of its own, whose memory can be measured.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Starts the daemon's program; `dir` has its configuration.
pub(crate) fn start(arguments: &[&str], dir: Option<&Path>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoma-daemon"));
    command
        .args(arguments)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null());
    if let Some(dir) = dir {
        command.arg(dir.join("daemon.toml"));
    }
    command.spawn().unwrap()
}

/// Waits until a daemon is ready.
pub(crate) async fn until_ready(client: &reqwest::Client, addr: &str) {
    loop {
        if let Ok(answer) = client.get(format!("http://{addr}/ready")).send().await
            && answer.status().is_success()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Posts a request and returns its answer.
pub(crate) async fn post(client: &reqwest::Client, addr: &str, path: &str, body: &Value) -> Value {
    let answer = client
        .post(format!("http://{addr}{path}"))
        .json(body)
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

/// `VmRSS` of a process.
pub(crate) fn resident_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}
