//! A badge that another daemon used with the same key: nothing is signed until the operator has
//! seen to it, and nothing that was on its way is lost.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::process::PATIENCE;
use crate::support::work::proof;
use crate::support::{Answer, NONE, TestWorld, assert_refused};

const CODE: &str = "badge_used_elsewhere";

/// What each node's stacks are there for.
struct Stacks {
    /// Signed and sent when the daemon stopped.
    sent: u64,
    /// Written down, and waiting behind it.
    queued: u64,
    /// Settled by the other daemon.
    others: u64,
    /// Not asked for yet.
    new: u64,
}

async fn buy(world: &TestWorld, node: u64) -> Stacks {
    let stacks = world.buy(world.tasks[0], node, 1_000, 1_000, 4).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    Stacks {
        sent: stacks[0],
        queued: stacks[1],
        others: stacks[2],
        new: stacks[3],
    }
}

async fn settle(world: &TestWorld, stack: u64) -> Answer {
    let body = json!({"stack_small_ids": [stack]});
    world.post("/try_settle_stack_ids", body).await
}

/// That the stack's only entry is queued, unsigned, and says what it waits for.
async fn assert_held(world: &TestWorld, stack: u64) {
    let entry = world
        .until(stack, |entry| entry["waiting_for"] != Value::Null)
        .await;
    assert_eq!(entry["status"], "queued", "{entry}");
    assert_eq!(entry["waiting_for"]["code"], CODE);
    assert_eq!(world.ticket(stack), Value::Null);
}

async fn assert_settled(world: &TestWorld, stack: u64) -> Value {
    let entry = world.until_status(stack, "succeeded").await;
    let ticket = world.ticket(stack);
    assert_eq!(ticket["committed_stack_proof"], proof(stack, 2, 1, 1));
    entry
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_that_somebody_else_used_stops_signing_until_that_is_allowed() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let (one, two) = (buy(&world, 1).await, buy(&world, 2).await);
    world.hold();
    let asked = [&one, &two].map(|of| world.ask_to_settle(&[of.sent, of.queued]));
    for of in [&one, &two] {
        world.until_status(of.sent, "submitted").await;
        world.until_status(of.queued, "queued").await;
    }
    // Of the first node's transaction the bytes get through after all, unseen by the daemon.
    let ports = world.operator.ports().clone();
    let unfinished = ports.journal.unfinished().await.unwrap();
    let mut attempts = unfinished.into_iter().filter_map(|open| open.attempt);
    let first_digest = world.journalled(one.sent).await[0]["tx_digest"].clone();
    let first = attempts
        .find(|attempt| json!(attempt.digest()) == first_digest)
        .unwrap();
    for asked in asked {
        asked.abort();
    }
    world.stop().await;
    world.network.clear_faults();
    ports.chain.execute(&first.transaction).await.unwrap();

    // The other daemon uses both badges: what the second node had sent can't execute any more.
    let mut other = world.beside().await;
    for of in [&one, &two] {
        other.learn(&[of.others]).await;
        other.record(of.others, 2, 100).await;
        other.settle(&[of.others]).await;
    }
    let used = other.journalled(one.others).await[0]["tx_digest"].clone();
    other.stop().await;

    world.go_on().await;
    let compared = async {
        loop {
            let (status, ready) = world.get("/ready").await;
            assert_eq!(status, 503, "{ready}");
            if ready["brakes"]["held"] != Value::Null {
                return ready;
            }
        }
    };
    let ready = timeout(PATIENCE, compared).await.unwrap();
    assert_eq!(ready["brakes"]["held"]["code"], CODE);
    assert_eq!(ready["brakes"]["held"]["details"]["tx_digest"], used);
    assert_eq!(ready["details"]["reasons"].as_array().unwrap().len(), 1);
    assert_eq!(
        assert_settled(&world, one.sent).await["tx_digest"],
        first_digest
    );
    for held in [one.queued, two.sent, two.queued] {
        assert_held(&world, held).await;
    }
    let refused = settle(&world, one.new).await;
    assert_refused(&refused, 503, CODE);
    assert_refused(&settle(&world, two.new).await, 503, CODE);
    assert_refused(&settle(&world, one.queued).await, 503, CODE);
    let subscribe = json!({"task_small_id": 1, "node_small_id": 1});
    assert_refused(&world.post("/task_unsubscribe", subscribe).await, 503, CODE);
    for stack in [one.new, two.new] {
        assert!(world.journalled(stack).await.is_empty());
    }
    // What is held can be given up.
    let id = world.journalled(two.queued).await[0]["transaction_id"].clone();
    let path = format!("/transactions/{id}/abandon");
    let given_up = world.done(&path, json!({})).await;
    assert_eq!(given_up["error"]["code"], "abandoned");

    world.restart_with("allow_foreign_use = true").await;
    for stack in [one.sent, one.queued, two.sent] {
        assert_settled(&world, stack).await;
    }
    world.settle(&[one.new, two.new]).await;
    assert_eq!(world.ticket(two.queued), Value::Null);
    assert_eq!(world.get("/ready").await.0, 200);
    // Used by itself last, it needs no leave any more.
    world.restart_with("allow_foreign_use = false").await;
    assert_eq!(world.get("/ready").await.0, 200);
}

/// While both run, each goes on with what the other leaves it; an operator who looks is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_badge_that_somebody_else_uses_meanwhile_is_told() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    world.settle(&stacks[..1]).await;
    let mut other = world.beside().await;
    other.learn(&stacks).await;
    other.record(stacks[1], 2, 100).await;
    other.settle(&stacks[1..2]).await;
    other.stop().await;
    assert_eq!(world.get("/ready").await.1["warnings"], json!([]));
    world.settle(&stacks[2..]).await;
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    let warning = ready["warnings"][0].as_str().unwrap();
    assert!(warning.contains("was used by somebody else"), "{ready}");
}
