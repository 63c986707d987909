//! The control calls that use the contract, and the accounts behind them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use atoma_localnet::{LocalNet, LocalNetConfig, NewTask, demo};
use serde_json::{Value, json};
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::SignatureScheme;
use support::{Fixture, TestAccount};

struct Controlled {
    network: LocalNet,
    url: String,
}

impl Controlled {
    async fn start(config: LocalNetConfig) -> Self {
        let network = LocalNet::start(LocalNetConfig {
            admin_addr: Some(([127, 0, 0, 1], 0).into()),
            ..config
        })
        .await
        .unwrap();
        let url = network.admin_url().unwrap();
        Self { network, url }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .json(&body);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// A call that succeeds.
    async fn done(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A call that the contract aborts, or that can't be made.
    async fn refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 422, "{path}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    fn state(&self) -> Value {
        self.network.state().unwrap()
    }

    fn task(&self, is_public: bool) -> u64 {
        let task = NewTask {
            role: 1,
            model_name: None,
            security_level: 0,
            minimum_reputation_score: None,
            is_public,
        };
        self.network.create_task(&task).unwrap().get()
    }
}

#[tokio::test]
async fn a_task_is_whitelisted_deprecated_and_removed() {
    let net = Controlled::start(LocalNetConfig::default()).await;
    let task = net.task(false);
    let node = net.done("/nodes", json!({})).await;
    assert_eq!(node, json!({ "node_small_id": 1 }));
    let subscribed = json!({ "task_small_ids": [task], "price_per_one_million_compute_units": 5 });
    net.refused("/nodes", subscribed.clone()).await;
    let next = net.state()["nodes"].as_object().unwrap().len() + 1;
    let whitelist = json!({ "node_small_ids": [next] });
    net.done(&format!("/tasks/{task}/whitelist"), whitelist)
        .await;
    let node = net.done("/nodes", subscribed).await["node_small_id"].clone();
    let subscription = net.state()["subscriptions"][0].clone();
    assert_eq!(subscription["node_small_id"], node);
    assert_eq!(subscription["price_per_one_million_compute_units"], 5);

    for (task, as_admin) in [(task, false), (net.task(true), true)] {
        let remove = json!({ "as_admin": as_admin });
        net.refused(&format!("/tasks/{task}/remove"), remove.clone())
            .await;
        net.done(&format!("/tasks/{task}/deprecate"), json!({}))
            .await;
        let abort = net
            .refused(&format!("/tasks/{task}/remove"), remove.clone())
            .await;
        assert!(abort.contains("MoveAbort"), "{abort}");
        for _ in 0..8 {
            net.network.advance_epoch().unwrap();
        }
        net.done(&format!("/tasks/{task}/remove"), remove).await;
        assert!(net.state()["tasks"].get(task.to_string()).is_none());
    }
    let unknown = net.refused("/tasks/77/deprecate", json!({})).await;
    assert_eq!(unknown, "the manager has no badge of task 77");
}

#[tokio::test]
async fn models_registration_and_keys_are_switched() {
    let net = Controlled::start(LocalNetConfig::default()).await;
    let model = json!({ "model_name": "meta/llama", "echelon_ids": [1] });
    net.done("/models", model).await;
    for enabled in [false, true] {
        let switch = json!({ "model_name": "meta/llama", "enabled": enabled });
        assert_eq!(net.done("/models/enabled", switch.clone()).await, switch);
        let again = net.post("/models/enabled", switch).await;
        assert!([200, 422].contains(&again.0), "{again:?}");
    }
    let unknown = json!({ "model_name": "none", "enabled": true });
    net.refused("/models/enabled", unknown).await;

    net.done("/registration", json!({ "enabled": false })).await;
    net.refused("/nodes", json!({})).await;
    net.done("/registration", json!({ "enabled": true })).await;
    net.done("/nodes", json!({})).await;

    let rotated = net.done("/key-rotation", json!({})).await;
    let counter = rotated["key_rotation_counter"].as_u64().unwrap();
    let rotated = net.done("/key-rotation", json!({})).await;
    assert_eq!(rotated["key_rotation_counter"], counter + 1);
}

#[tokio::test]
async fn a_node_is_disabled_and_destroyed() {
    let net = Controlled::start(LocalNetConfig::default()).await;
    net.done("/nodes", json!({})).await;
    net.refused("/nodes/1/destroy", json!({})).await;
    net.done("/nodes/1/disable", json!({})).await;
    net.refused("/nodes/1/destroy", json!({})).await;
    for _ in 0..4 {
        net.network.advance_epoch().unwrap();
    }
    net.done("/nodes/1/destroy", json!({})).await;
    assert!(net.state()["nodes"].get("1").is_none());
    let gone = net.refused("/nodes/1/disable", json!({})).await;
    assert_eq!(gone, "node 1 has no badge");
}

#[tokio::test]
async fn stacks_and_nodes_can_belong_to_a_chosen_account() {
    let net = Controlled::start(LocalNetConfig::default()).await;
    let task = net.task(true);
    let owner = TestAccount::new(41);
    let node = json!({
        "owner": owner.address,
        "task_small_ids": [task],
        "price_per_one_million_compute_units": 1_000,
    });
    let purchase = json!({
        "task_small_id": task, "num_compute_units": 10, "price": 1_000, "count": 2,
        "owner": owner.address,
    });
    let unknown = net.refused("/nodes", node.clone()).await;
    assert!(unknown.contains("POST /accounts"), "{unknown}");
    net.refused("/stacks", purchase.clone()).await;

    let stored = owner.key.to_base64();
    let bech32 = owner.key.to_suiprivkey().unwrap();
    for key in [stored, bech32] {
        let added = net.done("/accounts", json!({ "key": key })).await;
        assert_eq!(added, json!({ "address": owner.address }));
    }
    let unusable = net.refused("/accounts", json!({ "key": "secret" })).await;
    assert!(!unusable.contains("secret"), "{unusable}");

    net.done("/nodes", node).await;
    let bought = net.done("/stacks", purchase).await;
    assert_eq!(bought, json!({ "stack_small_ids": [1, 2] }));
    let state = net.state();
    assert_eq!(state["stacks"]["2"]["owner"], owner.address.to_string());
    // Its badge is the account's: the call below is signed with that key.
    net.done("/nodes/1/disable", json!({})).await;
}

/// The accounts' keys, as files of the Sui CLI's format, can be used by any client.
#[tokio::test]
async fn the_keys_of_all_accounts_are_files_in_the_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        ..LocalNetConfig::default()
    };
    let fixture = Fixture::with(config).await;
    let demo = demo::prepare(&fixture.network, Some(directory.path())).unwrap();
    let mut addresses = Vec::new();
    for (name, scheme) in [
        ("manager", SignatureScheme::Secp256r1),
        ("buyer", SignatureScheme::Secp256k1),
        ("operator-1", SignatureScheme::Ed25519),
        ("operator-2", SignatureScheme::Ed25519),
    ] {
        let path = directory.path().join(format!("keys/{name}.keystore"));
        let keys: Vec<String> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let key = SimpleKeypair::from_base64(&keys[0]).unwrap();
        assert_eq!(key.scheme(), scheme, "{name}");
        let address = fixture.network.add_account(&keys[0]).unwrap();
        assert!(!fixture.coins(address).await.is_empty(), "{name}");
        addresses.push(address);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    assert_eq!(addresses[1], fixture.network.buyer());
    assert_eq!(addresses[2], demo.operators[0].address);
    assert_eq!(addresses[3], demo.operators[1].address);
}
