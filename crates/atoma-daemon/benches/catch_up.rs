//! Following a ledger that is already there: one purchase in each transaction, from a local network in another process.
//!
//! `cargo bench -p atoma-daemon --bench catch_up`: about a minute. `ATOMA_CATCH_UP_STACKS` sets the length of the ledger (60,000). The
//! baseline reads and applies in turns, one transaction at a time.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/daemon.rs"]
mod daemon;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use atoma_domain::ports::{ChainEvents as _, EventSource};
use atoma_domain::{Address, CheckpointNumber, TaskSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase, demo};
use atoma_operator::{Applied, Ingestor};
use atoma_state::{SqliteState, StateOptions};
use daemon::daemon;

/// Makes this program the network: the delay of its calls, in milliseconds, for the ledger in a directory.
const NETWORK: &str = "ATOMA_CATCH_UP_NETWORK";
const SUI: &str = "127.0.0.1:38961";
/// The part of the ledger that the baseline follows.
const BASELINE: u64 = 2_000;

fn main() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().unwrap();
    match std::env::var(NETWORK) {
        Ok(network) => {
            let (delay, dir) = network.split_once(' ').unwrap();
            runtime.block_on(serve(delay.parse().unwrap(), Path::new(dir)));
        }
        Err(_) => runtime.block_on(run()),
    }
}

fn network(rpc_ms: u64, dir: &Path) -> LocalNetConfig {
    LocalNetConfig {
        sui_addr: SUI.parse().unwrap(),
        data_dir: Some(dir.to_owned()),
        rpc_ms,
        ..LocalNetConfig::default()
    }
}

/// The network's process: says when it is there, and ends with its input.
async fn serve(rpc_ms: u64, dir: &Path) {
    let network = LocalNet::start(network(rpc_ms, dir)).await.unwrap();
    println!("ready");
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    let _ = waiting.await.unwrap();
    network.shutdown().await;
}

/// The network in a process of its own.
struct Network(Child);

impl Network {
    fn start(rpc_ms: u64, dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(NETWORK, format!("{rpc_ms} {}", dir.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        assert_eq!(said.trim(), "ready");
        Self(child)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

async fn run() {
    let stacks = std::env::var("ATOMA_CATCH_UP_STACKS").ok();
    let stacks = stacks.map_or(60_000, |stacks| stacks.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("network");
    let purchase = Purchase {
        task_small_id: TaskSmallId::new(1),
        num_compute_units: 1_000,
        price: 1_000_000,
        count: stacks,
        node_small_id: None,
    };
    let local = LocalNet::start(network(0, &ledger)).await.unwrap();
    demo::prepare(&local, Some(dir.path())).unwrap();
    local.buy_stacks(&purchase).unwrap();
    local.shutdown().await;

    for rpc_ms in [0, 20] {
        let network = Network::start(rpc_ms, &ledger);
        let daemon = daemon(dir.path()).await;
        let source = Arc::clone(&daemon.operator().ports().source);
        println!("{rpc_ms} ms a call");
        if rpc_ms == 0 {
            baseline(&*source, dir.path()).await;
        }
        catch_up(source, stacks, dir.path()).await;
        drop(daemon);
        drop(network);
    }
}

async fn mirror(dir: &Path) -> (SqliteState, tempfile::TempDir) {
    let folder = tempfile::tempdir_in(dir).unwrap();
    let path = folder.path().join("mirror.sqlite");
    let mirror = SqliteState::open(path, StateOptions::default()).await;
    (mirror.unwrap(), folder)
}

async fn baseline(source: &dyn EventSource, dir: &Path) {
    let (mirror, _folder) = mirror(dir).await;
    let mut stream = source.follow(None).await.unwrap();
    let (mut applied, begun) = (0, Instant::now());
    while applied < BASELINE {
        let steps = stream.next_steps(1).await.unwrap();
        applied += events(&steps);
        mirror.apply(&steps, Address::ZERO).await.unwrap();
    }
    report("baseline, one transaction at a time", applied, begun);
}

fn events(steps: &[atoma_domain::ports::LedgerFrame]) -> u64 {
    let transactions = steps.iter().filter_map(|step| step.transaction.as_ref());
    let events: usize = transactions.map(|t| t.events.len()).sum();
    u64::try_from(events).unwrap()
}

async fn catch_up(source: Arc<dyn EventSource>, stacks: u64, dir: &Path) {
    let (mirror, _folder) = mirror(dir).await;
    let mirror = Arc::new(mirror);
    let applied = Applied::default();
    let mut ingestor = Ingestor::new(source, mirror, Address::ZERO, applied);
    let (mut batches, begun) = (0_u32, Instant::now());
    // Each transaction is a checkpoint of its own.
    loop {
        let progress = ingestor.step_once().await.unwrap();
        batches += 1;
        if progress.covered >= Some(CheckpointNumber::new(stacks)) {
            break;
        }
    }
    report("ingestion", stacks, begun);
    println!("  in {batches} batches");
}

fn report(what: &str, events: u64, begun: Instant) {
    let took = begun.elapsed();
    let rate = f64::from(u32::try_from(events).unwrap()) / took.as_secs_f64();
    println!("{what}: {events} events in {took:.2?}, {rate:.0} a second");
}
