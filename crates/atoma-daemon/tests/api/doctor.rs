//! The command `doctor`: what is wrong is found, with what to do.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig};
use serde_json::Value;
use tokio::time::timeout;

use crate::support::process::{PATIENCE, output, program};
use crate::support::{NONE, TestWorld, configure, set_id, write_operator_files};

/// The findings by their check, and the exit code.
fn examine(world: &TestWorld) -> (BTreeMap<String, Value>, i32) {
    let mut command = program();
    let ended = output(
        command
            .args(["doctor", "--json", "--http-addr"])
            .arg(world.api.addr())
            .arg("--config")
            .arg(world.dir.path().join("daemon.toml")),
    );
    let findings: Value = serde_json::from_str(&ended.stdout).unwrap();
    let findings = findings["findings"].as_array().unwrap().clone();
    let named = |finding: Value| (finding["check"].as_str().unwrap().to_owned(), finding);
    (findings.into_iter().map(named).collect(), ended.code)
}

/// Sets the rights on the world's keystore.
fn set_mode(world: &TestWorld, mode: u32) {
    let keystore = world.dir.path().join("sui.keystore");
    std::fs::set_permissions(&keystore, Permissions::from_mode(mode)).unwrap();
}

/// The checks that are not ok, and their verdicts.
fn wrong(findings: &BTreeMap<String, Value>) -> Vec<(&str, &str)> {
    let verdicts = findings
        .iter()
        .map(|(check, finding)| (check.as_str(), finding["verdict"].as_str().unwrap()));
    verdicts.filter(|(_, verdict)| *verdict != "ok").collect()
}

fn assert_says(findings: &BTreeMap<String, Value>, check: &str, key: &str, text: &str) {
    let said = findings[check][key].as_str().unwrap();
    assert!(said.contains(text), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_daemon_has_no_findings() {
    let world = TestWorld::start(&[NONE], 1).await;
    set_mode(&world, 0o600);
    let (findings, code) = examine(&world);
    assert_eq!((wrong(&findings), code), (vec![], 0), "{findings:#?}");
    assert_eq!(findings.len(), 12);
    assert_says(&findings, "HTTP API", "found", "answers, and is ready");
    assert_says(&findings, "data directory", "found", "a daemon uses it");
    // The daemon goes on: nothing was locked or changed.
    assert_eq!(world.get("/ready").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_without_node_and_gas_is_told_what_to_do() {
    let world = TestWorld::unregistered_with_coins(&[NONE], &[]).await;
    set_mode(&world, 0o600);
    let (findings, code) = examine(&world);
    assert_eq!(wrong(&findings), [("gas", "problem"), ("nodes", "warning")]);
    assert_eq!(code, 1);
    assert_says(&findings, "gas", "advice", "Send SUI to 0x");
    assert_says(&findings, "nodes", "advice", "atoma-daemon register");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_is_named() {
    let world = TestWorld::start(&[NONE], 1).await;
    set_mode(&world, 0o600);
    world.take_node_down();
    let (findings, code) = examine(&world);
    // The daemon doesn't reach it either.
    assert_eq!(
        wrong(&findings),
        [("HTTP API", "problem"), ("Sui node", "problem")]
    );
    assert_eq!(code, 1);
    assert_says(&findings, "Sui node", "advice", "sui.rpc_url");
}

/// A configuration that was changed to another network, with the old database.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_chain_is_found() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    let other = LocalNet::start(LocalNetConfig {
        seed: 77,
        ..LocalNetConfig::default()
    });
    let other = other.await.unwrap();
    write_operator_files(&other, world.dir.path());
    let (findings, code) = examine(&world);
    assert_eq!(findings["contract"]["verdict"], "problem", "{findings:#?}");
    assert_says(&findings, "contract", "found", "the database mirrors chain");
    assert_eq!(code, 1);
}

/// What can't be looked at is not missing, and tells nothing about what the mirror needs.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_looked_at_is_not_taken_for_missing() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    set_mode(&world, 0o600);
    let dir = world.dir.path().join("data");
    // A link to itself can't be followed, not even by the superuser.
    let database = dir.join("atoma.sqlite");
    std::fs::remove_file(&database).unwrap();
    symlink(&database, &database).unwrap();
    let (findings, code) = examine(&world);
    assert_eq!(
        wrong(&findings),
        [
            ("HTTP API", "skipped"),
            ("database", "problem"),
            ("history", "skipped")
        ],
        "{findings:#?}"
    );
    assert_eq!(code, 1);
    assert_says(&findings, "database", "found", "can't look at");
    std::fs::remove_dir_all(&dir).unwrap();
    symlink(&dir, &dir).unwrap();
    let (findings, _) = examine(&world);
    for (check, verdict, text) in [
        ("data directory", "problem", "can't look at"),
        ("database", "problem", "can't look at"),
        ("disk", "skipped", "can't be read"),
        ("history", "skipped", "not known"),
        ("HTTP API", "skipped", "not known"),
    ] {
        assert_eq!(findings[check]["verdict"], verdict, "{findings:#?}");
        assert_says(&findings, check, "found", text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ids_exposed_files_and_damage_are_found() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    let wrong_id = format!("0x{}", "9".repeat(64));
    set_id(world.dir.path(), "atoma_db_id", &wrong_id);
    set_mode(&world, 0o644);
    let database = world.dir.path().join("data").join("atoma.sqlite");
    let mut content = std::fs::read(&database).unwrap();
    let half = content.len() / 2;
    content[half..half + 16_384].fill(0xee);
    std::fs::write(&database, content).unwrap();
    let (findings, code) = examine(&world);
    assert_eq!(code, 1);
    for (check, verdict, key, text) in [
        ("contract", "problem", "advice", "sui.atoma_db_id"),
        ("files", "warning", "found", "chmod o-rwx"),
        ("database", "problem", "found", "damaged"),
        ("HTTP API", "skipped", "found", "no daemon"),
    ] {
        assert_eq!(findings[check]["verdict"], verdict, "{findings:#?}");
        assert_says(&findings, check, key, text);
    }
}

/// Two nodes: what is wrong with one of them is said with its address, and the daemon works all the same.
#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_nodes_is_examined() {
    let world = TestWorld::start(&[NONE], 1).await;
    set_mode(&world, 0o600);
    let second = world.network.start_node().await.unwrap();
    let url = second.url();
    add_configuration(
        &world,
        &format!("[[sui.nodes]]\nurl = \"{}\"\n", world.network.url()),
    );
    add_configuration(&world, &format!("[[sui.nodes]]\nurl = \"{url}\"\n"));
    let (_, code) = examine(&world);
    assert_eq!(code, 0);
    second.inject_fault(Fault::once(FaultKind::ListsUnserved));
    // The second is examined last, so it is the one that is kept here.
    let (findings, code) = examine(&world);
    assert_eq!(
        (wrong(&findings), code),
        (vec![("list calls", "warning")], 0)
    );
    assert_says(&findings, "list calls", "found", &url);
    assert_says(&findings, "list calls", "found", "whole checkpoints");
    second.stop();
    let (findings, code) = examine(&world);
    assert_eq!((wrong(&findings), code), (vec![("Sui node", "warning")], 0));
    assert_says(&findings, "Sui node", "found", &url);
}

fn add_configuration(world: &TestWorld, text: &str) {
    let file = world.dir.path().join("daemon.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, before + text).unwrap();
}

/// A second daemon with the key of another one, before and after its first start.
#[tokio::test(flavor = "multi_thread")]
async fn badges_that_others_used_and_stopped_writes_are_found() {
    let first = TestWorld::start(&[NONE], 1).await;
    let mut second = first.beside().await;
    second.stop().await;
    set_mode(&second, 0o600);
    configure(second.dir.path(), "allow_foreign_use = false");
    std::fs::remove_dir_all(second.dir.path().join("data")).unwrap();
    let (findings, code) = examine(&second);
    assert_eq!(
        wrong(&findings),
        [("HTTP API", "skipped"), ("nodes", "problem")],
        "{findings:#?}"
    );
    assert_eq!(code, 1);
    assert_says(&findings, "nodes", "advice", "allow_foreign_use");
    second.start_again().await;
    let stopped = async { while second.get("/ready").await.1["brakes"]["held"].is_null() {} };
    timeout(PATIENCE, stopped).await.unwrap();
    let (findings, code) = examine(&second);
    assert_eq!(
        wrong(&findings),
        [("HTTP API", "problem"), ("nodes", "problem")],
        "{findings:#?}"
    );
    assert_eq!(code, 1);
    assert_says(&findings, "HTTP API", "found", "used the badge of node 1");
}

/// The daemon's tokens are used to ask whether it is ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_with_tokens_is_asked_with_one() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    set_mode(&world, 0o600);
    let token = world.dir.path().join("token");
    std::fs::write(&token, "a-secret-of-sixteen-bytes").unwrap();
    std::fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
    let tokens = "[[tokens]]\nname = \"watch\"\nscope = \"read\"\nfile = \"token\"";
    configure(world.dir.path(), tokens);
    world.start_again().await;
    let (findings, code) = examine(&world);
    assert_eq!((wrong(&findings), code), (vec![], 0), "{findings:#?}");
    assert_says(&findings, "HTTP API", "found", "answers, and is ready");
}

/// A local network that was begun anew, with the database of the old one.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_far_behind_the_mirror_is_found() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    for _ in 0..150 {
        world.network.step().unwrap();
    }
    world.buy_one(1, 1, 1_000, 1_000).await;
    world.stop().await;
    let anew = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    write_operator_files(&anew, world.dir.path());
    let (findings, code) = examine(&world);
    assert_eq!(findings["history"]["verdict"], "problem", "{findings:#?}");
    assert_says(&findings, "history", "found", "and the node only at");
    assert_eq!(code, 1);
}
