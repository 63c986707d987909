//! How transactions are paid: coins split and merged on demand, low balances told.

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
async fn two_lanes_with_one_coin_come_to_have_one_each() {
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
        "one lane waited for the other all the way"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn small_coins_pay_together_and_a_low_balance_is_told() {
    // None of them holds what a registration needs.
    let mut world = TestWorld::unregistered_with_coins(&[], &[3_000_000; 10]).await;
    world.register().await;
    assert!(coins(&world).await.len() < 10);
    let (status, ready) = world.api.get("/ready").await;
    assert_eq!(status, 200);
    let warning = ready["warnings"][0].as_str().unwrap();
    assert!(warning.contains("send SUI"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_balance_is_told_before_anything_is_paid() {
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
        let warnings = world.get("/ready").await.1["warnings"].clone();
        let told = warnings[0].as_str();
        assert_eq!(told.is_some(), hold.is_some(), "{warnings}");
        let hold = hold.unwrap_or_default();
        assert!(told.unwrap_or_default().contains(hold), "{warnings}");
    }
}

/// A budget of the request's own that does not do is found out without signing, let alone paying.
#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_is_too_small_costs_nothing() {
    let world = TestWorld::unregistered().await;
    let before = coins(&world).await;
    // Less than any transaction costs, and less than this one does.
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
    // What the rehearsal says is needed does.
    let needed = world.done("/register?dry_run=true", json!({})).await;
    let enough = json!({"gas_budget": needed["estimated_gas"]});
    world.done("/register?dry_run=true", enough.clone()).await;
    world.done("/register", enough).await;
    assert_ne!(coins(&world).await, before);
}

/// As the operator's wallet does it, beside the daemon: the coins with which the daemon would pay
/// next are made one.
#[tokio::test(flavor = "multi_thread")]
async fn coins_that_were_merged_by_somebody_else_hold_nothing_up() {
    let sizes = [100_000_000_000, 1_000_000_000];
    let mut world = TestWorld::unregistered_with_coins(&[NONE], &sizes).await;
    let node = world.register().await;
    let task = world.tasks[0];
    world.subscribe(node, task, NODE_PRICE).await;
    let settle = async |world: &TestWorld| {
        let stack = world.buy_one(task, node, 1_000, 1_000_000).await;
        world.record(stack, 1, 10).await;
        let request = json!({"stack_small_ids": [stack]});
        world.done("/try_settle_stack_ids", request).await;
    };
    settle(&world).await;
    merge_coins(&world).await;
    settle(&world).await;
    assert_eq!(coins(&world).await.len(), 1);
}

/// Pays with all coins together, of which one is left.
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
