//! What one client waits for a list, over HTTP from a daemon of its own: stacks, the almost filled ones of
//! many, and transactions by two filters; how long the daemon takes to start with them, and its memory. The baselines are a request that reads nothing, and what a client
//! would read without the filter.
//!
//! `cargo bench -p atoma-daemon --bench lists`: about two minutes. `ATOMA_LISTS_STACKS` and
//! `ATOMA_LISTS_INTENTS` set the sizes (80,000 and 100,000).

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark may stop where it can't go on"
)]
#![expect(clippy::print_stdout, reason = "it tells what it measured")]

#[path = "support/fill.rs"]
mod fill;
#[path = "support/http.rs"]
mod http;
#[path = "support/process.rs"]
mod process;
#[path = "support/resident.rs"]
mod resident;

use std::time::{Duration, Instant};

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::demo;
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase};
use http::Client;
use process::{start, until_ready};
use resident::resident_mib;

const API: &str = "127.0.0.1:38500";
const SUI: &str = "127.0.0.1:38951";
/// How often each list is read.
const REPETITIONS: usize = 50;
/// How often what a client would read without the filter.
const REPETITIONS_OF_ALL: usize = 3;

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
    let stacks = setting("ATOMA_LISTS_STACKS", 80_000);
    let intents = setting("ATOMA_LISTS_INTENTS", 100_000);
    let dir = tempfile::tempdir().unwrap();
    let network = LocalNet::start(LocalNetConfig {
        sui_addr: SUI.parse().unwrap(),
        ..LocalNetConfig::default()
    })
    .await
    .unwrap();
    demo::prepare(&network, Some(dir.path())).unwrap();
    let serve = ["serve", "--http-addr", API, "--config"];
    let http = reqwest::Client::new();

    // Everything but the stacks is written while no daemon runs.
    let mut daemon = start(&serve, Some(dir.path()));
    until_ready(&http, API).await;
    let bought = buy(&network, stacks);
    until_mirrored(&http, bought.last().copied().unwrap()).await;
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    fill::database(&dir.path().join("data/atoma.sqlite"), &bought, intents).await;

    let begun = Instant::now();
    let mut daemon = start(&serve, Some(dir.path()));
    until_answered(&http).await;
    println!(
        "start with {stacks} stacks, until the first answer: {:.0?}",
        begun.elapsed()
    );
    until_ready(&http, API).await;
    println!(
        "resident after the start: {} MiB",
        resident_mib(daemon.id())
    );
    tokio::task::spawn_blocking(move || measure(&bought, intents))
        .await
        .unwrap();
    println!(
        "resident after all lists: {} MiB",
        resident_mib(daemon.id())
    );
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    network.shutdown().await;
}

fn buy(network: &LocalNet, count: u64) -> Vec<StackSmallId> {
    network
        .buy_stacks(&Purchase {
            task_small_id: TaskSmallId::new(1),
            num_compute_units: fill::STACK_UNITS,
            price: 1_000_000,
            count,
            node_small_id: Some(NodeSmallId::new(1)),
        })
        .unwrap()
}

/// Waits until a daemon answers at all, to the millisecond.
async fn until_answered(http: &reqwest::Client) {
    while http
        .get(format!("http://{API}/health"))
        .send()
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until the daemon lists a stack.
async fn until_mirrored(http: &reqwest::Client, stack: StackSmallId) {
    let before = stack.get() - 1;
    let url = format!("http://{API}/stacks?limit=1&cursor={before}");
    loop {
        let listed = http.get(&url).send().await.unwrap().text().await.unwrap();
        if listed.trim() != "[]" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn measure(stacks: &[StackSmallId], intents: u64) {
    let mut client = Client::connect(API);
    let half = stacks[stacks.len() / 2];
    println!("baseline, nothing read");
    report(&mut client, "/health");
    println!("stacks");
    report(&mut client, "/stacks?limit=100");
    report(&mut client, "/stacks?limit=1000");
    println!("almost filled ones of {}", stacks.len());
    for fraction in ["0", "0.95", "0.98", "0.999"] {
        report(
            &mut client,
            &format!("/almost_filled_stacks/{fraction}?limit=100"),
        );
        report(&mut client, &format!("/almost_filled_stacks/{fraction}"));
        report(
            &mut client,
            &format!("/almost_filled_stacks/{fraction}?cursor={half}&limit=100"),
        );
    }
    report_all(&mut client, "/stacks");
    println!("{intents} transactions by two filters");
    for filters in fill::FILTERS {
        report(&mut client, &format!("/transactions?{filters}&limit=100"));
        let middle = intents / 2;
        report(
            &mut client,
            &format!("/transactions?{filters}&limit=100&cursor={middle}"),
        );
    }
    report(
        &mut client,
        "/transactions?kind=claim_stack&status=succeeded",
    );
    report_all(&mut client, "/transactions?kind=claim_stack");
}

fn report(client: &mut Client, path: &str) {
    client.get(path);
    let mut took = Vec::new();
    let mut size = 0;
    for _ in 0..REPETITIONS {
        let begun = Instant::now();
        size = client.get(path).body.len();
        took.push(begun.elapsed());
    }
    print(path, size, took);
}

/// Reads all pages.
fn report_all(client: &mut Client, path: &str) {
    let mut took = Vec::new();
    let mut size = 0;
    for _ in 0..REPETITIONS_OF_ALL {
        size = 0;
        let begun = Instant::now();
        let mut next = Some(path.to_owned());
        while let Some(path) = next.take() {
            let page = client.get(&path);
            size += page.body.len();
            next = page.next;
        }
        took.push(begun.elapsed());
    }
    print(&format!("baseline, all pages of {path}"), size, took);
}

fn print(what: &str, size: usize, mut took: Vec<Duration>) {
    took.sort();
    let (fastest, median) = (took[0], took[took.len() / 2]);
    println!("  {what}: fastest {fastest:.2?}, median {median:.2?}, {size} bytes");
}
