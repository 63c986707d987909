//! The daemon as a program of its own, which can be killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::Api;

/// How long anything that is waited for may take at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What comes of something that is waited for; where it doesn't come, the test fails.
pub(crate) async fn in_time<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited).await.unwrap()
}

/// `atoma-daemon serve`, killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    pub(crate) api: Api,
    /// What it has said so far, on standard error.
    pub(crate) said: Vec<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that serves with the files in `dir`, on a port of the system's choice.
pub(crate) fn serve(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoma-daemon"));
    command
        .args(["serve", "--http-addr", "127.0.0.1:0", "--config"])
        .arg(dir.join("daemon.toml"))
        .env("NO_COLOR", "1")
        .env("RUST_LOG", "info")
        .env_remove("ATOMA_LOG_FORMAT")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Process {
    /// Starts it, and waits until it has taken up what an earlier one left open.
    pub(crate) fn start(dir: &Path) -> Self {
        let mut child = serve(dir).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut said = Vec::new();
        let mut addr = None;
        while !said
            .last()
            .is_some_and(|line: &String| line.contains(" started "))
        {
            let line = lines.recv_timeout(PATIENCE);
            assert!(line.is_ok(), "it doesn't start: {said:#?}");
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once("listening addr=") {
                addr = rest.split_whitespace().next().map(str::to_owned);
            }
            said.push(line);
        }
        Self {
            child,
            lines,
            api: Api::new(addr.unwrap().parse().unwrap()),
            said,
        }
    }

    /// Kills it without warning, and returns all that it said.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.lines.iter());
        said
    }
}
