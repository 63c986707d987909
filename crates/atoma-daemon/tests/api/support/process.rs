//! The daemon as a separate process, which can be killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::Api;

/// The limit for anything that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a future, and fails the test after [`PATIENCE`].
pub(crate) async fn in_time<T>(awaited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, awaited).await.unwrap()
}

/// `atoma-daemon serve`, killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    pub(crate) api: Api,
    /// Its lines on standard error so far.
    pub(crate) log: Vec<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that serves with the files in `dir`, on a free port.
pub(crate) fn serve(dir: &Path) -> Command {
    let mut command = program();
    command
        .args(["serve", "--http-addr", "127.0.0.1:0", "--config"])
        .arg(dir.join("daemon.toml"));
    command
}

/// The command that runs a demo world with its files in `dir`, on free ports.
pub(crate) fn dev(dir: &Path) -> Command {
    let mut command = temporary_dev();
    command.arg("--data-dir").arg(dir);
    command
}

/// The command that runs a demo world in a temporary directory, on free ports.
pub(crate) fn temporary_dev() -> Command {
    let mut command = program();
    command.arg("dev");
    for addr in ["--http-addr", "--sui-addr", "--admin-addr"] {
        command.args([addr, "127.0.0.1:0"]);
    }
    command
}

/// The program without arguments, with its errors piped.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoma-daemon"));
    command
        .env("RUST_LOG", "info")
        .env_remove("ATOMA_LOG_FORMAT")
        .env_remove("ATOMA_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Process {
    /// Starts the daemon, and waits until it has recovered.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::run(serve(dir))
    }

    /// Runs a command that starts the daemon, and waits until it has started.
    pub(crate) fn run(command: Command) -> Self {
        Self::run_until(command, " started ")
    }

    /// Runs a command that starts the daemon, and waits until it says this, after its address.
    pub(crate) fn run_until(mut command: Command, said: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut log = Vec::new();
        let mut addr = None;
        while !log.last().is_some_and(|line: &String| line.contains(said)) {
            let line = lines.recv_timeout(PATIENCE);
            assert!(line.is_ok(), "it doesn't start: {log:#?}");
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once("listening addr=") {
                addr = rest.split_whitespace().next().map(str::to_owned);
            }
            log.push(line);
        }
        Self {
            child,
            lines,
            api: Api::new(addr.unwrap().parse().unwrap()),
            log,
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the other side of its standard error, with the next line.
    pub(crate) fn break_log(&mut self) {
        self.lines = channel().1;
    }

    /// Sends SIGHUP, and waits until the daemon says this.
    pub(crate) fn reload(&mut self, said: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &id]).status().unwrap();
        assert!(sent.success());
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            let is_it = line.contains(said);
            self.log.push(line);
            if is_it {
                return;
            }
        }
    }

    /// Sends SIGTERM, and waits until the daemon has ended.
    pub(crate) fn terminate(mut self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        let (sender, ended) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send(self.child.wait()));
            let ended = ended.recv_timeout(PATIENCE);
            assert!(ended.is_ok(), "it does not stop");
        });
    }

    /// Kills the daemon, and returns everything it logged.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut log = std::mem::take(&mut self.log);
        log.extend(self.lines.iter());
        log
    }
}

/// What a program that has ended left.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program until it ends.
pub(crate) fn output(command: &mut Command) -> Output {
    let ended = command.stdout(Stdio::piped()).output().unwrap();
    Output {
        code: ended.status.code().unwrap(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr: String::from_utf8(ended.stderr).unwrap(),
    }
}
