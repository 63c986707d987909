//! Gas: coins are split and merged on demand, low balances are reported.

use atoma_domain::Mist;
use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{ExecutionOutcome, TransactionPlan};
use serde_json::json;

use crate::support::{NODE_PRICE, NONE, TestWorld, assert_refused};

async fn coins(world: &TestWorld) -> Vec<Mist> {
    let ports = world.operator.ports();
    let coins = ports.chain.gas_coins(ports.signer.address()).await.unwrap();
    coins.into_iter().map(|coin| coin.balance).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lanes_with_one_coin_split_it() {
    let mut world = TestWorld::unregistered_with_coins(&[NONE], &[100_000_000_000]).await;
    for _ in 0..2 {
        world.register().await;
    }
    let (task, nodes) = (world.tasks[0], world.nodes.clone());
    let mut stacks = Vec::new();
    for node in &nodes {
        world.subscribe(*node, task, NODE_PRICE).await;
        stacks.extend(world.buy(task, *node, 1_000, 1_000_000, 20).await);
    }
    for stack in &stacks {
        world.record(*stack, 1, 10).await;
    }
    let request = json!({"stack_small_ids": stacks});
    let (status, answer) = world.api.post("/try_settle_stack_ids", request).await;
    assert_eq!(status, 200, "{answer}");
    assert!(
        coins(&world).await.len() >= 2,
        "one lane waited for the other the whole time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn small_coins_pay_together_and_a_low_balance_is_reported() {
    // None of them alone pays for a registration.
    let mut world = TestWorld::unregistered_with_coins(&[], &[3_000_000; 10]).await;
    world.register().await;
    assert!(coins(&world).await.len() < 10);
    let (status, ready) = world.api.get("/ready").await;
    assert_eq!(status, 200);
    let warning = ready["warnings"][0].as_str().unwrap();
    assert!(warning.contains("send SUI"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_balance_is_reported_before_anything_is_paid() {
    let mut world = TestWorld::unregistered_with_coins(&[], &[]).await;
    let owner = world.operator.ports().signer.address();
    for (sent, hold) in [
        (0, Some("hold 0 MIST")),
        (3_000_000, Some("hold 3000000 MIST")),
        (10_000_000_000, None),
    ] {
        if sent > 0 {
            world.network.faucet_coins(owner, &[sent]).unwrap();
            world.restart().await;
        }
        let warnings = world.warnings().await;
        assert_eq!(!warnings.is_empty(), hold.is_some(), "{warnings:?}");
        let hold = hold.unwrap_or_default();
        assert!(warnings.concat().contains(hold), "{warnings:?}");
    }
}

/// A request's own budget that is too small is refused before anything is signed or paid.
#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_too_small_costs_nothing() {
    let world = TestWorld::unregistered().await;
    let before = coins(&world).await;
    // One is less than any transaction costs, the other less than this one.
    for budget in [1, 1_100_000] {
        let body = json!({"gas_budget": budget});
        let rehearsed = world.post("/register?dry_run=true", body.clone()).await;
        assert_refused(&rehearsed, 422, "gas_budget_too_low");
        let refused = world.post("/register", body).await;
        assert_refused(&refused, 422, "gas_budget_too_low");
        assert_eq!(refused.1["details"]["gas_budget"], budget);
    }
    assert_eq!(coins(&world).await, before);
    for transaction in world.list("/transactions").await {
        assert_eq!(transaction["status"], "failed", "{transaction}");
        assert_eq!(transaction["tx_digest"], json!(null), "{transaction}");
    }
    // The dry run's estimate is enough.
    let needed = world.post_ok("/register?dry_run=true", json!({})).await;
    let enough = json!({"gas_budget": needed["estimated_gas"]});
    world
        .post_ok("/register?dry_run=true", enough.clone())
        .await;
    world.post_ok("/register", enough).await;
    assert_ne!(coins(&world).await, before);
}

/// The operator's wallet merges the coins that the daemon would pay with next.
#[tokio::test(flavor = "multi_thread")]
async fn coins_merged_elsewhere_block_nothing() {
    let sizes = [100_000_000_000, 1_000_000_000];
    let mut world = TestWorld::unregistered_with_coins(&[NONE], &sizes).await;
    let node = world.register().await;
    let task = world.tasks[0];
    world.subscribe(node, task, NODE_PRICE).await;
    let settle = async |world: &TestWorld| {
        let stack = world.buy_one(task, node, 1_000, 1_000_000).await;
        world.record(stack, 1, 10).await;
        let request = json!({"stack_small_ids": [stack]});
        world.post_ok("/try_settle_stack_ids", request).await;
    };
    settle(&world).await;
    merge_coins(&world).await;
    settle(&world).await;
    assert_eq!(coins(&world).await.len(), 1);
}

/// Pays with all coins at once, which merges them into one.
async fn merge_coins(world: &TestWorld) {
    let ports = world.operator.ports();
    let owner = ports.signer.address();
    let coins = ports.chain.gas_coins(owner).await.unwrap();
    let epoch = ports.chain.epoch().await.unwrap();
    let plan = TransactionPlan {
        sender: owner,
        badge: None,
        calls: vec![ContractCall::RegisterNode],
        gas: coins.into_iter().map(|coin| coin.reference).collect(),
        split: Vec::new(),
        gas_price: epoch.reference_gas_price,
        gas_budget: Mist::new(100_000_000),
        expires_after: epoch.epoch,
    };
    let unsigned = ports.chain.build(&plan).unwrap();
    let signed = ports.signer.sign(unsigned).await.unwrap();
    let executed = ports.chain.execute(&signed).await.unwrap();
    assert_eq!(executed.outcome, ExecutionOutcome::Success);
}
