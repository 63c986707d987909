//! Faults of the network and of the way to it, as clients meet them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::time::Duration;

use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig};
use prost::Message as _;
use serde_json::json;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::google::rpc;
use sui_rpc::proto::sui::rpc::v2 as proto;
use support::{Fixture, assert_success, transfer};
use tonic::Code;

impl Fixture {
    async fn info(&self) -> Result<proto::GetServiceInfoResponse, tonic::Status> {
        let request = proto::GetServiceInfoRequest::default();
        let mut client = self.client.clone();
        let response = client.ledger_client().get_service_info(request).await?;
        Ok(response.into_inner())
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_try_again() {
    let fixture = Fixture::start().await;
    fixture.network.inject_fault(Fault {
        ms: 2_500,
        ..Fault::once(FaultKind::RateLimit)
    });
    let status = fixture.info().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = rpc::Status::decode(status.details()).unwrap();
    assert_eq!(details.code, i32::from(Code::ResourceExhausted));
    let info: rpc::RetryInfo = details.details[0].to_msg().unwrap();
    let delay: Duration = info.retry_delay.unwrap().try_into().unwrap();
    assert_eq!(delay, Duration::from_millis(2_500));
    fixture.info().await.unwrap();
}

#[tokio::test]
async fn the_control_port_injects_every_fault() {
    let config = LocalNetConfig {
        admin_addr: Some(([127, 0, 0, 1], 0).into()),
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config).await.unwrap();
    let url = format!("{}/faults", network.admin_url().unwrap());
    for (name, kind) in [
        ("lock_conflict", FaultKind::LockConflict),
        ("rate_limit", FaultKind::RateLimit),
        ("go_away", FaultKind::GoAway),
        ("node_lags", FaultKind::NodeLags),
        ("two_nodes", FaultKind::TwoNodes),
        ("history_pruned", FaultKind::HistoryPruned),
        ("lists_unserved", FaultKind::ListsUnserved),
        ("height_too_high", FaultKind::HeightTooHigh),
        ("other_checkpoints", FaultKind::OtherCheckpoints),
    ] {
        let client = reqwest::Client::new();
        let body = json!({ "kind": name, "count": 3, "ms": 60_000, "checkpoints": 4 });
        let answered = client.post(&url).json(&body).send().await.unwrap();
        assert_eq!(answered.status(), 200);
        let fault = Fault {
            kind,
            count: 3,
            ms: 60_000,
            checkpoints: 4,
        };
        assert_eq!(network.faults(), [fault]);
        client.delete(&url).send().await.unwrap();
        assert_eq!(network.faults(), []);
    }
}

#[tokio::test]
async fn a_lock_conflict_names_the_object_and_executes_nothing() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas.clone(), 5, alice);
    fixture
        .network
        .inject_fault(Fault::once(FaultKind::LockConflict));
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let text = status.message();
    assert!(text.contains(&gas.object_id().to_string()), "{text}");
    assert!(text.contains("already locked by a different transaction"));
    let object = fixture.object(gas.object_id()).await;
    assert_eq!(object.version(), gas.version());
    assert_success(&fixture.execute(&transaction).await.unwrap());
}

#[tokio::test]
async fn a_connection_goes_away_in_the_middle_of_a_call() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas.clone(), 5, alice);
    fixture.network.inject_fault(Fault::once(FaultKind::GoAway));
    let status = fixture.execute(&transaction).await.unwrap_err();
    // The client can't tell whether the call took effect. It did.
    assert!(
        matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled
        ),
        "{status:?}"
    );
    assert!(fixture.object(gas.object_id()).await.version() > gas.version());
    assert_success(&fixture.execute(&transaction).await.unwrap());
}

/// Streams on the connection end too, without a status.
#[tokio::test]
async fn streams_end_with_their_connection() {
    let fixture = Fixture::start().await;
    let mut client = fixture.client.clone();
    let mut subscription = client.subscription_client();
    let request = proto::SubscribeTransactionsRequest::default();
    let stream = subscription.subscribe_transactions(request).await;
    let mut stream = stream.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    fixture.network.inject_fault(Fault::once(FaultKind::GoAway));
    // The subscription's connection is the one that `client` shares with this call.
    let request = proto::GetServiceInfoRequest::default();
    let mut same = client.clone();
    same.ledger_client()
        .get_service_info(request)
        .await
        .unwrap_err();
    while let Ok(frame) = stream.message().await {
        assert!(frame.is_some(), "the stream ended in order");
    }
}

#[tokio::test]
async fn the_reference_gas_price_changes_at_the_end_of_an_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config.clone()).await;
    let alice = fixture.alice.address;
    for price in [0, 100_000] {
        fixture.network.set_next_gas_price(price).unwrap_err();
    }
    fixture.network.set_next_gas_price(1_500).unwrap();
    let epoch = async |fixture: &Fixture| {
        let mut client = fixture.client.clone();
        let mask = FieldMask::from_str("epoch,reference_gas_price");
        let request = proto::GetEpochRequest::default().with_read_mask(mask);
        let response = client.ledger_client().get_epoch(request).await.unwrap();
        let epoch = response.into_inner().epoch.unwrap();
        (epoch.epoch(), epoch.reference_gas_price())
    };
    assert_eq!(epoch(&fixture).await, (0, 1_000));
    let gas = fixture.coins(alice).await.remove(0);
    assert_success(
        &fixture
            .execute(&transfer(alice, gas, 5, alice))
            .await
            .unwrap(),
    );

    fixture.network.advance_epoch().unwrap();
    assert_eq!(epoch(&fixture).await, (1, 1_500));
    let gas = fixture.coins(alice).await.remove(0);
    let mut transaction = transfer(alice, gas, 5, alice);
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("1500"), "{status:?}");
    transaction.gas_payment.price = 1_500;
    assert_success(&fixture.execute(&transaction).await.unwrap());
    // The network's own accounts pay it as well.
    fixture.network.faucet(alice, 5, 0).unwrap();
    fixture.network.shutdown().await;

    let fixture = Fixture::with(config).await;
    assert_eq!(epoch(&fixture).await, (1, 1_500));
    fixture.network.advance_epoch().unwrap();
    assert_eq!(epoch(&fixture).await, (2, 1_500));
}
