use atoma_domain::StackSmallId;
use atoma_domain::events::{ClaimedStack, ContractEvent};
use atoma_domain::{ComputeUnits, MicroUsdc, NodeSmallId};
use futures::stream;
use sui_rpc::proto::timestamp_ms_to_proto;

use super::*;

const PACKAGE: ObjectId = ObjectId::TWO;
const ATOMA_DB: ObjectId = ObjectId::THREE;

fn event() -> ContractEvent {
    ClaimedStack {
        stack_small_id: StackSmallId::new(1),
        selected_node_id: NodeSmallId::new(2),
        num_claimed_compute_units: ComputeUnits::new(3),
        user_refund_amount: MicroUsdc::new(4),
    }
    .into()
}

fn balance_change(coin_type: &str) -> proto::BalanceChange {
    proto::BalanceChange::default()
        .with_address(ObjectId::TWO.to_string())
        .with_coin_type(coin_type)
        .with_amount("-5")
}

fn transaction(changed: ObjectId, success: bool, events: bool) -> proto::ExecutedTransaction {
    let mut status = proto::ExecutionStatus::default();
    status.success = Some(success);
    let effects = proto::TransactionEffects::default()
        .with_epoch(3)
        .with_lamport_version(40)
        .with_status(status)
        .with_changed_objects(vec![
            proto::ChangedObject::default().with_object_id(changed.to_string()),
        ]);
    let mut emitted = proto::TransactionEvents::default();
    if events {
        emitted.events = vec![
            proto::Event::default()
                .with_event_type(format!("{PACKAGE}::db::ClaimedStackEvent"))
                .with_contents(proto::Bcs::from(event().encode().unwrap())),
        ];
    }
    proto::ExecutedTransaction::default()
        .with_digest(Digest::new([7; 32]).to_string())
        .with_effects(effects)
        .with_events(emitted)
        .with_checkpoint(10)
        .with_transaction_index(2)
        .with_timestamp(timestamp_ms_to_proto(1_234))
        .with_balance_changes(vec![
            balance_change("0x5::usdc::USDC"),
            balance_change("0x2::sui::SUI"),
        ])
        .with_transaction(proto::Transaction::default().with_sender(ObjectId::ZERO.to_string()))
}

fn stream_of(frames: Vec<Result<Frame, Status>>) -> SuiLedgerStream {
    SuiLedgerStream {
        frames: Box::pin(stream::iter(frames).chain(stream::pending())),
        atoma_db: ATOMA_DB,
        types: EventTypes::new(PACKAGE, PACKAGE),
        currency: Some("0x5::usdc::USDC".parse().unwrap()),
        cursor: StreamCursor::at(CheckpointNumber::new(5)),
        fallback: None,
        pending_error: None,
    }
}

#[test]
fn transactions_of_the_contract_are_read() {
    let stream = stream_of(Vec::new());
    let read = stream
        .transaction(&transaction(ATOMA_DB, true, true))
        .unwrap()
        .unwrap();
    let expected = LedgerTransaction {
        digest: Digest::new([7; 32]),
        position: LedgerPosition {
            checkpoint: CheckpointNumber::new(10),
            index: 2,
        },
        timestamp: TimestampMs::new(1_234),
        epoch: Epoch::new(3),
        sender: ObjectId::ZERO,
        events: vec![event()],
        set_aside: Vec::new(),
        contract_version: Some(40),
        unexplained: Vec::new(),
        balance_changes: Some(vec![BalanceChange {
            address: ObjectId::TWO,
            amount: -5,
        }]),
    };
    assert_eq!(read, expected);
}

#[test]
fn failed_transactions_have_no_events_and_other_contracts_transactions_are_skipped() {
    let stream = stream_of(Vec::new());
    let read = |transaction| stream.transaction(&transaction).unwrap();
    let silent = read(transaction(ATOMA_DB, true, false)).unwrap();
    assert!(silent.events.is_empty());
    assert_eq!(silent.unexplained, [ATOMA_DB]);
    let failed = read(transaction(ATOMA_DB, false, true)).unwrap();
    assert!(failed.events.is_empty());
    assert_eq!(failed.unexplained, []);
    assert_eq!(failed.contract_version, Some(40));
    assert_eq!(read(transaction(PACKAGE, true, false)), None);
    // Events of the contract count even if the changed objects don't include the AtomaDb.
    assert!(read(transaction(PACKAGE, true, true)).is_some());
}

#[test]
fn what_an_event_set_aside_may_have_changed_is_told() {
    let stream = stream_of(Vec::new());
    let mut transaction = transaction(ATOMA_DB, true, true);
    let events = transaction.events_mut();
    events.events[0].event_type = Some(format!("{PACKAGE}::db::EventOfTheFuture"));
    let read = stream.transaction(&transaction).unwrap().unwrap();
    assert_eq!(read.events, []);
    assert_eq!(read.set_aside.len(), 1);
    assert_eq!(read.unexplained, [ATOMA_DB]);
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let mut stream = stream_of(vec![Err(Status::unavailable("gone"))]);
    let error = stream.next_steps(10).await.unwrap_err();
    assert!(matches!(error, ChainError::Unavailable(_)));
    let mut stream = stream_of(vec![Err(Status::data_loss("garbled"))]);
    let error = stream.next_steps(10).await.unwrap_err();
    assert!(matches!(error, ChainError::Answer(_)));
}
