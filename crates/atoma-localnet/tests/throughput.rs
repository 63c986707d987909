//! The throughput of settlements: ten thousand take seconds.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::time::Instant;

use atoma_domain::{NodeSmallId, TaskSmallId};
use atoma_localnet::Purchase;
use futures::StreamExt;
use sui_crypto::SuiSigner;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_sdk_types::{
    Argument, Command, Identifier, Input, MoveCall, ObjectReference, TransactionEffects,
};
use support::{Fixture, SUI, pure, random, transaction};

/// The number of transactions of each kind. Measurements need thousands.
fn count() -> u64 {
    std::env::var("ATOMA_LOCALNET_THROUGHPUT")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(50)
}

/// A coin that pays for all of them.
async fn coin_for_thousands(fixture: &Fixture) -> ObjectReference {
    let alice = fixture.alice.address;
    let small = fixture.coins(alice).await;
    fixture.network.faucet_coins(alice, &[1_000 * SUI]).unwrap();
    let coins = fixture.coins(alice).await;
    coins
        .into_iter()
        .find(|coin| !small.contains(coin))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consecutive_settlements_are_fast() {
    let fixture = Fixture::start().await;
    let (node, task) = fixture.node_and_task(0).await;
    let count = count();
    let begin = Instant::now();
    let stacks = fixture
        .network
        .buy_stacks(&Purchase {
            task_small_id: TaskSmallId::new(task),
            num_compute_units: 100,
            price: 1_000,
            count,
            node_small_id: Some(NodeSmallId::new(node)),
        })
        .unwrap();
    let bought = begin.elapsed();

    let alice = fixture.alice.address;
    let mut badge = fixture.badge(alice, "NodeBadge").await;
    let mut gas = coin_for_thousands(&fixture).await;
    let begin = Instant::now();
    for stack in &stacks {
        let inputs = vec![
            fixture.db(),
            Input::ImmutableOrOwned(badge.clone()),
            pure(&stack.get()),
            pure(&60_u64),
            pure(&vec![1_u8; 32]),
            pure(&vec![2_u8; 32]),
            random(),
        ];
        let call = Command::MoveCall(MoveCall {
            package: fixture.network.addresses().package,
            module: Identifier::from_static("db"),
            function: Identifier::from_static("try_settle_stack"),
            type_arguments: vec![],
            arguments: (0..7).map(Argument::Input).collect(),
        });
        let transaction = transaction(alice, gas.clone(), inputs, vec![call]);
        let signature = fixture.alice.key.sign_transaction(&transaction).unwrap();
        let executed = fixture.send(&transaction, vec![signature]).await.unwrap();
        support::assert_success(&executed);
        let effects = TransactionEffects::try_from(executed.effects()).unwrap();
        let TransactionEffects::V2(effects) = effects else {
            panic!("effects of version 1");
        };
        for reference in [&mut badge, &mut gas] {
            let id = *reference.object_id();
            let change = effects
                .changed_objects
                .iter()
                .find(|change| change.object_id == id)
                .unwrap();
            let sui_sdk_types::ObjectOut::ObjectWrite { digest, .. } = change.output_state else {
                panic!("not written");
            };
            *reference = ObjectReference::new(id, effects.lamport_version, digest);
        }
    }
    let settled = begin.elapsed();
    let begin = Instant::now();
    let request = sui_rpc::client::TransactionStreamRequest::new()
        .with_read_mask(FieldMask::from_str(
            "digest,checkpoint,transaction_index,timestamp,effects.epoch,effects.status,events,transaction,objects",
        ))
        .with_start(sui_rpc::client::TransactionStreamStart::Checkpoint(0));
    let mut stream = Box::pin(fixture.client.stream_transactions(request));
    let mut seen = 0;
    while seen < 2 * count {
        let frame = stream.next().await.unwrap().unwrap();
        seen += u64::from(frame.transaction.is_some());
    }
    eprintln!(
        "{count} stacks bought in {bought:?}, settled over gRPC in {settled:?}, followed in {:?}",
        begin.elapsed()
    );
    let tickets = fixture.network.state().unwrap()["tickets"]
        .as_object()
        .unwrap()
        .len();
    assert_eq!(u64::try_from(tickets).unwrap(), count);
}
