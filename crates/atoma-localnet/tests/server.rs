//! What clients of other makers find around the gRPC services: reflection, health, calls from web
//! pages, headers, TLS and the faucet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig, TlsConfig, demo};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_rpc::proto::sui::rpc::v2::ledger_service_client::LedgerServiceClient;
use sui_sdk_types::Address;
use support::{Fixture, SUI};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::{v1, v1alpha};

async fn channel(network: &LocalNet) -> Channel {
    let endpoint = Endpoint::new(network.url()).unwrap();
    endpoint.connect().await.unwrap()
}

/// A grpc-web call without fields, as browsers make it.
async fn grpc_web(network: &LocalNet, method: &str) -> reqwest::Response {
    reqwest::Client::new()
        .post(format!("{}/{method}", network.url()))
        .header("content-type", "application/grpc-web+proto")
        .header("origin", "https://wallet.example")
        .body(vec![0_u8; 5])
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn reflection_lists_the_services_and_describes_them() {
    use v1::server_reflection_client::ServerReflectionClient;
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;

    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let mut client = ServerReflectionClient::new(channel(&network).await);
    let ask = |message| v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    };
    let requests = vec![
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "sui.rpc.v2.LedgerService.GetObject".to_owned(),
        )),
        ask(MessageRequest::FileByFilename(
            "google/protobuf/field_mask.proto".to_owned(),
        )),
    ];
    let mut answers = client
        .server_reflection_info(futures::stream::iter(requests))
        .await
        .unwrap()
        .into_inner();
    let listed = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = listed.message_response else {
        panic!("{listed:?}");
    };
    let names: Vec<&str> = listed.service.iter().map(|s| s.name.as_str()).collect();
    for name in [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "sui.rpc.v2.LedgerService",
        "sui.rpc.v2.MovePackageService",
        "sui.rpc.v2.StateService",
        "sui.rpc.v2.SubscriptionService",
        "sui.rpc.v2.TransactionExecutionService",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(!names.contains(&"sui.rpc.v2.NameService"));
    for _ in 0..2 {
        let file = answers.message().await.unwrap().unwrap();
        let Some(MessageResponse::FileDescriptorResponse(file)) = file.message_response else {
            panic!("{file:?}");
        };
        assert!(!file.file_descriptor_proto.is_empty());
    }
}

#[tokio::test]
async fn reflection_also_speaks_its_older_version() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;

    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let mut client = ServerReflectionClient::new(channel(&network).await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let listed = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = listed.message_response else {
        panic!("{listed:?}");
    };
    let names: Vec<&str> = listed.service.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&"sui.rpc.v2.LedgerService"), "{names:?}");
}

#[tokio::test]
async fn health_is_served_over_grpc_and_http() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let mut client = HealthClient::new(channel(&network).await);
    for service in ["", "sui.rpc.v2.LedgerService", "sui.rpc.v2.StateService"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let health = async |query: &str| {
        let url = format!("{}/health{query}", network.url());
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(health("").await, (200, "up".to_owned()));
    assert_eq!(health("?threshold_seconds=60").await.0, 200);
    let old = Fault {
        ms: 120_000,
        count: 2,
        ..Fault::once(FaultKind::OldTip)
    };
    network.inject_fault(old);
    let down = (503, "down".to_owned());
    assert_eq!(health("?threshold_seconds=60").await, down);
    // Without a threshold its age does not matter.
    assert_eq!(health("").await, (200, "up".to_owned()));
}

/// The headers by which clients learn about the node, in every answer.
const HEADERS: [&str; 8] = [
    "x-sui-chain",
    "x-sui-chain-id",
    "x-sui-checkpoint-height",
    "x-sui-epoch",
    "x-sui-lowest-available-checkpoint",
    "x-sui-lowest-available-checkpoint-objects",
    "x-sui-timestamp",
    "x-sui-timestamp-ms",
];

#[track_caller]
fn assert_described(headers: &HeaderMap, chain_id: &str) {
    for name in HEADERS {
        assert!(headers.contains_key(name), "{name} is missing: {headers:?}");
    }
    assert_eq!(headers["x-sui-chain"], "localnet");
    assert_eq!(headers["x-sui-chain-id"], chain_id);
    let time = headers["x-sui-timestamp"].to_str().unwrap();
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
}

#[tokio::test]
async fn every_answer_describes_the_node() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    network.advance_epoch().unwrap();
    let chain_id = network.chain_id();
    let answered = grpc_web(&network, "sui.rpc.v2.LedgerService/GetServiceInfo").await;
    assert_described(answered.headers(), &chain_id);
    assert_eq!(answered.headers()["x-sui-epoch"], "1");
    // Errors, methods and services that do not exist, and plain HTTP.
    for method in [
        "sui.rpc.v2.LedgerService/GetObject",
        "sui.rpc.v2.LedgerService/NoSuchMethod",
        "sui.rpc.v2.NameService/LookupName",
    ] {
        let answered = grpc_web(&network, method).await;
        assert_eq!(answered.status(), 200, "{method}");
        assert_described(answered.headers(), &chain_id);
    }
    let health = format!("{}/health", network.url());
    assert_described(reqwest::get(health).await.unwrap().headers(), &chain_id);
}

#[tokio::test]
async fn pages_of_any_origin_may_call_the_network() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    for path in [
        "sui.rpc.v2.LedgerService/GetServiceInfo",
        "sui.rpc.v2.SubscriptionService/SubscribeCheckpoints",
        "v2/gas",
    ] {
        let preflight = reqwest::Client::new()
            .request(Method::OPTIONS, format!("{}/{path}", network.url()))
            .header("origin", "https://wallet.example")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "content-type,x-grpc-web,grpc-timeout",
            )
            .header("access-control-request-private-network", "true")
            .send()
            .await
            .unwrap();
        assert_eq!(preflight.status(), 200, "{path}");
        let headers = preflight.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["access-control-allow-headers"], "*");
        assert_eq!(headers["access-control-allow-methods"], "GET,POST");
        assert_eq!(headers["access-control-allow-private-network"], "true");
    }
    // A page can read status and headers of an error that comes in the headers alone.
    let answered = grpc_web(&network, "sui.rpc.v2.LedgerService/GetObject").await;
    let headers = answered.headers();
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-expose-headers"], "*");
}

/// The control calls can spend the network's keys, so web pages have no access.
#[tokio::test]
async fn pages_may_not_use_the_control_calls() {
    let config = LocalNetConfig {
        admin_addr: Some(([127, 0, 0, 1], 0).into()),
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config).await.unwrap();
    let url = format!("{}/state", network.admin_url().unwrap());
    let request = reqwest::Client::new()
        .get(url)
        .header("origin", "https://page.example");
    let answered = request.send().await.unwrap();
    assert_eq!(answered.headers().get("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_control_calls_listen_beyond_loopback_only_when_told_so() {
    let config = |admin_beyond_loopback| LocalNetConfig {
        admin_addr: Some(([0, 0, 0, 0], 0).into()),
        admin_beyond_loopback,
        ..LocalNetConfig::default()
    };
    let refused = LocalNet::start(config(false)).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("--admin-beyond-loopback"), "{refused}");
    let network = LocalNet::start(config(true)).await.unwrap();
    let url = network.admin_url().unwrap().replace("0.0.0.0", "127.0.0.1");
    let state = reqwest::get(format!("{url}/state")).await.unwrap();
    assert_eq!(state.status(), 200);
}

#[tokio::test]
async fn the_faucet_answers_as_sdks_expect() {
    let config = LocalNetConfig {
        faucet_addr: Some(([127, 0, 0, 1], 0).into()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config).await;
    assert_ne!(fixture.network.faucet_url(), fixture.network.url());
    for (byte, url) in [
        (8, fixture.network.url()),
        (9, fixture.network.faucet_url()),
    ] {
        let recipient = Address::new([byte; 32]);
        let response = reqwest::Client::new()
            .post(format!("{url}/v2/gas"))
            .json(&json!({ "FixedAmountRequest": { "recipient": recipient } }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["status"], "Success");
        let coins = fixture.coins(recipient).await;
        let sent = json!([{
            "amount": 200 * SUI,
            "id": coins[0].object_id(),
            "transferTxDigest": answer["coins_sent"][0]["transferTxDigest"],
        }]);
        assert_eq!(answer["coins_sent"], sent);
        let digest = answer["coins_sent"][0]["transferTxDigest"]
            .as_str()
            .unwrap();
        let request = proto::GetTransactionRequest::new(&digest.parse().unwrap());
        let mut client = fixture.client.clone();
        client
            .ledger_client()
            .get_transaction(request)
            .await
            .unwrap();
    }
    let refused = reqwest::Client::new()
        .post(format!("{}/v2/gas", fixture.network.url()))
        .json(&json!({ "FixedAmountRequest": { "recipient": "nobody" } }))
        .send()
        .await
        .unwrap();
    assert!(refused.status().is_client_error());
}

/// A client that trusts the network's authority, and nobody else.
async fn trusting(network: &LocalNet, name: &str) -> Result<Channel, tonic::transport::Error> {
    let authority = Certificate::from_pem(network.ca_certificate().unwrap());
    let tls = ClientTlsConfig::new()
        .ca_certificate(authority)
        .domain_name(name);
    let endpoint = Endpoint::new(network.url()).unwrap();
    endpoint.tls_config(tls).unwrap().connect().await
}

#[tokio::test]
async fn tls_uses_a_certificate_that_the_network_made_and_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let config = |names: &[&str]| LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        tls: Some(TlsConfig {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }),
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config(&["localnet.test"])).await.unwrap();
    assert!(network.url().starts_with("https://"));
    let authority = network.ca_certificate().unwrap().to_owned();
    let file = std::fs::read_to_string(network.ca_file().unwrap()).unwrap();
    assert_eq!(file, authority);
    for name in ["127.0.0.1", "localhost", "localnet.test"] {
        let mut client = LedgerServiceClient::new(trusting(&network, name).await.unwrap());
        let request = proto::GetServiceInfoRequest::default();
        client.get_service_info(request).await.unwrap();
    }
    assert!(trusting(&network, "elsewhere.test").await.is_err());
    // Without trust, nobody connects; and plain HTTP is refused.
    let stranger = Endpoint::new(network.url()).unwrap();
    let stranger = stranger.tls_config(ClientTlsConfig::new()).unwrap();
    assert!(stranger.connect().await.is_err());
    let plain = network.url().replace("https://", "http://");
    assert!(reqwest::get(format!("{plain}/health")).await.is_err());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::metadata(directory.path().join("tls/server.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    network.shutdown().await;

    let network = LocalNet::start(config(&["localnet.test"])).await.unwrap();
    assert_eq!(network.ca_certificate().unwrap(), authority);
    network.shutdown().await;
    let network = LocalNet::start(config(&["other.test"])).await.unwrap();
    trusting(&network, "other.test").await.unwrap();
    assert!(trusting(&network, "localnet.test").await.is_err());
}

#[tokio::test]
async fn a_daemon_learns_from_its_file_whom_to_trust() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        tls: Some(TlsConfig::default()),
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config).await.unwrap();
    demo::prepare(&network, Some(directory.path())).unwrap();
    let file = std::fs::read_to_string(directory.path().join("daemon.toml")).unwrap();
    let file: toml::Table = file.parse().unwrap();
    assert_eq!(file["sui"]["ca_file"].as_str(), Some("tls/ca.crt"));
    assert_eq!(file["sui"]["rpc_url"].as_str(), Some(&*network.url()));
}

/// Streams without an end, such as those of `grpc.health.v1` and of reflection, must not.
#[tokio::test]
async fn open_streams_do_not_keep_a_network_from_stopping() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let mut client = HealthClient::new(channel(&network).await);
    let request = HealthCheckRequest::default();
    let mut watched = client.watch(request).await.unwrap().into_inner();
    assert!(watched.message().await.unwrap().is_some());
    network.shutdown().await;
    assert!(!matches!(watched.message().await, Ok(Some(_))));
}

#[tokio::test]
async fn the_ready_file_says_where_everything_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ready.json");
    std::fs::write(&path, "of a previous run").unwrap();
    atoma_localnet::clear_ready_file(&path).unwrap();
    assert!(!path.exists());
    atoma_localnet::clear_ready_file(&path).unwrap();

    let config = LocalNetConfig {
        data_dir: Some(directory.path().join("data")),
        admin_addr: Some(([127, 0, 0, 1], 0).into()),
        tls: Some(TlsConfig::default()),
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config).await.unwrap();
    network.write_ready_file(&path).unwrap();
    let ready: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let addresses = network.addresses();
    assert_eq!(ready["url"], network.url());
    assert_eq!(ready["admin_url"], network.admin_url().unwrap());
    assert_eq!(ready["faucet_url"], network.faucet_url());
    assert_eq!(ready["chain_id"], network.chain_id());
    assert_eq!(ready["package_id"], addresses.package.to_string());
    assert_eq!(ready["atoma_db_id"], addresses.atoma_db.to_string());
    assert_eq!(ready["usdc_type"], addresses.usdc().to_string());
    let authority = std::fs::read_to_string(ready["ca_file"].as_str().unwrap()).unwrap();
    assert_eq!(Some(&*authority), network.ca_certificate());
}
