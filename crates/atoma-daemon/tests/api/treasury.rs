//! Claims that the contract's treasury can't pay yet: they wait, and succeed when it has grown.

use serde_json::{Value, json};

use crate::support::journal::summary;
use crate::support::work::statuses;
use crate::support::{Answer, NODE_PRICE, NONE, SAMPLING, TestWorld, assert_refused};

const CODE: &str = "treasury_short";
/// What the stacks of a [`ShortTreasury`] world are worth, in micro-USDC. The treasury can't pay
/// even one large stack.
const LARGE: u64 = 8_000;
const SMALL: u64 = 1_000;
const TREASURY: u64 = 5_120;

/// A world whose treasury holds less than it owes, because an attester's share was more than the
/// purchase had paid in, with claimable stacks of the other node.
struct ShortTreasury {
    world: TestWorld,
    large: [u64; 2],
    small: u64,
}

async fn short_treasury() -> ShortTreasury {
    let mut world = TestWorld::unregistered_with_tasks(&[SAMPLING, NONE]).await;
    world.parameters(json!({"cross_validation_probability_permille": 1000}));
    for _ in 0..2 {
        let node = world.register().await;
        for task in world.tasks.clone() {
            world.subscribe(node, task, NODE_PRICE).await;
        }
    }
    let attested = world.buy_one(1, 1, 1_000_000, 10_000).await;
    let mut stacks = vec![attested];
    for (node, price) in [(1, LARGE), (1, LARGE), (1, SMALL), (2, SMALL)] {
        stacks.push(world.buy_one(2, node, 1_000_000, price).await);
    }
    for stack in &stacks {
        world.record(*stack, 1, 1_000_000).await;
    }
    world.draw(attested, &[2]);
    world.settle(&stacks).await;
    world.attest(&[attested]).await;
    world.network.advance_epoch().unwrap();
    world.claim(&[attested]).await;
    // With this claim the second node also takes its share of the first stack.
    world.claim(&[stacks[4]]).await;
    assert_eq!(treasury(&world), TREASURY);
    ShortTreasury {
        world,
        large: [stacks[1], stacks[2]],
        small: stacks[3],
    }
}

fn treasury(world: &TestWorld) -> u64 {
    let state = world.network.state().unwrap();
    state["fee_treasury"].as_u64().unwrap()
}

/// Buys a stack, whose price goes into the treasury.
async fn grow(world: &TestWorld, price: u64) {
    world.buy_one(2, 1, 1_000_000, price).await;
}

async fn claim(world: &TestWorld, stacks: &[u64]) -> Answer {
    let body = json!({"stack_small_ids": stacks});
    world.post("/claim_funds", body).await
}

/// The journal's entry for a waiting claim. Checks that it matches the `result` of the request.
async fn waiting(world: &TestWorld, stack: u64, result: &Value) -> Value {
    assert_eq!(result["status"], "pending", "{result}");
    assert_eq!(result["error"]["code"], CODE);
    assert_eq!(result["tx_digest"], Value::Null);
    let path = format!("/transactions/{}", result["transaction_id"]);
    let (status, entry) = world.get(&path).await;
    assert_eq!(status, 200, "{entry}");
    assert_eq!(entry["status"], "queued");
    assert_eq!(entry["error"], Value::Null);
    assert_eq!(entry["waiting_for"]["code"], CODE);
    let listed = claims(world, stack).await;
    assert_eq!(listed, [summary(entry.clone())]);
    entry
}

/// Claims stacks one by one. All have to wait for the treasury.
async fn wait_for_the_treasury(world: &TestWorld, stacks: &[u64]) {
    for stack in stacks {
        let answer = claim(world, &[*stack]).await;
        assert_refused(&answer, 422, CODE);
        waiting(world, *stack, &answer.1["results"][0]).await;
    }
}

/// The journal's claims of a stack, newest first.
async fn claims(world: &TestWorld, stack: u64) -> Vec<Value> {
    let mut entries = world.journal_entries(stack).await;
    entries.retain(|entry| entry["kind"] == "claim_stack");
    entries
}

/// Waits until a claim of a stack has succeeded, without requesting it.
async fn until_claimed(world: &TestWorld, stack: u64) {
    let is_made = |entry: &Value| entry["kind"] == "claim_stack" && entry["status"] == "succeeded";
    world
        .until_entries(stack, |entries| entries.iter().any(is_made))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_treasury_pays_what_it_can_and_the_rest_after_it_has_grown() {
    let ShortTreasury {
        world,
        large: [large, _],
        small,
    } = short_treasury().await;
    let before = world.usdc(&world.address());
    let (status, answer) = claim(&world, &[large, small]).await;
    assert_eq!(status, 207, "{answer}");
    assert_eq!(statuses(&answer), ["pending", "succeeded"]);
    let entry = waiting(&world, large, &answer["results"][0]).await;
    assert_eq!(world.usdc(&world.address()) - before, SMALL);
    // This is not an error of the daemon, and nothing else waits for it.
    assert_eq!(world.get("/ready").await.0, 200);

    let again = claim(&world, &[large]).await;
    assert_refused(&again, 422, CODE);
    assert_eq!(again.1["results"][0], answer["results"][0]);
    assert_eq!(claim(&world, &[large]).await, again);
    assert_eq!(waiting(&world, large, &again.1["results"][0]).await, entry);

    grow(&world, LARGE).await;
    until_claimed(&world, large).await;
    assert_eq!(claims(&world, large).await.len(), 1);
    assert_eq!(world.usdc(&world.address()) - before, SMALL + LARGE);
    assert_eq!(treasury(&world), TREASURY - SMALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_that_wait_for_the_treasury_survive_a_restart() {
    let ShortTreasury {
        mut world, large, ..
    } = short_treasury().await;
    wait_for_the_treasury(&world, &large).await;
    let before = world.usdc(&world.address());
    world.restart().await;
    for stack in large {
        let entry = |entries: &[Value]| entries.iter().any(|e| e["waiting_for"]["code"] == CODE);
        world.until_entries(stack, entry).await;
    }
    grow(&world, 2 * LARGE).await;
    for stack in large {
        until_claimed(&world, stack).await;
        assert_eq!(claims(&world, stack).await.len(), 1);
    }
    assert_eq!(world.usdc(&world.address()) - before, 2 * LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_the_treasury_is_abandoned_at_once() {
    let ShortTreasury {
        world,
        large: [unwanted, other],
        ..
    } = short_treasury().await;
    wait_for_the_treasury(&world, &[unwanted, other]).await;
    let before = world.usdc(&world.address());
    let id = claims(&world, unwanted).await[0]["transaction_id"].clone();
    let path = format!("/transactions/{id}/abandon");
    let abandoned = world.post_ok(&path, json!({})).await;
    assert_eq!(abandoned["status"], "failed");
    assert_eq!(abandoned["error"]["code"], "abandoned");
    assert_eq!(abandoned["tx_digest"], Value::Null);
    assert_eq!(abandoned.get("waiting_for"), None);
    let again = world.post(&path, json!({})).await;
    assert_refused(&again, 409, "already_final");

    grow(&world, 2 * LARGE).await;
    until_claimed(&world, other).await;
    assert_eq!(world.usdc(&world.address()) - before, LARGE);
    assert_eq!(claims(&world, unwanted).await, [abandoned]);
    // It can be requested again.
    world.claim(&[unwanted]).await;
    assert_eq!(world.usdc(&world.address()) - before, 2 * LARGE);
    assert_eq!(claims(&world, unwanted).await.len(), 2);
}
