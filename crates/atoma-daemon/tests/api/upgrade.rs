//! The contract's package is upgraded while the daemon has a database.

use atoma_domain::Address;

use crate::support::work::{dump, statuses};
use crate::support::{SAMPLING, TestWorld, set_id};

const UNITS: u64 = 1_000_000;
const PRICE: u64 = 1_000;

async fn restart_with(world: &mut TestWorld, package: Address) {
    world.stop().await;
    set_id(world.dir.path(), "package_id", &package.to_string());
    world.start_again().await;
    assert_eq!(world.get("/ready").await.0, 200);
}

/// Buys, serves and settles a stack; what happens on chain reaches the mirror.
async fn settle_one(world: &TestWorld) -> u64 {
    let stack = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(stack, 3, 100).await;
    world.draw(stack, &[2]);
    let answer = world.settle(&[stack]).await;
    assert_eq!(statuses(&answer), ["succeeded"], "{answer}");
    let answer = world.attest(&[stack]).await;
    assert_eq!(statuses(&answer), ["succeeded"], "{answer}");
    let settled = world.settled(stack).await;
    assert_eq!(settled["attestation_status"], "Complete", "{settled}");
    stack
}

/// The same database opens with either version of the package, loses nothing, and goes on.
#[tokio::test]
async fn a_database_outlives_an_upgrade_of_the_package() {
    let mut world = TestWorld::start(&[SAMPLING], 2).await;
    let first = world.network.addresses().package;
    settle_one(&world).await;

    // Work that is recorded before the upgrade is settled after it.
    let waiting = world.buy_one(1, 1, UNITS, PRICE).await;
    world.record(waiting, 2, 100).await;
    let second = world.network.upgrade_package().unwrap();
    // A daemon that does not know of the upgrade goes on.
    settle_one(&world).await;

    let before = dump(&world).await;
    restart_with(&mut world, second).await;
    assert_eq!(dump(&world).await, before);
    world.draw(waiting, &[]);
    let answer = world.settle(&[waiting]).await;
    assert_eq!(statuses(&answer), ["succeeded"], "{answer}");
    let stack = settle_one(&world).await;
    world.network.advance_epoch().unwrap();
    let answer = world.claim(&[stack]).await;
    assert_eq!(statuses(&answer), ["succeeded"], "{answer}");

    // The contract's code does not refuse calls of its old versions.
    restart_with(&mut world, first).await;
    settle_one(&world).await;
}
