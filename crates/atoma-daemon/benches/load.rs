//! Lists against money: many connections read `GET /stacks` without a pause, and meanwhile messages are
//! recorded one by one and ten stacks are settled. Then many clients send half a body each. The baseline
//! is the same daemon before the load.
//!
//! `cargo bench -p atoma-daemon --bench load`: about two minutes; Linux only. `ATOMA_LOAD_SECONDS` and
//! `ATOMA_LOAD_CONNECTIONS` set the length and the size of the load (60 and 1,000). It needs as many file
//! handles as connections.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/post.rs"]
mod post;
#[path = "support/process.rs"]
mod process;
#[path = "support/resident.rs"]
mod resident;

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::demo;
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase};
use exchange::{Connection, exchange, message, report};
use post::post;
use process::{start, until_ready};
use resident::resident_mib;
use serde_json::json;
use tokio::task::JoinSet;

const API: &str = "127.0.0.1:38400";
const SUI: &str = "127.0.0.1:38901";
const CONSENSUS_MS: u64 = 300;
/// Stacks in the list.
const LISTED: u64 = 1_000;
/// Stacks to settle, twice.
const SETTLED: usize = 10;
/// The pause between two messages.
const MESSAGE_PAUSE: Duration = Duration::from_millis(10);
/// Clients that send half a body.
const HALF_SENT: usize = 500;

/// What the clients see.
#[derive(Debug, Default)]
struct Seen {
    is_over: AtomicBool,
    /// The number of each message, which makes its hash.
    next_message: AtomicU64,
    /// How often each status came; 0 for a connection that broke.
    statuses: Mutex<BTreeMap<u16, u64>>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap())
}

async fn run() {
    let length = Duration::from_secs(setting("ATOMA_LOAD_SECONDS", 60));
    let connections = setting("ATOMA_LOAD_CONNECTIONS", 1_000);
    let dir = tempfile::tempdir().unwrap();
    let network = LocalNet::start(LocalNetConfig {
        sui_addr: SUI.parse().unwrap(),
        consensus_ms: CONSENSUS_MS,
        ..LocalNetConfig::default()
    })
    .await
    .unwrap();
    demo::prepare(&network, Some(dir.path())).unwrap();
    let mut daemon = start(&["serve", "--http-addr", API, "--config"], Some(dir.path()));
    let client = reqwest::Client::new();
    until_ready(&client, API).await;
    let stacks = bought(&network, &client).await;
    let (served, settled) = (stacks[0], &stacks[1..]);
    let seen = Arc::<Seen>::default();

    let before = resident_mib(daemon.id());
    println!("{before} MiB resident before the load");
    let alone = tokio::spawn(messages(Arc::clone(&seen), served));
    settle("alone", &client, &settled[..SETTLED]).await;
    seen.is_over.store(true, Ordering::Relaxed);
    report("alone", alone.await.unwrap());

    seen.is_over.store(false, Ordering::Relaxed);
    let mut readers = JoinSet::new();
    for _ in 0..connections {
        readers.spawn(lists(Arc::clone(&seen)));
    }
    let under_load = tokio::spawn(messages(Arc::clone(&seen), served));
    let peak = tokio::spawn(peak_while(Arc::clone(&seen), daemon.id()));
    let end = tokio::time::Instant::now() + length;
    tokio::time::sleep(length / 4).await;
    settle("under load", &client, &settled[SETTLED..2 * SETTLED]).await;
    tokio::time::sleep_until(end).await;
    seen.is_over.store(true, Ordering::Relaxed);
    report("under load", under_load.await.unwrap());
    while readers.join_next().await.is_some() {}
    let statuses = seen.statuses.lock().unwrap().clone();
    println!("lists of {connections} connections in {length:?}, by status: {statuses:?}");
    println!(
        "{} MiB resident at the most, {} MiB after the load",
        peak.await.unwrap(),
        resident_mib(daemon.id())
    );
    half_sent(&daemon).await;
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    network.shutdown().await;
}

/// Buys the stacks, and records a message on those that are to be settled.
async fn bought(network: &LocalNet, client: &reqwest::Client) -> Vec<StackSmallId> {
    let stacks = network
        .buy_stacks(&Purchase {
            task_small_id: TaskSmallId::new(1),
            num_compute_units: 1_000_000,
            price: 1_000_000,
            count: LISTED,
            node_small_id: Some(NodeSmallId::new(1)),
        })
        .unwrap();
    for stack in stacks.iter().take(1 + 2 * SETTLED) {
        let message = message(*stack, 0);
        // The mirror may not know the newest stacks yet.
        while post(client, API, "/stack_messages", &message).await["code"] == "unknown_stack" {}
    }
    stacks
}

async fn settle(when: &str, client: &reqwest::Client, stacks: &[StackSmallId]) {
    let begun = Instant::now();
    let request = json!({"stack_small_ids": stacks});
    let settled = post(client, API, "/try_settle_stack_ids", &request).await;
    let took = begun.elapsed();
    let digests = settled["tx_digests"].as_array().map_or(0, Vec::len);
    assert_eq!(digests, stacks.len(), "{settled}");
    println!("{when}: {digests} settlements in {took:.2?}");
}

/// Records messages until it is over; gives the time that each took.
async fn messages(seen: Arc<Seen>, stack: StackSmallId) -> Vec<Duration> {
    let mut connection = Connection::to(API);
    let mut took = Vec::new();
    while !seen.is_over.load(Ordering::Relaxed) {
        let number = seen.next_message.fetch_add(1, Ordering::Relaxed) + 1;
        let body = message(stack, number).to_string();
        let request = format!(
            "POST /stack_messages HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        let status = exchange(&mut connection, &request).await;
        took.push(begun.elapsed());
        assert_eq!(status, 200, "a message was not recorded");
        tokio::time::sleep(MESSAGE_PAUSE).await;
    }
    took
}

/// Reads lists on one connection until it is over.
async fn lists(seen: Arc<Seen>) {
    let request = format!("GET /stacks HTTP/1.1\r\nHost: {API}\r\n\r\n");
    let mut connection = Connection::to(API);
    while !seen.is_over.load(Ordering::Relaxed) {
        let status = exchange(&mut connection, &request).await;
        *seen.statuses.lock().unwrap().entry(status).or_default() += 1;
    }
}

/// The most memory of a process until it is over.
async fn peak_while(seen: Arc<Seen>, process: u32) -> u64 {
    let mut peak = 0;
    while !seen.is_over.load(Ordering::Relaxed) {
        peak = peak.max(resident_mib(process));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    peak
}

/// Clients that send all of a body of a megabyte but its last byte, and wait.
async fn half_sent(daemon: &Child) {
    let body = " ".repeat((1 << 20) - 1);
    let request: Arc<str> = format!(
        "POST /try_settle_stack_ids HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len() + 1
    )
    .into();
    let mut clients = JoinSet::new();
    for _ in 0..HALF_SENT {
        let request = Arc::clone(&request);
        clients.spawn(async move {
            let mut connection = Connection::to(API);
            exchange(&mut connection, &request).await
        });
    }
    let mut peak = 0;
    let mut statuses = BTreeMap::<u16, u64>::new();
    loop {
        tokio::select! {
            ended = clients.join_next() => match ended {
                Some(status) => *statuses.entry(status.unwrap()).or_default() += 1,
                None => break,
            },
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        peak = peak.max(resident_mib(daemon.id()));
    }
    println!("{HALF_SENT} half-sent bodies, by status (0: closed): {statuses:?}");
    println!(
        "{peak} MiB resident at the most, {} MiB after them",
        resident_mib(daemon.id())
    );
}
