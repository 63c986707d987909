//! What the program refuses to start with, and what it reports until it is ready.

use std::path::Path;

use atoma_localnet::{LocalNet, LocalNetConfig};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::process::{Process, in_time, serve};
use crate::support::work::{dump, populated};
use crate::support::{Api, NONE, TestWorld, assert_refused, build, set_id, write_operator_files};
use crate::switch::Switch;

/// Runs the program, which must call the configuration invalid, and returns its standard error.
fn refusal(dir: &Path) -> String {
    let ended = serve(dir).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3));
    String::from_utf8(ended.stderr).unwrap()
}

#[tokio::test]
async fn a_bad_configuration_is_refused_with_the_name_of_the_key() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daemon.toml");
    write_operator_files(&network, dir.path());
    let good = std::fs::read_to_string(&file).unwrap();
    for (line, key) in [
        ("request_timeout_s = 0", "request_timeout_s"),
        ("request_timeout_s = \"long\"", "request_timeout_s"),
        ("colour = \"red\"", "colour"),
    ] {
        std::fs::write(&file, format!("{line}\n{good}")).unwrap();
        let said = refusal(dir.path());
        assert!(said.contains(key), "{line}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        // Colours are for terminals.
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    std::fs::write(&file, good.replace("package_id", "package")).unwrap();
    assert!(refusal(dir.path()).contains("package"));
    std::fs::remove_file(&file).unwrap();
    assert!(refusal(dir.path()).contains("daemon.toml"));
}

// The network must answer while this thread waits for the daemon.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_a_variable_is_shown_how_to_be_written() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    const NAME: &str = "ATOMA__ALLOWED_HOSTS";
    let mut wrong = serve(dir.path());
    wrong.env(NAME, "node.example");
    let ended = wrong.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    let shown = r#"must be a list, but it is a text; write it as ["one","two"]"#;
    assert!(said.contains(NAME) && said.contains(shown), "{said}");
    let mut right = serve(dir.path());
    right.env(NAME, r#"["node.example","other.example"]"#);
    Process::run(right);
}

#[tokio::test]
async fn a_missing_keystore_or_client_configuration_is_refused_with_its_path_and_key() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    std::fs::remove_file(dir.path().join("sui.keystore")).unwrap();
    let said = refusal(dir.path());
    assert!(said.contains("sui.keystore"), "{said}");
    assert!(said.contains("`keystore.File`"), "{said}");
    std::fs::remove_file(dir.path().join("client.yaml")).unwrap();
    let said = refusal(dir.path());
    assert!(said.contains("client.yaml"), "{said}");
    assert!(said.contains("`sui.client_config`"), "{said}");
}

#[tokio::test]
async fn a_keystore_is_never_shown() {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    let keystore = dir.path().join("sui.keystore");
    let key = std::fs::read_to_string(&keystore).unwrap();
    let key = key.trim_matches(&['[', ']', '"'][..]).to_owned();
    // A key that is one letter too short.
    std::fs::write(&keystore, format!("[\"{}\"]", &key[..key.len() - 1])).unwrap();
    let said = refusal(dir.path());
    assert!(!said.contains(&key[..16]), "{said}");
}

#[tokio::test]
async fn a_database_of_another_chain_is_refused() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stack = world.buy_one(1, 1, 1_000, 1_000).await;
    world.restart().await;
    assert_eq!(world.stack(stack).await["num_compute_units"], 1_000);

    let other = LocalNet::start(LocalNetConfig {
        seed: 77,
        ..LocalNetConfig::default()
    })
    .await
    .unwrap();
    assert_ne!(other.chain_id(), world.network.chain_id());
    world.stop().await;
    write_operator_files(&other, world.dir.path());
    let refused = build(world.dir.path(), CancellationToken::new()).await;
    let error = format!("{:#}", refused.unwrap_err());
    assert!(error.contains("chain"), "{error}");

    // It continues with its own chain.
    write_operator_files(&world.network, world.dir.path());
    world.start_again().await;
    assert_eq!(world.stack(stack).await["num_compute_units"], 1_000);
}

/// Ids that don't belong together are refused by the setting's name, and bind the database to nothing.
#[tokio::test]
async fn ids_that_are_not_the_contracts_are_refused_and_bind_nothing() {
    let mut world = TestWorld::unregistered().await;
    world.stop().await;
    let dir = tempfile::tempdir().unwrap();
    let addresses = world.network.addresses();
    let absent = format!("0x{}", "77".repeat(32));
    for (setting, id, part) in [
        ("package_id", absent.clone(), "no version of the package"),
        (
            "package_id",
            addresses.atoma_db.to_string(),
            "no version of the package",
        ),
        ("atoma_db_id", absent, "does not exist"),
        (
            "atoma_db_id",
            String::from("0x8"),
            "not the contract's AtomaDb",
        ),
        (
            "atoma_db_id",
            addresses.package.to_string(),
            "not the contract's AtomaDb",
        ),
    ] {
        write_operator_files(&world.network, dir.path());
        set_id(dir.path(), setting, &id);
        let refused = build(dir.path(), CancellationToken::new()).await;
        let error = format!("{:#}", refused.unwrap_err());
        for part in [setting, part] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    write_operator_files(&world.network, dir.path());
    let stopping = CancellationToken::new();
    let daemon = build(dir.path(), stopping.clone()).await.unwrap();
    let api = Api::new(daemon.addr());
    let running = tokio::spawn(daemon.run_until_stopped());
    assert_eq!(api.get("/ready").await.0, 200);
    stopping.cancel();
    running.await.unwrap().unwrap();
}

/// A supervisor restarts what ends with an error only.
#[tokio::test]
async fn a_start_that_turns_out_to_be_impossible_ends_with_an_error() {
    let world = TestWorld::unregistered().await;
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&world.network, dir.path());
    set_id(dir.path(), "package_id", &format!("0x{}", "77".repeat(32)));
    let switch = Switch::to("http://127.0.0.1:1").await;
    let file = dir.path().join("client.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, yaml.replace(&world.network.url(), &switch.url)).unwrap();
    let daemon = build(dir.path(), CancellationToken::new()).await.unwrap();
    switch.set(&world.network.url());
    let ended = in_time(daemon.run_until_stopped()).await;
    let error = format!("{:#}", ended.unwrap_err());
    assert!(error.contains("package_id"), "{error}");
}

#[tokio::test]
async fn a_restart_changes_nothing_that_is_served() {
    let mut world = populated().await;
    let before = dump(&world).await;
    world.restart().await;
    assert_eq!(dump(&world).await, before);
    // Work continues.
    world.record_one(4, 2, 10).await;
    world.settle(&[4]).await;
}

/// A lost database is rebuilt from the chain, except for the messages.
#[tokio::test]
async fn a_lost_mirror_is_rebuilt_from_the_chain() {
    const FROM_CHAIN: &[&str] = &["/nodes", "/tasks", "/subscriptions", "/claimed_stacks"];
    let mut world = populated().await;
    world.buy_one(1, 1, 1_000, 1_000).await;
    let mut before = Vec::new();
    for path in FROM_CHAIN {
        before.push(world.list(path).await);
    }
    let stacks = world.list("/stacks").await.len();
    world.stop().await;
    std::fs::remove_dir_all(world.dir.path().join("data")).unwrap();
    world.start_again().await;
    let last = world.buy_one(1, 1, 1_000, 1_000).await;
    for (path, before) in FROM_CHAIN.iter().zip(before) {
        assert_eq!(world.list(path).await, before, "{path}");
    }
    assert_eq!(world.list("/stacks").await.len(), stacks + 1);
    world.record(last, 1, 10).await;
    // The journal was in the same directory: what it signed is unknown, so nothing is signed until the
    // operator allows it.
    let body = json!({"stack_small_ids": [last]});
    let refused = world.post("/try_settle_stack_ids", body).await;
    assert_refused(&refused, 503, "badge_used_elsewhere");
    world.restart_with("allow_foreign_use = true").await;
    world.settle(&[last]).await;
    world.restart_with("allow_foreign_use = false").await;
    assert_eq!(world.get("/ready").await.0, 200);
}

/// Health never waits for the chain. Readiness reports when the Sui node is down.
#[tokio::test]
async fn health_and_readiness_differ() {
    let world = TestWorld::start(&[NONE], 1).await;
    assert_eq!(world.get("/health").await.0, 200);
    assert_eq!(world.get("/ready").await.0, 200);
    world.network.clone().shutdown().await;
    assert_eq!(world.get("/health").await.0, 200);
    let (status, body) = world.get("/ready").await;
    assert_eq!((status, &body["code"]), (503, &json!("not_ready")));
    assert!(!body["details"]["reasons"].as_array().unwrap().is_empty());
    // The mirror is still served.
    assert_eq!(world.list("/stacks").await.len(), 1);
}

/// A daemon that starts while the Sui node is down says so, and refuses requests that need the
/// chain.
#[tokio::test]
async fn a_daemon_without_its_chain_is_not_ready() {
    let world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    world.network.clone().shutdown().await;
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&world.network, dir.path());
    let stopping = CancellationToken::new();
    let daemon = build(dir.path(), stopping.clone()).await.unwrap();
    let api = Api::new(daemon.addr());
    let running = tokio::spawn(daemon.run_until_stopped());
    assert_eq!(api.get("/health").await.0, 200);
    assert_eq!(api.get("/ready").await.0, 503);
    for path in [
        "/stacks",
        "/tasks",
        "/claimed_stacks",
        "/attestations_due",
        "/subscriptions",
    ] {
        let (status, body) = api.get(path).await;
        assert_eq!(
            (status, &body["code"]),
            (503, &json!("not_ready")),
            "{path}"
        );
    }
    let ids = json!({"stack_small_ids": [1]});
    for (path, body) in [
        ("/register", json!({})),
        ("/try_settle_stack_ids", ids.clone()),
        ("/submit_stack_settlement_attestations", ids.clone()),
        ("/claim_funds", ids),
    ] {
        let (status, body) = api.post(path, body).await;
        assert_eq!(
            (status, &body["code"]),
            (503, &json!("not_ready")),
            "{path}"
        );
    }
    stopping.cancel();
    running.await.unwrap().unwrap();
}
