//! A daemon with several Sui nodes.

use atoma_localnet::{Fault, FaultKind, LocalNet, LocalNetConfig};
use serde_json::json;

use crate::support::process::in_time;
use crate::support::{NONE, TestWorld, configure};

/// Lists these nodes in the world's configuration. The daemon must start again.
fn list_nodes(world: &TestWorld, urls: &[String]) {
    let file = world.dir.path().join("daemon.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let config: toml::Table = text.parse().unwrap();
    let mut sui = config["sui"].as_table().unwrap().clone();
    let nodes = urls.iter().map(|url| {
        let url = ("url".to_owned(), toml::Value::from(url.as_str()));
        toml::Value::Table(toml::Table::from_iter([url]))
    });
    sui.insert("nodes".to_owned(), toml::Value::Array(nodes.collect()));
    let all = toml::Table::from_iter([("sui".to_owned(), toml::Value::Table(sui))]);
    configure(world.dir.path(), &all.to_string());
}

/// The first node dies. The daemon settles by way of the second one, follows the ledger there, and says why.
#[tokio::test]
async fn the_daemon_works_on_when_a_node_dies() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let second = world.network.start_node().await.unwrap();
    world.stop().await;
    list_nodes(&world, &[world.network.url(), second.url()]);
    world.start_again().await;
    let stack = world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1_000)
        .await;
    world.record_one(stack, 1, 10).await;
    world.take_node_down();
    let body = json!({"stack_small_ids": [stack]});
    world.post_ok("/try_settle_stack_ids", body).await;
    assert!(!world.ticket(stack).is_null());
    // The ledger comes from the second node, with what happened after the first one died.
    world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1_000)
        .await;
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    let warning = ready["warnings"][0].as_str().unwrap_or_default();
    for part in [&world.network.url(), "is left aside", "can't be reached"] {
        assert!(warning.contains(part), "{part}: {ready}");
    }
    let request = world.api.request(reqwest::Method::GET, "/metrics");
    let metrics = request.send().await.unwrap().text().await.unwrap();
    let url = world.network.url();
    for line in [
        format!("atoma_sui_node_left_aside{{node=\"{url}\",reason=\"unreachable\"}} 1"),
        format!("atoma_sui_node_in_use{{node=\"{}\"}} 1", second.url()),
    ] {
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

/// A node of another chain comes first in the list. The database tells which chain it is.
#[tokio::test]
async fn a_node_of_another_chain_does_not_keep_the_daemon_from_starting() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let config = LocalNetConfig {
        seed: 77,
        ..LocalNetConfig::default()
    };
    let other = LocalNet::start(config).await.unwrap();
    world.stop().await;
    list_nodes(&world, &[other.url(), world.network.url()]);
    world.start_again().await;
    let ready = async { while world.get("/ready").await.0 != 200 {} };
    in_time(ready).await;
    let (_, ready) = world.get("/ready").await;
    let warning = ready["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains(&other.chain_id()), "{ready}");
    let stack = world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1_000)
        .await;
    world.record_one(stack, 1, 10).await;
    let body = json!({"stack_small_ids": [stack]});
    world.post_ok("/try_settle_stack_ids", body).await;
}

/// Neither node lists the ledger: the mirror is made from whole checkpoints.
#[tokio::test]
async fn a_daemon_whose_nodes_have_no_lists_mirrors_the_ledger() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let second = world.network.start_node().await.unwrap();
    world.stop().await;
    list_nodes(&world, &[world.network.url(), second.url()]);
    let fault = Fault::once(FaultKind::ListsUnserved);
    world.network.inject_fault(fault);
    second.inject_fault(fault);
    std::fs::remove_dir_all(world.dir.path().join("data")).unwrap();
    configure(world.dir.path(), "allow_foreign_use = true");
    world.start_again().await;
    let ready = async { while world.get("/ready").await.0 != 200 {} };
    in_time(ready).await;
    // It is ready before it has read the whole ledger.
    let mirrored = async { while world.list("/tasks").await.len() != 1 {} };
    in_time(mirrored).await;
    world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1_000)
        .await;
}
