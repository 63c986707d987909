//! Nodes that lag, that take turns behind one address, and that have pruned their history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use atoma_localnet::{Fault, FaultKind};
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{Address, ObjectReference};
use support::{Fixture, assert_success, transfer};
use tonic::{Code, Response, Status};

const HOUR_MS: u64 = 3_600_000;

fn lag(kind: FaultKind, checkpoints: u64) -> Fault {
    Fault {
        ms: HOUR_MS,
        checkpoints,
        ..Fault::once(kind)
    }
}

/// A transfer, and what it changed.
struct Done {
    digest: String,
    gas: ObjectReference,
}

impl Fixture {
    async fn info(&self) -> Response<proto::GetServiceInfoResponse> {
        let request = proto::GetServiceInfoRequest::default();
        let mut client = self.client.clone();
        let response = client.ledger_client().get_service_info(request).await;
        response.unwrap()
    }

    async fn height(&self) -> u64 {
        self.info().await.into_inner().checkpoint_height()
    }

    /// Sends 5 MIST from the largest coin to an address.
    async fn pay(&self, to: Address) -> Done {
        let gas = self.coins(self.alice.address).await.remove(0);
        let transaction = transfer(self.alice.address, gas.clone(), 5, to);
        let executed = self.execute(&transaction).await.unwrap();
        assert_success(&executed);
        let digest = executed.digest().to_owned();
        Done { digest, gas }
    }

    async fn look_up(&self, digest: &str) -> Result<(), Status> {
        let request = proto::GetTransactionRequest::new(&digest.parse().unwrap());
        let mut client = self.client.clone();
        let found = client.ledger_client().get_transaction(request).await;
        found.map(|_| ())
    }

    async fn listed(&self) -> Vec<u64> {
        let request = proto::ListCheckpointsRequest::default();
        let mut client = self.client.clone();
        let stream = client.ledger_client().list_checkpoints(request).await;
        let mut stream = stream.unwrap().into_inner();
        let mut sequences = Vec::new();
        while let Some(frame) = stream.message().await.unwrap() {
            sequences.extend(frame.checkpoint.map(|found| found.sequence_number()));
        }
        sequences
    }
}

fn header(response: &Response<proto::GetServiceInfoResponse>, name: &str) -> u64 {
    let value = response.metadata().get(name).unwrap();
    value.to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_lagging_node_shows_the_ledger_as_it_was_until_the_time_is_over() {
    let fixture = Fixture::start().await;
    let to = Address::new([3; 32]);
    let before = fixture.coins(fixture.alice.address).await;
    let height = fixture.height().await;
    let first = fixture.pay(to).await;
    let second = fixture.pay(to).await;
    fixture.network.inject_fault(lag(FaultKind::NodeLags, 2));

    let info = fixture.info().await;
    assert_eq!(info.get_ref().checkpoint_height(), height);
    assert_eq!(header(&info, "x-sui-checkpoint-height"), height);
    // Objects, owners, balances, transactions and lists, all of the same moment.
    assert_eq!(fixture.coins(fixture.alice.address).await, before);
    assert!(fixture.coins(to).await.is_empty());
    let object = fixture.object(first.gas.object_id()).await;
    assert_eq!(object.version(), first.gas.version());
    for done in [&first, &second] {
        let status = fixture.look_up(&done.digest).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }
    assert_eq!(fixture.listed().await.last(), Some(&height));
    // A transaction is executed all the same, though the node does not know it yet.
    let gas = before[1].clone();
    let transaction = transfer(fixture.alice.address, gas, 5, to);
    let third = fixture.execute(&transaction).await.unwrap();
    assert_success(&third);
    assert!(fixture.look_up(third.digest()).await.is_err());
    assert_eq!(fixture.height().await, height + 1);
    fixture.look_up(&first.digest).await.unwrap();

    fixture.network.advance_clock(HOUR_MS);
    assert_eq!(fixture.height().await, height + 3);
    fixture.look_up(third.digest()).await.unwrap();
    assert_eq!(fixture.coins(to).await.len(), 3);
    assert!(fixture.network.faults().is_empty());
}

#[tokio::test]
async fn a_lagging_node_does_not_know_the_new_epoch() {
    let fixture = Fixture::start().await;
    fixture.network.advance_epoch().unwrap();
    let epoch = async || {
        let mut client = fixture.client.clone();
        let request = proto::GetEpochRequest::default();
        let response = client.ledger_client().get_epoch(request).await.unwrap();
        response.into_inner().epoch().epoch()
    };
    assert_eq!(epoch().await, 1);
    fixture.network.inject_fault(lag(FaultKind::NodeLags, 2));
    assert_eq!(epoch().await, 0);
    let info = fixture.info().await;
    assert_eq!(info.get_ref().epoch(), 0);
    assert_eq!(header(&info, "x-sui-epoch"), 0);
    fixture.network.clear_faults();
    assert_eq!(epoch().await, 1);
}

#[tokio::test]
async fn a_lagging_node_does_not_know_an_upgrade() {
    let fixture = Fixture::start().await;
    let package = fixture.network.upgrade_package().unwrap();
    let versions = async || {
        let mut client = fixture.client.clone();
        let request = proto::ListPackageVersionsRequest::new(&fixture.network.addresses().package);
        let response = client.package_client().list_package_versions(request).await;
        response.unwrap().into_inner().versions.len()
    };
    let known = async || {
        let mut client = fixture.client.clone();
        let request = proto::GetPackageRequest::new(&package);
        client.package_client().get_package(request).await.is_ok()
    };
    assert_eq!((versions().await, known().await), (2, true));
    fixture.network.inject_fault(lag(FaultKind::NodeLags, 1));
    assert_eq!((versions().await, known().await), (1, false));
    fixture.network.clear_faults();
    assert_eq!((versions().await, known().await), (2, true));
}

#[tokio::test]
async fn streams_of_a_lagging_node_are_late() {
    let fixture = Fixture::start().await;
    let height = fixture.height().await;
    fixture.network.inject_fault(lag(FaultKind::NodeLags, 1));
    let mut client = fixture.client.clone();
    let mut subscription = client.subscription_client();
    let request = proto::SubscribeCheckpointsRequest::default();
    let stream = subscription.subscribe_checkpoints(request).await;
    let mut stream = stream.unwrap().into_inner();
    let mut next = async || stream.message().await.unwrap().unwrap().cursor();
    assert_eq!(next().await, height - 1);
    fixture.network.step().unwrap();
    assert_eq!(next().await, height);
    // The rest comes when the time is over, without another checkpoint.
    fixture.network.advance_clock(HOUR_MS);
    assert_eq!(next().await, height + 1);
}

#[tokio::test]
async fn two_nodes_of_different_heights_take_turns() {
    let fixture = Fixture::start().await;
    let done = fixture.pay(Address::new([3; 32])).await;
    let height = fixture.height().await;
    fixture.network.inject_fault(lag(FaultKind::TwoNodes, 1));
    for _ in 0..2 {
        assert_eq!(fixture.height().await, height);
        let behind = fixture.info().await;
        assert_eq!(behind.get_ref().checkpoint_height(), height - 1);
        assert_eq!(header(&behind, "x-sui-checkpoint-height"), height - 1);
    }
    fixture.look_up(&done.digest).await.unwrap();
    assert!(fixture.look_up(&done.digest).await.is_err());
    fixture.network.advance_clock(HOUR_MS);
    for _ in 0..2 {
        assert_eq!(fixture.height().await, height);
    }
}

#[tokio::test]
async fn a_node_that_has_pruned_its_history_says_so_and_lacks_it() {
    let fixture = Fixture::start().await;
    let to = Address::new([3; 32]);
    let old = fixture.pay(to).await;
    let recent = fixture.pay(to).await;
    let latest = fixture.pay(to).await;
    let height = fixture.height().await;
    let lowest = height - 1;
    fixture
        .network
        .inject_fault(lag(FaultKind::HistoryPruned, lowest));
    // Unlike a lag, it does not pass.
    fixture.network.advance_clock(2 * HOUR_MS);

    let info = fixture.info().await;
    assert_eq!(info.get_ref().lowest_available_checkpoint(), lowest);
    assert_eq!(info.get_ref().lowest_available_checkpoint_objects(), lowest);
    for name in [
        "x-sui-lowest-available-checkpoint",
        "x-sui-lowest-available-checkpoint-objects",
    ] {
        assert_eq!(header(&info, name), lowest);
    }
    let status = fixture.look_up(&old.digest).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    fixture.look_up(&recent.digest).await.unwrap();
    assert_eq!(fixture.listed().await, [lowest, height]);
    // Of a pruned checkpoint the summary remains.
    let checkpoint = async |sequence, mask| {
        let mut client = fixture.client.clone();
        let request = proto::GetCheckpointRequest::by_sequence_number(sequence)
            .with_read_mask(FieldMask::from_str(mask));
        client.ledger_client().get_checkpoint(request).await
    };
    for mask in ["contents", "transactions"] {
        let status = checkpoint(lowest - 1, mask).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let text = format!("Checkpoint {} not found", lowest - 1);
        assert_eq!(status.message(), text);
        checkpoint(lowest, mask).await.unwrap();
    }
    checkpoint(lowest - 1, "summary").await.unwrap();
    // The coin at the versions that the transactions used.
    let version = async |gas: &ObjectReference| {
        let mut client = fixture.client.clone();
        let mut request = proto::GetObjectRequest::new(gas.object_id());
        request.version = Some(gas.version());
        client.ledger_client().get_object(request).await
    };
    assert_eq!(old.gas.object_id(), latest.gas.object_id());
    assert_eq!(version(&old.gas).await.unwrap_err().code(), Code::NotFound);
    version(&recent.gas).await.unwrap();
    version(&latest.gas).await.unwrap();
    assert!(fixture.object(old.gas.object_id()).await.version() > latest.gas.version());
    fixture.network.clear_faults();
    fixture.look_up(&old.digest).await.unwrap();
    assert_eq!(fixture.coins(to).await.len(), 3);
}

/// A list that begins with the history that is left, and refuses to begin before it.
#[tokio::test]
async fn lists_that_begin_before_the_history_are_refused() {
    let fixture = Fixture::start().await;
    let to = Address::new([3; 32]);
    for _ in 0..4 {
        fixture.pay(to).await;
    }
    let height = fixture.height().await;
    let lowest = height - 1;
    let first = fixture.transactions_before(lowest).await;
    let all = fixture.list(|_| {}).await.unwrap();
    let cursor_of = |checkpoint: u64| {
        let mut frames = all.iter();
        let frame = frames.find(|frame| frame.0 == Some(checkpoint)).unwrap();
        frame.1.clone()
    };
    let pruned = lag(FaultKind::HistoryPruned, lowest);
    fixture.network.inject_fault(pruned);

    let text =
        format!("requested data below earliest available; lowest available tx_seq is {first}");
    let checkpoints = |frames: Vec<Frame>| -> Vec<u64> {
        frames.into_iter().filter_map(|frame| frame.0).collect()
    };
    let listed = fixture.list(|_| {}).await.unwrap();
    assert_eq!(checkpoints(listed), [lowest, height]);
    let start = |checkpoint: u64| {
        move |r: &mut proto::ListTransactionsRequest| r.start_checkpoint = Some(checkpoint)
    };
    let listed = fixture.list(start(lowest)).await.unwrap();
    assert_eq!(checkpoints(listed), [lowest, height]);
    let after = |checkpoint| {
        let cursor = cursor_of(checkpoint);
        move |r: &mut proto::ListTransactionsRequest| {
            let mut options = proto::QueryOptions::default();
            options.after = Some(cursor.clone());
            r.options = Some(options);
        }
    };
    // The last transaction that was pruned is where the rest begins.
    let listed = fixture.list(after(lowest - 1)).await.unwrap();
    assert_eq!(checkpoints(listed), [lowest, height]);
    for status in [
        fixture.list(start(lowest - 1)).await.unwrap_err(),
        fixture.list(start(0)).await.unwrap_err(),
        fixture.list(after(lowest - 2)).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::OutOfRange);
        assert_eq!(status.message(), text);
    }
    // Backwards, it ends where the history begins, and claims no more.
    let backwards = |r: &mut proto::ListTransactionsRequest| {
        let mut options = proto::QueryOptions::default();
        options.set_ordering(proto::Ordering::Descending);
        r.options = Some(options);
    };
    let listed = fixture.list(backwards).await.unwrap();
    assert_eq!(listed.last().unwrap().2, Some(lowest));
    assert_eq!(checkpoints(listed), [height, lowest]);

    let mut request = proto::ListCheckpointsRequest::default();
    request.start_checkpoint = Some(lowest - 1);
    let mut client = fixture.client.clone();
    let stream = client.ledger_client().list_checkpoints(request).await;
    let status = stream.unwrap().into_inner().message().await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    let text =
        format!("requested data below earliest available; lowest available checkpoint is {lowest}");
    assert_eq!(status.message(), text);
}

/// A transaction's checkpoint, the cursor, and the checkpoint that is covered.
type Frame = (Option<u64>, prost::bytes::Bytes, Option<u64>);

impl Fixture {
    async fn list(
        &self,
        change: impl FnOnce(&mut proto::ListTransactionsRequest),
    ) -> Result<Vec<Frame>, Status> {
        let mut request = proto::ListTransactionsRequest::default();
        request.read_mask = Some(FieldMask::from_str("checkpoint"));
        change(&mut request);
        let mut client = self.client.clone();
        let mut stream = client
            .ledger_client()
            .list_transactions(request)
            .await?
            .into_inner();
        let mut frames = Vec::new();
        while let Some(frame) = stream.message().await? {
            let checkpoint = frame.transaction.as_ref().and_then(|t| t.checkpoint);
            let watermark = frame.watermark();
            frames.push((
                checkpoint,
                watermark.cursor().to_vec().into(),
                watermark.checkpoint,
            ));
        }
        Ok(frames)
    }

    /// The number of transactions before a checkpoint.
    async fn transactions_before(&self, checkpoint: u64) -> u64 {
        let request = proto::GetCheckpointRequest::by_sequence_number(checkpoint - 1)
            .with_read_mask(FieldMask::from_str("summary"));
        let mut client = self.client.clone();
        let response = client.ledger_client().get_checkpoint(request).await;
        let response = response.unwrap().into_inner();
        response.checkpoint().summary().total_network_transactions()
    }
}
