//! A node of another chain behind the Sui node's address.

use atoma_domain::{NodeSmallId, StackSmallId, TaskSmallId};
use atoma_localnet::{LocalNet, LocalNetConfig, Purchase};

use crate::support::process::in_time;
use crate::support::{NONE, TestWorld};
use crate::switch::Switch;

/// The daemon follows nothing there, says why, and misses nothing of its own chain.
#[tokio::test]
async fn another_chain_behind_the_address_is_named_and_moves_nothing() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let other = LocalNet::start(LocalNetConfig {
        seed: 77,
        ..LocalNetConfig::default()
    });
    let other = other.await.unwrap();
    let switch = Switch::to(&world.network.url()).await;
    world.stop().await;
    let file = world.dir.path().join("client.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, yaml.replace(&world.network.url(), &switch.url)).unwrap();
    world.start_again().await;
    assert_eq!(world.get("/ready").await.0, 200);
    let stacks = world.list("/stacks").await;

    switch.set(&other.url());
    let reason = async {
        loop {
            let (status, answer) = world.get("/ready").await;
            let reasons = answer["details"]["reasons"].to_string();
            if status == 503 && reasons.contains(&other.chain_id()) {
                return reasons;
            }
        }
    };
    let reason = in_time(reason).await;
    for part in [&switch.url, &world.network.chain_id()] {
        assert!(reason.contains(part.as_str()), "{part}: {reason}");
    }
    let purchase = Purchase {
        task_small_id: TaskSmallId::new(world.tasks[0]),
        num_compute_units: 1_000,
        price: 1_000,
        count: 1,
        node_small_id: Some(NodeSmallId::new(world.nodes[0])),
    };
    let missed: Vec<StackSmallId> = world.network.buy_stacks(&purchase).unwrap();
    let missed: Vec<u64> = missed.iter().map(|stack| stack.get()).collect();
    // The other chain has the same events at other places.
    for _ in 0..30 {
        other.step().unwrap();
    }
    assert_eq!(world.list("/stacks").await, stacks);

    switch.set(&world.network.url());
    world.wait_for_stacks(&missed).await;
    let ready = async { while world.get("/ready").await.0 != 200 {} };
    in_time(ready).await;
}
