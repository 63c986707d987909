//! Following the ledger of the local network.

use crate::support::{World, transactions};
use atoma_domain::contract::ContractCall;
use atoma_domain::events::ContractEvent;
use atoma_domain::ports::{ChainError, EventCursor, EventSource as _};
use atoma_localnet::{Fault, FaultKind};
use bytes::Bytes;

#[tokio::test]
async fn a_stream_goes_on_after_its_cursor() {
    let world = World::start().await;
    let task = world.task(0);
    let operator = world.operator(0, &[task]).await;
    let first = world
        .act(&operator, ContractCall::UnsubscribeFromTask { task })
        .await;
    let frames = world.follow_until(None, &first).await;
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

    // A call without an event, then one with.
    let silent = world.act(&operator, ContractCall::WithdrawFees).await;
    let last = world
        .succeed(&operator.signer, None, &[ContractCall::RegisterNode])
        .await;
    let frames = world.follow_until(Some(cursor), &last).await;
    let seen: Vec<_> = transactions(&frames).map(|step| step.digest).collect();
    assert_eq!(seen, vec![silent.digest, last.digest]);
    let steps: Vec<_> = transactions(&frames).collect();
    assert!(steps[0].events.is_empty());
    assert_eq!(steps[1].events, last.events);
    assert!(steps[0].timestamp.get() > 0);
}

#[tokio::test]
async fn what_happens_while_following_comes_too_even_through_broken_streams() {
    let world = World::start().await;
    let operator = world.operator(0, &[]).await;
    let mut stream = world.source().follow(None).await.unwrap();
    let mut seen = Vec::new();
    let mut sent = Vec::new();
    for round in 0..4 {
        if round == 2 {
            world.net.inject_fault(Fault::once(FaultKind::EventsCut));
        }
        let executed = world
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
async fn a_cursor_that_is_not_its_own_is_refused() {
    let world = World::start().await;
    let foreign = EventCursor(Bytes::from_static(b"foreign"));
    let error = world.source().follow(Some(foreign)).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }));
}
