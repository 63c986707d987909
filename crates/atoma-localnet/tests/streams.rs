//! Lists, subscriptions and the SDK's resumable streams.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::time::Duration;

use atoma_localnet::{CHECKPOINT_ON_STEP, Fault, FaultKind, LocalNetConfig};
use futures::{Stream, StreamExt};
use sui_rpc::client::{TransactionStreamFrame, TransactionStreamRequest, TransactionStreamStart};
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::filter::transaction as filters;
use support::{Fixture, transfer};

const MASK: &str = "digest,checkpoint,transaction_index,timestamp,effects.epoch,effects.status,events,transaction,objects";

impl Fixture {
    fn follow(
        &self,
        start: TransactionStreamStart,
    ) -> impl Stream<Item = Result<TransactionStreamFrame, tonic::Status>> {
        let db = self.network.addresses().atoma_db;
        let filter = proto::TransactionFilter::matching(filters::affected_object(db));
        let request = TransactionStreamRequest::new()
            .with_filter(filter)
            .with_read_mask(FieldMask::from_str(MASK))
            .with_start(start);
        self.client.stream_transactions(request)
    }

    /// Executes a transaction unrelated to the contract.
    async fn noise(&self) {
        let alice = self.alice.address;
        let gas = self.coins(alice).await.remove(0);
        self.execute(&transfer(alice, gas, 1, alice)).await.unwrap();
    }

    async fn register(&self) -> String {
        let call = self.call("register_node_entry", vec![self.db()]).await;
        let executed = self.execute(&call).await.unwrap();
        support::assert_success(&executed);
        executed.digest().to_owned()
    }
}

/// The next frames that carry a transaction.
async fn take(
    stream: &mut (impl Stream<Item = Result<TransactionStreamFrame, tonic::Status>> + Unpin),
    count: usize,
) -> Vec<TransactionStreamFrame> {
    let mut frames = Vec::new();
    while frames.len() < count {
        let frame = tokio::time::timeout(Duration::from_secs(20), stream.next())
            .await
            .expect("the stream went silent")
            .expect("the stream ended")
            .unwrap();
        if frame.transaction.is_some() {
            frames.push(frame);
        }
    }
    frames
}

fn digests(frames: &[TransactionStreamFrame]) -> Vec<String> {
    frames
        .iter()
        .map(|frame| frame.transaction.as_ref().unwrap().digest().to_owned())
        .collect()
}

#[tokio::test]
async fn a_stream_has_every_transaction_once_and_resumes_anywhere() {
    let fixture = Fixture::start().await;
    let mut sent = vec![fixture.register().await];
    fixture.noise().await;
    sent.push(fixture.register().await);
    let mut stream = Box::pin(fixture.follow(TransactionStreamStart::Checkpoint(1)));
    let mut frames = take(&mut stream, 2).await;
    // From here on, the stream is live.
    for _ in 0..3 {
        fixture.noise().await;
        sent.push(fixture.register().await);
    }
    frames.extend(take(&mut stream, 3).await);
    assert_eq!(digests(&frames), sent);

    let first = frames[0].transaction.as_ref().unwrap();
    assert_eq!(first.events().events.len(), 1);
    assert!(first.timestamp.is_some());
    let db = fixture.network.addresses().atoma_db.to_string();
    assert!(first.objects().objects.iter().any(|o| o.object_id() == db));

    for (index, frame) in frames.iter().enumerate() {
        let start = TransactionStreamStart::Resume(frame.cursor.clone());
        let rest = sent.len() - index - 1;
        let mut resumed = Box::pin(fixture.follow(start));
        assert_eq!(digests(&take(&mut resumed, rest).await), sent[index + 1..]);
    }
}

#[tokio::test]
async fn a_broken_stream_loses_nothing() {
    let fixture = Fixture::start().await;
    let mut stream = Box::pin(fixture.follow(TransactionStreamStart::Checkpoint(0)));
    // Genesis wrote the AtomaDb.
    take(&mut stream, 1).await;
    let mut sent = vec![fixture.register().await];
    let mut frames = take(&mut stream, 1).await;
    for _ in 0..3 {
        fixture
            .network
            .inject_fault(Fault::once(FaultKind::EventsCut));
        sent.push(fixture.register().await);
        sent.push(fixture.register().await);
        frames.extend(take(&mut stream, 2).await);
    }
    assert_eq!(digests(&frames), sent);
}

#[tokio::test]
async fn many_transactions_of_one_checkpoint_arrive_in_order() {
    let config = LocalNetConfig {
        checkpoint_ms: CHECKPOINT_ON_STEP,
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config).await;
    let mut stream = Box::pin(fixture.follow(TransactionStreamStart::Checkpoint(1)));
    let mut sent = Vec::new();
    for _ in 0..150 {
        sent.push(fixture.register().await);
    }
    let sequence = fixture.network.step().unwrap();
    let frames = take(&mut stream, 150).await;
    assert_eq!(digests(&frames), sent);
    let last = frames[149].transaction.as_ref().unwrap();
    assert_eq!(last.checkpoint(), sequence);
    // The transaction that funded the account is first in the same checkpoint.
    assert_eq!(last.transaction_index(), 150);
}

async fn list(
    fixture: &Fixture,
    change: impl FnOnce(&mut proto::ListTransactionsRequest),
) -> (Vec<u64>, proto::ListTransactionsResponse) {
    let mut request =
        proto::ListTransactionsRequest::default().with_read_mask(FieldMask::from_str("checkpoint"));
    change(&mut request);
    let mut client = fixture.client.clone();
    let stream = client
        .ledger_client()
        .list_transactions(request)
        .await
        .unwrap();
    let frames: Vec<_> = stream.into_inner().map(Result::unwrap).collect().await;
    let last = frames.last().unwrap().clone();
    assert!(frames.iter().filter(|frame| frame.end.is_some()).count() == 1);
    let found = frames
        .iter()
        .filter_map(|frame| Some(frame.transaction.as_ref()?.checkpoint()))
        .collect();
    (found, last)
}

fn reason(frame: &proto::ListTransactionsResponse) -> proto::QueryEndReason {
    frame.end.as_ref().unwrap().reason()
}

#[tokio::test]
async fn lists_report_why_they_end() {
    use proto::QueryEndReason as Reason;
    let fixture = Fixture::start().await;
    for _ in 0..5 {
        fixture.noise().await;
    }
    // Checkpoint 0 is genesis, 1 has the faucet's transaction, and 2 to 6 have these.
    let (found, last) = list(&fixture, |_| ()).await;
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(reason(&last), Reason::LedgerTip);
    assert_eq!(last.watermark().checkpoint, Some(6));

    let (found, last) = list(&fixture, |r| {
        r.start_checkpoint = Some(2);
        r.end_checkpoint = Some(5);
    })
    .await;
    assert_eq!(found, [2, 3, 4]);
    assert_eq!(reason(&last), Reason::CheckpointBound);
    assert_eq!(last.watermark().checkpoint, Some(4));

    let limited = |limit, after: Option<bytes::Bytes>, before: Option<bytes::Bytes>, ordering| {
        move |r: &mut proto::ListTransactionsRequest| {
            let mut options = proto::QueryOptions::default();
            options.limit = Some(limit);
            options.after = after;
            options.before = before;
            options.set_ordering(ordering);
            r.options = Some(options);
        }
    };
    let (up, down) = (proto::Ordering::Ascending, proto::Ordering::Descending);
    let (found, last) = list(&fixture, limited(3, None, None, up)).await;
    assert_eq!(found, [0, 1, 2]);
    assert_eq!(reason(&last), Reason::ItemLimit);
    let at_two = last.watermark().cursor.clone();
    let (found, last) = list(&fixture, limited(3, at_two.clone(), None, up)).await;
    assert_eq!(found, [3, 4, 5]);
    let at_five = last.watermark().cursor.clone();

    let (found, last) = list(&fixture, limited(9, at_two.clone(), at_five.clone(), up)).await;
    assert_eq!(found, [3, 4]);
    assert_eq!(reason(&last), Reason::CursorBound);
    let (found, last) = list(&fixture, limited(9, at_two, at_five, down)).await;
    assert_eq!(found, [4, 3]);
    assert_eq!(reason(&last), Reason::CursorBound);
    let (found, last) = list(&fixture, limited(2, None, None, down)).await;
    assert_eq!(found, [6, 5]);
    assert_eq!(reason(&last), Reason::ItemLimit);
    let (found, last) = list(
        &fixture,
        limited(9, None, last.watermark().cursor.clone(), down),
    )
    .await;
    assert_eq!(found, [4, 3, 2, 1, 0]);
    assert_eq!(reason(&last), Reason::CheckpointBound);
}

#[tokio::test]
async fn filters_select_transactions() {
    let fixture = Fixture::start().await;
    fixture.noise().await;
    fixture.register().await;
    let alice = fixture.alice.address;
    let addresses = fixture.network.addresses();
    let package = addresses.package;
    let node_event = format!("{package}::db::NodeRegisteredEvent");
    let cases = [
        (filters::sender(alice), vec![2, 3]),
        (filters::affected_address(alice), vec![1, 2, 3]),
        (filters::affected_object(addresses.atoma_db), vec![0, 3]),
        (filters::move_call(package), vec![3]),
        (
            filters::move_call(format!("{package}::db::claim_funds")),
            vec![],
        ),
        (filters::emit_module(format!("{package}::db")), vec![0, 3]),
        (filters::event_type(node_event.as_str()), vec![3]),
        (
            filters::event_type(node_event.as_str()).negate(),
            vec![0, 1, 2],
        ),
        (filters::package_write(), vec![0]),
    ];
    for (literal, expected) in cases {
        let filter = proto::TransactionFilter::matching(literal);
        let (found, _) = list(&fixture, |r| r.filter = Some(filter.clone())).await;
        assert_eq!(found, expected, "{filter:?}");
    }
    let mut request = proto::ListTransactionsRequest::default();
    request.filter = Some(proto::TransactionFilter::default());
    let status = fixture
        .client
        .clone()
        .ledger_client()
        .list_transactions(request)
        .await;
    assert_eq!(status.unwrap_err().code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn events_and_checkpoints_can_be_followed_too() {
    use sui_rpc::client::{
        CheckpointStreamRequest, CheckpointStreamStart, EventStreamRequest, EventStreamStart,
    };
    let fixture = Fixture::start().await;
    let first = fixture.register().await;
    let package = fixture.network.addresses().package;
    let filter = proto::EventFilter::matching(proto::filter::event::event_type(format!(
        "{package}::db::NodeRegisteredEvent"
    )));
    let request = EventStreamRequest::new()
        .with_filter(filter)
        .with_read_mask(FieldMask::from_str("*"))
        .with_start(EventStreamStart::Checkpoint(0));
    let mut events = Box::pin(fixture.client.stream_events(request));
    let request = CheckpointStreamRequest::new()
        .with_read_mask(FieldMask::from_str("sequence_number,digest"))
        .with_start(CheckpointStreamStart::Checkpoint(0));
    let mut checkpoints = Box::pin(fixture.client.stream_checkpoints(request));
    let mut sent = vec![first];
    let mut found = Vec::new();
    let mut sequences = Vec::new();
    while found.len() < 4 {
        if let Some(event) = events.next().await.unwrap().unwrap().event {
            found.push(event.transaction_digest().to_owned());
            if sent.len() < 4 {
                sent.push(fixture.register().await);
            }
        }
    }
    assert_eq!(found, sent);
    let height = fixture.network.state().unwrap()["checkpoint"]
        .as_u64()
        .unwrap();
    while sequences.last() != Some(&height) {
        if let Some(checkpoint) = checkpoints.next().await.unwrap().unwrap().checkpoint {
            sequences.push(checkpoint.sequence_number());
        }
    }
    assert_eq!(sequences, (0..=height).collect::<Vec<_>>());
}
