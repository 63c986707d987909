//! Following the local network's ledger.

use crate::support::{TestNetwork, transactions};
use atoma_domain::contract::ContractCall;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{ChainError, EventCursor, EventSource as _, LedgerFrame};
use atoma_localnet::{CHECKPOINT_ON_STEP, Fault, FaultKind, LocalNetConfig};
use bytes::Bytes;

#[tokio::test]
async fn a_stream_resumes_after_its_cursor() {
    let network = TestNetwork::start().await;
    let task = network.task(0);
    let operator = network.operator(0, &[task]).await;
    let first = network
        .act(&operator, ContractCall::UnsubscribeFromTask { task })
        .await;
    let frames = network.follow_until(None, &first).await;
    assert!(
        transactions(&frames)
            .flat_map(|step| &step.events)
            .any(|event| matches!(event, ContractEvent::TaskRegistered(_)))
    );
    let at = frames
        .iter()
        .position(|frame| {
            frame
                .transaction
                .as_ref()
                .is_some_and(|step| step.digest == first.digest)
        })
        .unwrap();
    let cursor = frames[at].cursor.clone();

    // A call that emits no event, then one that does.
    let silent = network.act(&operator, ContractCall::WithdrawFees).await;
    let last = network
        .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let frames = network.follow_until(Some(cursor), &last).await;
    let seen: Vec<_> = transactions(&frames).map(|step| step.digest).collect();
    assert_eq!(seen, vec![silent.digest, last.digest]);
    let steps: Vec<_> = transactions(&frames).collect();
    assert!(steps[0].events.is_empty());
    assert_eq!(steps[1].events, last.events);
    assert!(steps[0].timestamp.get() > 0);
}

#[tokio::test]
async fn new_transactions_arrive_even_when_the_stream_breaks() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let mut stream = network.source().follow(None).await.unwrap();
    let mut seen = Vec::new();
    let mut sent = Vec::new();
    for round in 0..4 {
        if round == 2 {
            network
                .localnet
                .inject_fault(Fault::once(FaultKind::EventsCut));
        }
        let executed = network
            .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
            .await;
        sent.push(executed.digest);
        while !seen.contains(&executed.digest) {
            let frames = stream.next_steps(3).await.unwrap();
            assert!(frames.len() <= 3);
            seen.extend(transactions(&frames).map(|step| step.digest));
        }
    }
    seen.retain(|digest| sent.contains(digest));
    assert_eq!(seen, sent);
}

#[tokio::test]
async fn a_cursor_of_another_format_is_rejected() {
    let network = TestNetwork::start().await;
    let foreign = EventCursor(Bytes::from_static(b"foreign"));
    let error = network.source().follow(Some(foreign)).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }));
}

/// A node without the list calls: the ledger comes from whole checkpoints, with the same transactions in the same places
/// and with the same progress, live and after a resumption, in the middle of a checkpoint too.
#[tokio::test]
async fn without_lists_the_ledger_is_read_by_checkpoints() {
    let network = TestNetwork::start_with(LocalNetConfig {
        checkpoint_ms: CHECKPOINT_ON_STEP,
        ..LocalNetConfig::default()
    })
    .await;
    let operator = network.operator(0, &[]).await;
    let mut last = None;
    for round in 0..12 {
        // Several transactions to a checkpoint.
        let call = match round % 2 {
            0 => ContractCall::WithdrawFees,
            _ => ContractCall::RegisterNode,
        };
        let badge = (round % 2 == 0).then_some(operator.badge);
        last = Some(network.succeed(&operator.signer, badge, &[call]).await);
        if round % 3 == 2 {
            network.localnet.step().unwrap();
        }
    }
    let last = last.unwrap();
    let listed = network.follow_until(None, &last).await;
    network
        .localnet
        .inject_fault(Fault::once(FaultKind::ListsUnserved));
    let read = network.follow_until(None, &last).await;
    assert!(network.chain.lacks_lists());
    let of = |frames: &[LedgerFrame]| transactions(frames).cloned().collect::<Vec<_>>();
    assert_eq!(of(&read), of(&listed));
    let covered = read.iter().filter_map(|frame| frame.covered);
    let covered: Vec<_> = covered.map(|covered| covered.get()).collect();
    let all: Vec<_> = (0..=*covered.last().unwrap()).collect();
    assert_eq!(covered, all);
    // Wherever it stopped, it goes on with the next transaction.
    for (at, frame) in read.iter().enumerate() {
        if read[at + 1..]
            .iter()
            .all(|later| later.transaction.is_none())
        {
            break;
        }
        let resumed = network
            .follow_until(Some(frame.cursor.clone()), &last)
            .await;
        assert_eq!(of(&resumed), of(&read[at + 1..]), "{at}");
    }
    // What comes is delivered as it comes.
    let mut stream = network.source().follow(None).await.unwrap();
    stream.next_steps(1_000).await.unwrap();
    for _ in 0..3 {
        let executed = network.act(&operator, ContractCall::WithdrawFees).await;
        network.localnet.step().unwrap();
        loop {
            let frames = stream.next_steps(1_000).await.unwrap();
            if transactions(&frames).any(|read| read.digest == executed.digest) {
                break;
            }
        }
    }
}
