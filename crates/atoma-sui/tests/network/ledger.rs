//! Following the local network's ledger.

use crate::support::{TestNetwork, transactions};
use atoma_domain::contract::ContractCall;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{ChainError, EventCursor, EventSource as _};
use atoma_localnet::{Fault, FaultKind};
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
