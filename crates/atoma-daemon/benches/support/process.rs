//! The daemon as a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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
