//! What a world of many stacks costs: the time to make it, the log and the snapshot, and the time and
//! the memory of a start with and without the snapshot.
//!
//! `ATOMA_LOCALNET_STACKS=1000000 cargo test --release -p atoma-localnet --test measure_world --
//! --nocapture` measures a million.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking"
)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;

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
    admin_url: String,
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
            url: ready["url"].as_str().unwrap().to_owned(),
            admin_url: ready["admin_url"].as_str().unwrap().to_owned(),
            started,
        }
    }

    /// Reads as a client that mirrors the world does.
    fn measure_reads(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut client = sui_rpc::Client::new(&self.url).unwrap();
            let (owner, table) = self.owner_and_table(&mut client).await;
            let mut state = client.state_client();
            let begin = Instant::now();
            let request = proto::GetBalanceRequest::default()
                .with_owner(&owner)
                .with_coin_type("0x2::sui::SUI");
            state.get_balance(request).await.unwrap();
            eprintln!("balance of the buyer in {:?}", begin.elapsed());
            let begin = Instant::now();
            let mut count = 0;
            let mut token = None;
            loop {
                let mut request = proto::ListOwnedObjectsRequest::default().with_owner(&owner);
                request.page_size = Some(1_000);
                request.page_token = token;
                let page = state.list_owned_objects(request).await.unwrap();
                let page = page.into_inner();
                count += page.objects.len();
                token = page.next_page_token;
                if token.is_none() {
                    break;
                }
            }
            eprintln!("all {count} objects of the buyer in {:?}", begin.elapsed());
            assert!(count >= usize::try_from(stacks()).unwrap());
            let begin = Instant::now();
            let mut count = 0;
            let mut token = None;
            loop {
                let mut request = proto::ListDynamicFieldsRequest::default().with_parent(&table);
                request.page_size = Some(1_000);
                request.page_token = token;
                request.read_mask = Some(FieldMask::from_str("name,value"));
                let page = state.list_dynamic_fields(request).await.unwrap();
                let page = page.into_inner();
                count += page.dynamic_fields.len();
                token = page.next_page_token;
                if token.is_none() {
                    break;
                }
            }
            eprintln!(
                "all {count} fields of the table of stacks in {:?}",
                begin.elapsed()
            );
            let begin = Instant::now();
            let mut count = 0;
            let mut options = proto::QueryOptions::default();
            options.limit = Some(1_000);
            loop {
                let mut request = proto::ListEventsRequest::default();
                request.read_mask = Some(FieldMask::from_str("event_type,contents"));
                request.options = Some(options.clone());
                let events = client.ledger_client().list_events(request).await;
                let mut events = events.unwrap().into_inner();
                let mut end = None;
                while let Some(frame) = events.message().await.unwrap() {
                    count += u64::from(frame.event.is_some());
                    options.after = frame.watermark.and_then(|watermark| watermark.cursor);
                    end = frame.end.map(|end| end.reason());
                }
                if end != Some(proto::QueryEndReason::ItemLimit) {
                    break;
                }
            }
            eprintln!(
                "all {count} events in {:?}; {}",
                begin.elapsed(),
                self.memory()
            );
        });
        let begin = Instant::now();
        let state = self.control(reqwest::Method::GET, "state");
        eprintln!("GET /state: {} bytes in {:?}", state.len(), begin.elapsed());
    }

    /// The owner of a stack, and the table that has it.
    async fn owner_and_table(&self, client: &mut sui_rpc::Client) -> (String, String) {
        let mut request = proto::ListTransactionsRequest::default();
        request.read_mask = Some(FieldMask::from_str(
            "objects.objects.owner,objects.objects.object_type",
        ));
        let transactions = client.ledger_client().list_transactions(request).await;
        let mut transactions = transactions.unwrap().into_inner();
        let mut found = (None, None);
        while let Some(frame) = transactions.message().await.unwrap() {
            for object in &frame.transaction().objects().objects {
                let owner = Some(object.owner().address().to_owned());
                if object.object_type().ends_with("::StackBadge") {
                    found.0 = owner;
                } else if object.object_type().ends_with("::db::Stack>") {
                    found.1 = owner;
                }
            }
            if let (Some(owner), Some(table)) = found.clone() {
                return (owner, table);
            }
        }
        panic!("no stack among the first transactions");
    }

    /// Makes a control call.
    fn control(&self, method: reqwest::Method, path: &str) -> String {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let url = format!("{}/{path}", self.admin_url);
            let response = reqwest::Client::new().request(method, url).send();
            let response = response.await.unwrap().error_for_status().unwrap();
            response.text().await.unwrap()
        })
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
        "{} stacks made in {:?}, {}; log {} MB, snapshot {} MB",
        stacks(),
        network.started,
        network.memory(),
        size("ledger.log"),
        size("ledger.snapshot"),
    );
    // It makes a snapshot by itself only if there is enough in the log.
    let begin = Instant::now();
    let made = network.control(reqwest::Method::POST, "snapshot");
    eprintln!("snapshot made in {:?}: {made}", begin.elapsed());
    drop(network);
    let network = Network::start(directory.path());
    eprintln!(
        "start with the snapshot in {:?}, {}",
        network.started,
        network.memory(),
    );
    network.measure_reads();
    drop(network);
    fs::remove_file(directory.path().join("data/ledger.snapshot")).unwrap();
    let network = Network::start(directory.path());
    eprintln!(
        "start without a snapshot in {:?}, {}",
        network.started,
        network.memory(),
    );
}
