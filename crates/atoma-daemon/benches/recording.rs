//! Messages that are recorded over HTTP: by one service as the baseline, then by sixteen, and by sixteen while the
//! daemon follows purchases, with the time that it takes to follow as many alone.
//!
//! `cargo bench -p atoma-daemon --bench recording`: about half a minute. The database is in a temporary folder, so
//! `TMPDIR` chooses the disk.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/process.rs"]
mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::demo;
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase};
use exchange::{Connection, exchange, message, report};
use process::{start, until_ready};
use tokio::task::JoinSet;

const API: &str = "127.0.0.1:38410";
const SUI: &str = "127.0.0.1:38911";
const SERVICES: u64 = 16;
const LENGTH: Duration = Duration::from_secs(5);
/// Stacks that are served.
const SERVED: u64 = 64;
/// Purchases to follow.
const FOLLOWED: u64 = 20_000;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let network = LocalNet::start(LocalNetConfig {
        sui_addr: SUI.parse().unwrap(),
        ..LocalNetConfig::default()
    })
    .await
    .unwrap();
    demo::prepare(&network, Some(dir.path())).unwrap();
    let mut daemon = start(&["serve", "--http-addr", API, "--config"], Some(dir.path()));
    until_ready(&reqwest::Client::new(), API).await;
    let stacks: Arc<[StackSmallId]> = buy(&network, SERVED).into();
    until_mirrored(*stacks.last().unwrap()).await;

    let next = Arc::<AtomicU64>::default();
    for round in 1..=2 {
        println!("round {round}");
        for (what, count) in [("one service", 1), ("sixteen services", SERVICES)] {
            let is_over = Arc::<AtomicBool>::default();
            let services = serve(count, &stacks, &next, &is_over);
            tokio::time::sleep(LENGTH).await;
            end(what, LENGTH, &is_over, services).await;
        }
        let alone = follow(&network).await;
        println!("{FOLLOWED} purchases followed in {alone:.2?}");
        let is_over = Arc::<AtomicBool>::default();
        let services = serve(SERVICES, &stacks, &next, &is_over);
        let beside = follow(&network).await;
        println!("{FOLLOWED} purchases followed in {beside:.2?} beside sixteen services");
        end("sixteen services meanwhile", beside, &is_over, services).await;
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    network.shutdown().await;
}

fn buy(network: &LocalNet, count: u64) -> Vec<StackSmallId> {
    let purchase = Purchase {
        task_small_id: TaskSmallId::new(1),
        num_compute_units: 1_000_000,
        price: 1_000_000,
        count,
        node_small_id: Some(NodeSmallId::new(1)),
    };
    network.buy_stacks(&purchase).unwrap()
}

/// How long it takes from purchases to the mirror.
async fn follow(network: &LocalNet) -> Duration {
    let begun = Instant::now();
    let stacks = buy(network, FOLLOWED);
    until_mirrored(*stacks.last().unwrap()).await;
    begun.elapsed()
}

async fn until_mirrored(stack: StackSmallId) {
    let mut connection = Connection::to(API);
    let body = message(stack, 0).to_string();
    while post(&mut connection, "/stack_messages?dry_run=true", &body).await != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Services that record until it is over; each gives the time that each message took.
fn serve(
    count: u64,
    stacks: &Arc<[StackSmallId]>,
    next: &Arc<AtomicU64>,
    is_over: &Arc<AtomicBool>,
) -> JoinSet<Vec<Duration>> {
    let mut services = JoinSet::new();
    for _ in 0..count {
        let (stacks, next) = (Arc::clone(stacks), Arc::clone(next));
        let is_over = Arc::clone(is_over);
        services.spawn(async move {
            let mut connection = Connection::to(API);
            let mut took = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let place = usize::try_from(number % SERVED).unwrap();
                let mut body = message(stacks[place], number);
                body["message_id"] = format!("message-{number}").into();
                let begun = Instant::now();
                let status = post(&mut connection, "/stack_messages", &body.to_string()).await;
                took.push(begun.elapsed());
                assert_eq!(status, 200, "a message was not recorded");
            }
            took
        });
    }
    services
}

async fn post(connection: &mut Connection, path: &str, body: &str) -> u16 {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(connection, &request).await
}

async fn end(what: &str, length: Duration, is_over: &AtomicBool, services: JoinSet<Vec<Duration>>) {
    is_over.store(true, Ordering::Relaxed);
    let took: Vec<Duration> = services.join_all().await.into_iter().flatten().collect();
    let count = u32::try_from(took.len()).unwrap();
    println!(
        "{:.0} messages a second",
        f64::from(count) / length.as_secs_f64()
    );
    report(what, took);
}
