//! The control calls over HTTP, injected faults, and restarting from disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::time::{Duration, Instant};

use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig};
use serde_json::{Value, json};
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{ExecutionError, ExecutionStatus};
use support::{Fixture, SUI, effects, transfer};
use tonic::Code;

async fn with_admin() -> (Fixture, String) {
    let config = LocalNetConfig {
        admin_addr: Some(([127, 0, 0, 1], 0).into()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config).await;
    let url = fixture.network.admin_url().unwrap();
    (fixture, url)
}

async fn post(url: &str, path: &str, body: Value) -> (u16, Value) {
    let response = reqwest::Client::new()
        .post(format!("{url}{path}"))
        .json(&body)
        .send()
        .await
        .unwrap();
    (
        response.status().as_u16(),
        response.json().await.unwrap_or_default(),
    )
}

#[tokio::test]
async fn every_control_call_responds_after_its_effect() {
    let (fixture, url) = with_admin().await;
    fixture.node_and_task(0).await;
    let task = json!({"role": 1, "security_level": 2, "is_public": true});
    assert_eq!(
        post(&url, "/tasks", task).await,
        (200, json!({"task_small_id": 2}))
    );
    let model = json!({"model_name": "llama", "modality": 0, "echelon_ids": [1, 7]});
    assert_eq!(
        post(&url, "/models", model.clone()).await,
        (200, model.clone())
    );
    let (status, taken) = post(&url, "/models", model).await;
    assert_eq!(status, 422, "{taken}");
    let parameters = json!({"cross_validation_probability_permille": 1000});
    assert_eq!(post(&url, "/parameters", parameters).await.0, 200);
    let purchase = json!({"task_small_id": 1, "num_compute_units": 10, "price": 1000, "count": 2, "node_small_id": 1});
    assert_eq!(
        post(&url, "/stacks", purchase).await,
        (200, json!({"stack_small_ids": [1, 2]}))
    );
    assert_eq!(
        post(&url, "/stacks/2/attesters", json!({"node_small_ids": [1]}))
            .await
            .0,
        200
    );
    let address = sui_sdk_types::Address::new([5; 32]).to_string();
    let wanted = json!({"address": address, "sui_mist": 5, "usdc": 6});
    assert_eq!(post(&url, "/faucet", wanted).await.0, 200);
    assert_eq!(
        post(&url, "/epoch/advance", json!({})).await,
        (200, json!({"epoch": 1}))
    );
    let state: Value = reqwest::get(format!("{url}/state"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["stacks"]["1"]["selected_node_id"], 1);
    assert_eq!(
        state["parameters"]["cross_validation_probability_permille"],
        1000
    );
    assert_eq!(state["epoch"], 1);
    let usdc = fixture.network.addresses().usdc().to_string();
    assert_eq!(state["balances"][&address][&usdc], 6);

    let (status, upgraded) = post(&url, "/package/upgrade", json!({})).await;
    assert_eq!(status, 200, "{upgraded}");
    assert!(upgraded["package_id"].is_string());

    let (status, failure) = post(
        &url,
        "/stacks",
        json!({"task_small_id": 99, "num_compute_units": 1, "price": 1}),
    )
    .await;
    assert_eq!(status, 422);
    assert!(failure["error"].is_string());
}

#[tokio::test]
async fn the_control_port_must_be_on_loopback() {
    let config = LocalNetConfig {
        admin_addr: Some(([0, 0, 0, 0], 0).into()),
        ..LocalNetConfig::default()
    };
    assert!(LocalNet::start(config).await.is_err());
}

#[tokio::test]
async fn a_transaction_whose_response_is_lost_has_been_executed() {
    let (fixture, url) = with_admin().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas, 5, alice);
    let digest = transaction.digest();
    let lookup = async || {
        let request = proto::GetTransactionRequest::new(&digest);
        fixture
            .client
            .clone()
            .ledger_client()
            .get_transaction(request)
            .await
    };
    assert_eq!(
        post(&url, "/faults", json!({"kind": "execute_lost_before"}))
            .await
            .0,
        200
    );
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(lookup().await.unwrap_err().code(), Code::NotFound);

    fixture
        .network
        .inject_fault(Fault::once(FaultKind::ExecuteLostAfter));
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(lookup().await.is_ok());
    support::assert_success(&fixture.execute(&transaction).await.unwrap());

    // A node that says no after the fact, and shows the outcome later.
    for kind in [
        FaultKind::ExecuteRefusedAfter,
        FaultKind::TransactionsHidden,
    ] {
        fixture.network.inject_fault(Fault::once(kind));
    }
    let status = fixture.execute(&transaction).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(lookup().await.unwrap_err().code(), Code::NotFound);
    assert!(lookup().await.is_ok());
}

#[tokio::test]
async fn congestion_cancels_a_transaction_and_charges_gas() {
    let fixture = Fixture::start().await;
    let call = fixture
        .call("register_node_entry", vec![fixture.db()])
        .await;
    let db = fixture.network.addresses().atoma_db;
    let before = fixture.object(&db).await.version();
    fixture
        .network
        .inject_fault(Fault::once(FaultKind::Congestion));
    let executed = fixture.execute(&call).await.unwrap();
    let effects = effects(&executed);
    let congested = ExecutionError::ExecutionCanceledDueToConsensusObjectCongestion {
        congested_objects: vec![db],
    };
    assert_eq!(
        effects.status,
        ExecutionStatus::Failure {
            error: congested,
            command: None
        }
    );
    assert_eq!(effects.gas_used.computation_cost, 1_000_000);
    assert_eq!(fixture.object(&db).await.version(), before);
    let again = fixture
        .call("register_node_entry", vec![fixture.db()])
        .await;
    support::assert_success(&fixture.execute(&again).await.unwrap());
}

#[tokio::test]
async fn reads_can_lag_and_fail() {
    let (fixture, url) = with_admin().await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    fixture
        .execute(&transfer(alice, gas.clone(), 5, alice))
        .await
        .unwrap();
    fixture
        .network
        .inject_fault(Fault::once(FaultKind::StaleObjects));
    assert_eq!(
        fixture.object(gas.object_id()).await.version(),
        gas.version()
    );
    assert!(fixture.object(gas.object_id()).await.version() > gas.version());
    fixture.network.inject_fault(Fault {
        count: 9,
        ..Fault::once(FaultKind::Unavailable)
    });
    let info = async || {
        let request = proto::GetServiceInfoRequest::default();
        fixture
            .client
            .clone()
            .ledger_client()
            .get_service_info(request)
            .await
    };
    assert_eq!(info().await.unwrap_err().code(), Code::Unavailable);
    let client = reqwest::Client::new();
    client.delete(format!("{url}/faults")).send().await.unwrap();
    assert!(info().await.is_ok());
}

#[tokio::test]
async fn a_restarted_network_continues_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config.clone()).await;
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let transaction = transfer(alice, gas.clone(), 5, alice);
    let first = fixture.execute(&transaction).await.unwrap();
    fixture.network.advance_epoch().unwrap();
    let state = fixture.network.state().unwrap();
    fixture.network.shutdown().await;

    let fixture = Fixture::with(config).await;
    assert_eq!(fixture.network.state().unwrap(), state);
    assert_eq!(fixture.network.epoch(), 1);
    let again = fixture.execute(&transaction).await.unwrap();
    assert_eq!(again.effects, first.effects);
    let mut request = proto::GetObjectRequest::new(gas.object_id());
    request.version = Some(gas.version());
    assert!(
        fixture
            .client
            .clone()
            .ledger_client()
            .get_object(request)
            .await
            .is_ok()
    );
    let gas = fixture.coins(alice).await.remove(0);
    support::assert_success(
        &fixture
            .execute(&transfer(alice, gas, SUI, alice))
            .await
            .unwrap(),
    );
}

#[tokio::test]
async fn timers_make_checkpoints_and_end_epochs() {
    let config = LocalNetConfig {
        checkpoint_ms: 10,
        epoch_ms: Some(60),
        consensus_ms: 5,
        rpc_ms: 1,
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config).await;
    let request = proto::SubscribeCheckpointsRequest::default().with_read_mask(
        FieldMask::from_str("sequence_number,summary.epoch,transactions.digest"),
    );
    let mut client = fixture.client.clone();
    let mut subscription = client.subscription_client();
    let mut stream = subscription
        .subscribe_checkpoints(request)
        .await
        .unwrap()
        .into_inner();
    let alice = fixture.alice.address;
    let gas = fixture.coins(alice).await.remove(0);
    let executed = fixture
        .execute(&transfer(alice, gas, 5, alice))
        .await
        .unwrap();
    support::assert_success(&executed);
    let (mut epoch, mut found, mut last) = (0, false, None);
    while epoch < 2 || !found {
        let frame = stream.message().await.unwrap().unwrap();
        let checkpoint = frame.checkpoint();
        if let Some(last) = last {
            assert_eq!(frame.cursor(), last + 1);
        }
        last = Some(frame.cursor());
        epoch = checkpoint.summary().epoch();
        found |= checkpoint
            .transactions()
            .iter()
            .any(|transaction| transaction.digest() == executed.digest());
    }
}

#[tokio::test]
async fn executions_and_streams_can_be_delayed() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    let delay = |kind| Fault {
        ms: 80,
        ..Fault::once(kind)
    };
    let mut client = fixture.client.clone();
    let mut subscription = client.subscription_client();
    let request = proto::SubscribeTransactionsRequest::default();
    let mut stream = subscription
        .subscribe_transactions(request)
        .await
        .unwrap()
        .into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert!(first.transaction.is_none());

    let begin = Instant::now();
    fixture.network.inject_fault(delay(FaultKind::ExecuteDelay));
    let gas = fixture.coins(alice).await.remove(0);
    let executed = fixture
        .execute(&transfer(alice, gas, 5, alice))
        .await
        .unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(80));
    let frame = stream.message().await.unwrap().unwrap();
    assert_eq!(frame.transaction().digest(), executed.digest());
    stream.message().await.unwrap();

    let begin = Instant::now();
    fixture.network.inject_fault(delay(FaultKind::EventsStall));
    let gas = fixture.coins(alice).await.remove(0);
    let executed = fixture
        .execute(&transfer(alice, gas, 5, alice))
        .await
        .unwrap();
    let frame = stream.message().await.unwrap().unwrap();
    assert_eq!(frame.transaction().digest(), executed.digest());
    assert!(begin.elapsed() >= Duration::from_millis(80));
}

/// As on a real network, a submitted transaction is executed even if its client disconnects.
#[tokio::test]
async fn a_delayed_transaction_is_executed_after_its_client_disconnects() {
    let fixture = Fixture::start().await;
    let call = fixture
        .call("register_node_entry", vec![fixture.db()])
        .await;
    let digest = call.digest();
    fixture
        .network
        .inject_fault(Fault::once(FaultKind::ExecuteDelay));
    let arrived = async {
        while !fixture.network.faults().is_empty() {
            tokio::task::yield_now().await
        }
    };
    tokio::select! {
        executed = fixture.execute(&call) => panic!("{executed:?}"),
        () = arrived => {}
    }
    let executed = async {
        let mut ledger = fixture.client.clone();
        let request = || proto::GetTransactionRequest::new(&digest);
        while ledger
            .ledger_client()
            .get_transaction(request())
            .await
            .is_err()
        {}
    };
    tokio::time::timeout(Duration::from_secs(60), executed)
        .await
        .unwrap();
}

#[tokio::test]
async fn congestion_affects_only_clients_transactions_on_shared_objects() {
    let fixture = Fixture::start().await;
    let alice = fixture.alice.address;
    fixture
        .network
        .inject_fault(Fault::once(FaultKind::Congestion));
    fixture.network.faucet(alice, 5, 0).unwrap();
    let gas = fixture.coins(alice).await.remove(0);
    let without_shared = fixture
        .execute(&transfer(alice, gas, 5, alice))
        .await
        .unwrap();
    support::assert_success(&without_shared);
    let call = fixture
        .call("register_node_entry", vec![fixture.db()])
        .await;
    let cancelled = effects(&fixture.execute(&call).await.unwrap());
    assert_ne!(cancelled.status, ExecutionStatus::Success);
}

#[tokio::test]
async fn a_call_that_asks_for_too_much_is_refused() {
    let (fixture, url) = with_admin().await;
    fixture.node_and_task(0).await;
    let stacks = json!({"task_small_id": 1, "num_compute_units": 1, "price": 1, "count": 10_001});
    let (status, refused) = post(&url, "/stacks", stacks).await;
    assert_eq!(status, 422);
    assert!(refused["error"].as_str().unwrap().contains("--stacks"));
    let (status, refused) = post(&url, "/clock/advance", json!({"ms": u64::MAX})).await;
    assert_eq!(status, 422);
    assert!(refused["error"].as_str().unwrap().contains("9999"));
}

#[tokio::test]
async fn every_refusal_says_why_in_json() {
    let (_fixture, url) = with_admin().await;
    for (path, body, status) in [
        ("/nothing", json!({}), 404),
        ("/state", json!({}), 405),
        ("/faucet", json!({"address": 7}), 422),
        ("/faucet", json!({"adress": "0x1"}), 422),
        ("/nodes/x/disable", json!({}), 400),
    ] {
        let (given, refused) = post(&url, path, body).await;
        assert_eq!(given, status, "{path}: {refused}");
        assert!(refused["error"].as_str().unwrap().len() > 10, "{refused}");
    }
}
