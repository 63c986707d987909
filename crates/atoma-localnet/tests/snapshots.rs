//! Snapshots: a start from one gives the answers of a start that reads the whole log, and one that is of
//! no use is ignored.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use atoma_localnet::{Fault, FaultKind, LocalNetConfig, demo};
use futures::{Stream, StreamExt};
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use support::disk::{LOG, SNAPSHOT, config};
use support::{Fixture, SUI};
use tempfile::TempDir;
use tonic::{Code, Response, Status};

/// More than fit into one transaction.
const STACKS: u64 = 560;
/// So many that a start without a snapshot takes a while.
const MANY_STACKS: u64 = 1_200;

/// A network with many stacks.
async fn world(directory: &Path, stacks: u64) -> Fixture {
    let fixture = Fixture::with(config(directory)).await;
    demo::seed(&fixture.network).unwrap();
    demo::add_stacks(&fixture.network, stacks).unwrap();
    fixture
}

/// Transactions of every kind of log entry.
fn go_on(fixture: &Fixture) {
    let network = &fixture.network;
    network.faucet(fixture.alice.address, SUI, 5).unwrap();
    network.set_next_gas_price(2_000).unwrap();
    network.advance_epoch().unwrap();
    demo::add_stacks(network, STACKS + 3).unwrap();
}

/// The files as a crash would leave them at this moment, in another directory.
fn crashed(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in [LOG, SNAPSHOT] {
        if directory.join(name).exists() {
            fs::copy(directory.join(name), copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Changes a byte of a file.
fn damage(path: &Path, offset: u64) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

/// Everything that clients can see.
#[derive(Debug, PartialEq)]
struct Answers {
    state: serde_json::Value,
    epochs: Vec<proto::GetEpochResponse>,
    checkpoints: Vec<proto::Checkpoint>,
    transactions: Vec<proto::ExecutedTransaction>,
    events: Vec<proto::Event>,
    versions: Vec<proto::GetObjectResponse>,
    owned: Vec<proto::Object>,
    fields: Vec<proto::DynamicField>,
    balances: proto::ListBalancesResponse,
    sui: proto::GetBalanceResponse,
}

async fn all<T>(
    mut pages: impl AsyncFnMut(Option<bytes::Bytes>) -> (Vec<T>, Option<bytes::Bytes>),
) -> Vec<T> {
    let mut items = Vec::new();
    let mut token = None;
    loop {
        let (page, next) = pages(token).await;
        items.extend(page);
        match next {
            Some(next) => token = Some(next),
            None => return items,
        }
    }
}

/// The items of a list call, each page of which is a stream.
async fn listed<R, T, S>(
    mut call: impl AsyncFnMut(proto::QueryOptions) -> Result<Response<S>, Status>,
    parts: impl Fn(R) -> (Option<T>, Option<proto::Watermark>, Option<proto::QueryEnd>),
) -> Vec<T>
where
    S: Stream<Item = Result<R, Status>> + Unpin,
{
    let mut items = Vec::new();
    let mut options = proto::QueryOptions::default();
    options.limit = Some(300);
    loop {
        let mut stream = call(options.clone()).await.unwrap().into_inner();
        let mut reason = None;
        while let Some(frame) = stream.next().await {
            let (item, watermark, end) = parts(frame.unwrap());
            items.extend(item);
            options.after = watermark.and_then(|watermark| watermark.cursor);
            reason = end.map(|end| end.reason());
        }
        if reason != Some(proto::QueryEndReason::ItemLimit) {
            return items;
        }
    }
}

impl Fixture {
    async fn answers(&self) -> Answers {
        let everything = || Some(FieldMask::from_str("*"));
        let mut client = self.client.clone();
        let mut ledger = client.ledger_client();
        let checkpoints = listed(
            async |options| {
                let mut request = proto::ListCheckpointsRequest::default();
                request.read_mask = Some(FieldMask::from_str("summary,contents"));
                request.options = Some(options);
                ledger.list_checkpoints(request).await
            },
            |frame: proto::ListCheckpointsResponse| (frame.checkpoint, frame.watermark, frame.end),
        );
        let checkpoints = checkpoints.await;
        let transactions = listed(
            async |options| {
                let mut request = proto::ListTransactionsRequest::default();
                request.read_mask = everything();
                request.options = Some(options);
                ledger.list_transactions(request).await
            },
            |frame: proto::ListTransactionsResponse| {
                (frame.transaction, frame.watermark, frame.end)
            },
        );
        let transactions = transactions.await;
        let events = listed(
            async |options| {
                let mut request = proto::ListEventsRequest::default();
                request.options = Some(options);
                ledger.list_events(request).await
            },
            |frame: proto::ListEventsResponse| (frame.event, frame.watermark, frame.end),
        );
        let events = events.await;

        let versions: BTreeSet<(String, u64)> = transactions
            .iter()
            .flat_map(|transaction| &transaction.objects().objects)
            .filter(|object| !object.object_type().contains("Stack"))
            .map(|object| (object.object_id().to_owned(), object.version()))
            .collect();
        let mut found = Vec::new();
        for (id, version) in versions {
            let request = proto::GetObjectRequest::new(&id.parse().unwrap())
                .with_version(version)
                .with_read_mask(FieldMask::from_str("*"));
            found.push(ledger.get_object(request).await.unwrap().into_inner());
        }
        let mut epochs = Vec::new();
        for epoch in 0..=self.network.epoch() {
            let request = proto::GetEpochRequest::new(epoch);
            epochs.push(ledger.get_epoch(request).await.unwrap().into_inner());
        }
        let mut fields = transactions
            .iter()
            .flat_map(|transaction| &transaction.objects().objects)
            .filter(|object| object.object_type().ends_with("::db::Stack>"));
        let stacks = fields.next().unwrap().owner().address().to_owned();
        let buyer = self.network.buyer().to_string();
        let mut client = self.client.clone();
        let mut state = client.state_client();
        let owned = all(async |token| {
            let mut request = proto::ListOwnedObjectsRequest::default().with_owner(&buyer);
            request.page_size = Some(170);
            request.page_token = token;
            request.read_mask = everything();
            let response = state.list_owned_objects(request).await.unwrap();
            let response = response.into_inner();
            (response.objects, response.next_page_token)
        });
        let owned = owned.await;
        let fields = all(async |token| {
            let mut request = proto::ListDynamicFieldsRequest::default().with_parent(&stacks);
            request.page_size = Some(170);
            request.page_token = token;
            request.read_mask = everything();
            let response = state.list_dynamic_fields(request).await.unwrap();
            let response = response.into_inner();
            (response.dynamic_fields, response.next_page_token)
        });
        let fields = fields.await;
        let balances = proto::ListBalancesRequest::default().with_owner(&buyer);
        let sui = proto::GetBalanceRequest::default()
            .with_owner(&buyer)
            .with_coin_type("0x2::sui::SUI");
        Answers {
            state: self.network.state().unwrap(),
            epochs,
            checkpoints,
            transactions,
            events,
            versions: found,
            owned,
            fields,
            balances: state.list_balances(balances).await.unwrap().into_inner(),
            sui: state.get_balance(sui).await.unwrap().into_inner(),
        }
    }
}

/// A copy of the data directory of a world that went on after its snapshot, and the world's answers.
async fn world_with_snapshot() -> (TempDir, Answers) {
    let directory = tempfile::tempdir().unwrap();
    let fixture = world(directory.path(), STACKS).await;
    let (_, bytes) = fixture.network.snapshot().unwrap();
    let file = fs::metadata(directory.path().join(SNAPSHOT)).unwrap();
    assert_eq!(file.len(), bytes);
    go_on(&fixture);
    let answers = fixture.answers().await;
    (crashed(directory.path()), answers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_snapshot_gives_the_same_answers() {
    let (directory, before) = world_with_snapshot().await;
    let stacks = usize::try_from(STACKS + 3).unwrap();
    assert_eq!(before.fields.len(), stacks);
    // The coins are the buyer's as well.
    assert!(before.owned.len() > stacks);
    let purchases = before.events.iter();
    let purchases = purchases.filter(|event| event.event_type().ends_with("StackCreatedEvent"));
    assert_eq!(purchases.count(), stacks);

    let again = Fixture::with(config(directory.path())).await;
    assert_eq!(again.answers().await, before);
    // It works on, and another start reads what it wrote.
    go_on(&again);
    let before = again.answers().await;
    let copy = crashed(directory.path());
    let again = Fixture::with(config(copy.path())).await;
    assert_eq!(again.answers().await, before);

    // So does one that reads the whole log.
    let copy = crashed(directory.path());
    fs::remove_file(copy.path().join(SNAPSHOT)).unwrap();
    let again = Fixture::with(config(copy.path())).await;
    assert_eq!(again.answers().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_does_not_read_the_log_before_its_snapshot() {
    let (directory, before) = world_with_snapshot().await;
    // Reading the whole log would stop here, in genesis.
    damage(&directory.path().join(LOG), 1_000);
    let again = Fixture::with(config(directory.path())).await;
    assert_eq!(again.network.state().unwrap(), before.state);

    // What is damaged is not served, and nothing is executed upon it.
    let mut client = again.client.clone();
    let digest = before.transactions[0].digest().parse().unwrap();
    let mut request = proto::GetTransactionRequest::new(&digest);
    request.read_mask = Some(FieldMask::from_str("*"));
    let lost = client.ledger_client().get_transaction(request).await;
    let code = lost.map(|_| ()).map_err(|status| status.code());
    assert_eq!(code, Err(Code::DataLoss));
    let error = again.network.faucet(again.alice.address, SUI, 0);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the ledger"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_is_damaged_or_foreign_is_not_used() {
    let (directory, before) = world_with_snapshot().await;
    let snapshot = fs::read(directory.path().join(SNAPSHOT)).unwrap();
    let length = snapshot.len();
    let mut useless: Vec<(String, Vec<u8>)> = Vec::new();
    for cut in [0, 5, 40, length / 2, length - 12, length - 1] {
        useless.push((format!("cut at {cut}"), snapshot[..cut].to_vec()));
    }
    for at in [
        0,
        4,
        20,
        60,
        200,
        length / 3,
        length / 2,
        length - 20,
        length - 1,
    ] {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 1;
        useless.push((format!("changed at {at}"), bytes));
    }
    useless.push(("longer".to_owned(), [&snapshot[..], &[0]].concat()));
    // Of a network with the same seed and other transactions, and of one with another seed.
    for seed in [3, 4] {
        let other = tempfile::tempdir().unwrap();
        let config = LocalNetConfig {
            seed,
            ..config(other.path())
        };
        let fixture = Fixture::with(config).await;
        fixture.network.snapshot().unwrap();
        let bytes = fs::read(other.path().join(SNAPSHOT)).unwrap();
        useless.push((format!("of another network with seed {seed}"), bytes));
    }
    for (what, bytes) in useless {
        let copy = crashed(directory.path());
        fs::write(copy.path().join(SNAPSHOT), bytes).unwrap();
        let again = Fixture::with(config(copy.path())).await;
        assert_eq!(again.network.state().unwrap(), before.state, "{what}");
    }
}

#[tokio::test]
async fn a_snapshot_of_what_the_log_has_lost_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    let kept = fixture.network.state().unwrap();
    let log = directory.path().join(LOG);
    let length = fs::metadata(&log).unwrap().len();
    fixture
        .network
        .faucet(fixture.alice.address, SUI, 0)
        .unwrap();
    fixture.network.snapshot().unwrap();
    for cut in [length, length + 10] {
        let copy = crashed(directory.path());
        let file = File::options().write(true).open(copy.path().join(LOG));
        file.unwrap().set_len(cut).unwrap();
        let again = Fixture::with(config(copy.path())).await;
        assert_eq!(again.network.state().unwrap(), kept);
        // The log goes on with other entries where the snapshot knew some.
        let network = &again.network;
        network.faucet(again.alice.address, 3 * SUI, 7).unwrap();
        network.faucet(again.alice.address, 2 * SUI, 7).unwrap();
        let before = network.state().unwrap();
        let copy = crashed(copy.path());
        let again = Fixture::with(config(copy.path())).await;
        assert_eq!(again.network.state().unwrap(), before);
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_snapshot_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    fixture.network.snapshot().unwrap();
    let before = fixture.network.state().unwrap();
    let copy = crashed(directory.path());
    let unfinished = copy.path().join("ledger.snapshot.tmp");
    fs::write(&unfinished, b"half").unwrap();
    let again = Fixture::with(config(copy.path())).await;
    assert_eq!(again.network.state().unwrap(), before);
    assert!(!unfinished.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_makes_a_snapshot_if_there_is_much_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    fixture.network.shutdown().await;
    assert!(!directory.path().join(SNAPSHOT).exists());

    let fixture = world(directory.path(), MANY_STACKS).await;
    let crashed = crashed(directory.path());
    let state = fixture.network.state().unwrap();
    fixture.network.shutdown().await;
    let made = fs::metadata(directory.path().join(SNAPSHOT)).unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    assert_eq!(fixture.network.state().unwrap(), state);
    fixture.network.shutdown().await;
    let kept = fs::metadata(directory.path().join(SNAPSHOT)).unwrap();
    assert_eq!(kept.modified().unwrap(), made.modified().unwrap());

    // After a crash, the next start makes up for it.
    assert!(!crashed.path().join(SNAPSHOT).exists());
    let fixture = Fixture::with(config(crashed.path())).await;
    assert_eq!(fixture.network.state().unwrap(), state);
    assert!(crashed.path().join(SNAPSHOT).exists());
}

#[tokio::test]
async fn without_a_data_directory_there_is_no_snapshot() {
    let fixture = Fixture::start().await;
    let error = fixture.network.snapshot().unwrap_err().to_string();
    assert!(error.contains("data directory"), "{error}");
}

#[tokio::test]
async fn a_node_that_lags_reads_the_log_too() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    let alice = fixture.alice.address;
    let db = fixture.network.addresses().atoma_db;
    fixture.node_and_task(0).await;
    let before = (fixture.coins(alice).await, fixture.object(&db).await);
    fixture.network.snapshot().unwrap();
    let height = fixture.network.state().unwrap()["checkpoint"].clone();
    go_on_without_demo(&fixture);
    let copy = crashed(directory.path());
    let again = Fixture::with(config(copy.path())).await;
    let state = again.network.state().unwrap();
    let checkpoints = state["checkpoint"].as_u64().unwrap() - height.as_u64().unwrap();
    again.network.inject_fault(Fault {
        ms: 3_600_000,
        checkpoints,
        ..Fault::once(FaultKind::NodeLags)
    });
    let lagging = (again.coins(alice).await, again.object(&db).await);
    assert_eq!(lagging, before);
}

/// Changes the account's coins and the contract's objects.
fn go_on_without_demo(fixture: &Fixture) {
    let network = &fixture.network;
    network.faucet(fixture.alice.address, SUI, 5).unwrap();
    network.rotate_network_key().unwrap();
}
