//! The demonstration world and its files, and restarting a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::collections::BTreeSet;

use atoma_localnet::{LocalNet, LocalNetConfig, demo};
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_sdk_types::Input;
use support::{Fixture, TestAccount, assert_success, pure, random};

#[tokio::test]
async fn the_demonstration_world_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = LocalNetConfig {
        data_dir: Some(directory.path().to_owned()),
        seed: 5,
        ..LocalNetConfig::default()
    };
    let network = LocalNet::start(config.clone()).await.unwrap();
    let created = demo::prepare(&network, Some(directory.path())).unwrap();
    assert_eq!(created.operators.len(), 2);
    let levels: Vec<u16> = created
        .tasks
        .iter()
        .map(|task| task.security_level)
        .collect();
    assert_eq!(levels, [0, 1, 2]);
    for node in &created.operators[0].nodes {
        for task in &created.tasks {
            let stacks = created.stacks.iter().filter(|stack| {
                stack.node_small_id == *node && stack.task_small_id == task.task_small_id
            });
            assert!(stacks.count() >= 6);
        }
    }
    let before = network.state().unwrap();
    assert_eq!(before["subscriptions"].as_array().unwrap().len(), 12);
    let chain = network.chain_id();
    network.shutdown().await;

    let network = LocalNet::start(config).await.unwrap();
    assert_eq!(network.chain_id(), chain);
    assert_eq!(network.state().unwrap(), before);
    let again = demo::seed(&network).unwrap();
    assert_eq!(again.stacks, created.stacks);
    assert_eq!(network.state().unwrap(), before);
    network.shutdown().await;
}

#[tokio::test]
async fn an_operators_files_are_complete() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::start().await;
    let demo = demo::prepare(&fixture.network, Some(directory.path())).unwrap();
    let read = |name| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let daemon: toml::Table = read("daemon.toml").parse().unwrap();
    assert_eq!(
        daemon["sui"]["rpc_url"].as_str(),
        Some(fixture.network.url().as_str())
    );
    assert_eq!(
        daemon["sui"]["atoma_db_id"].as_str(),
        Some(fixture.network.addresses().atoma_db.to_string().as_str())
    );
    assert!(read("client.yaml").contains(&demo.operators[0].address.to_string()));
    let keys: Vec<String> = serde_json::from_str(&read("sui.keystore")).unwrap();
    let key = sui_crypto::ed25519::Ed25519PrivateKey::from_base64(&keys[0]).unwrap();
    assert_eq!(key.public_key().derive_address(), demo.operators[0].address);
    assert!(!format!("{demo:?}").contains(&hex::encode(demo.operators[0].key.expose())));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(directory.path().join("sui.keystore")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(daemon["http_addr"].as_str(), Some("127.0.0.1:3000"));
    let elsewhere = "127.0.0.1:4000".parse().unwrap();
    demo.write_operator_files(directory.path(), elsewhere)
        .unwrap();
    let daemon: toml::Table = read("daemon.toml").parse().unwrap();
    assert_eq!(daemon["http_addr"].as_str(), Some("127.0.0.1:4000"));
    let coins = fixture.coins(demo.operators[0].address).await;
    assert_eq!(coins.len(), demo.operators[0].nodes.len() + 2);
}

#[tokio::test]
async fn the_seed_determines_everything() {
    let mut chains = BTreeSet::new();
    for seed in [1, 1, 2] {
        let config = LocalNetConfig {
            seed,
            ..LocalNetConfig::default()
        };
        let network = LocalNet::start(config).await.unwrap();
        let demo = demo::seed(&network).unwrap();
        chains.insert((
            network.chain_id(),
            network.addresses().atoma_db,
            demo.operators[0].address,
            network.state().unwrap()["stacks"].to_string(),
        ));
    }
    assert_eq!(chains.len(), 2);
}

#[tokio::test]
async fn each_sampling_settlement_requests_one_attestation_that_the_treasury_covers() {
    let mut fixture = Fixture::start().await;
    let demo = demo::seed(&fixture.network).unwrap();
    let operator = &demo.operators[0];
    fixture.alice = TestAccount::of(Ed25519PrivateKey::new(*operator.key.expose()));
    let task = demo.tasks[2].task_small_id;
    let stacks: Vec<_> = demo
        .stacks
        .iter()
        .filter(|stack| stack.task_small_id == task && stack.node_small_id == operator.nodes[0])
        .collect();
    // The draw of the first settlement is forced; the others are random.
    fixture
        .network
        .force_attesters(stacks[0].stack_small_id, vec![demo.operators[1].nodes[0]]);
    for stack in &stacks {
        let mut badges = Vec::new();
        for badge in fixture
            .owned(
                operator.address,
                &format!("{}::db::NodeBadge", fixture.network.addresses().package),
            )
            .await
        {
            let object = fixture.object(badge.object_id()).await;
            if object.contents().value()[32..] == operator.nodes[0].get().to_le_bytes() {
                badges.push(badge);
            }
        }
        let inputs = vec![
            fixture.db(),
            Input::ImmutableOrOwned(badges.remove(0)),
            pure(&stack.stack_small_id),
            pure(&stack.num_compute_units),
            pure(&vec![1_u8; 32]),
            pure(&vec![2_u8; 32]),
            random(),
        ];
        let call = fixture.call("try_settle_stack", inputs).await;
        assert_success(&fixture.execute(&call).await.unwrap());
    }
    let state = fixture.network.state().unwrap();
    let tickets = state["tickets"].as_object().unwrap();
    assert_eq!(tickets.len(), stacks.len());
    for ticket in tickets.values() {
        let requested = ticket["requested_attestation_nodes"].as_array().unwrap();
        assert_eq!(requested.len(), 1);
    }
    let first = &tickets[&stacks[0].stack_small_id.to_string()];
    assert_eq!(
        first["requested_attestation_nodes"][0],
        demo.operators[1].nodes[0].get()
    );
    // At most 2,400 permille of each stack's price is paid out.
    let sampled = demo
        .stacks
        .iter()
        .filter(|stack| stack.task_small_id == task);
    let count = u64::try_from(sampled.count()).unwrap();
    assert!(state["fee_treasury"].as_u64().unwrap() > count * 2_400_000);
}
