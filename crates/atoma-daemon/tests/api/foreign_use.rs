//! A badge that another daemon with the same key has used: nothing is signed until the operator
//! allows it, and nothing in flight is lost.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::process::PATIENCE;
use crate::support::work::proof;
use crate::support::{Answer, NONE, TestWorld, assert_refused};

const CODE: &str = "badge_used_elsewhere";

/// The stacks of a node, by their part in the test.
struct Stacks {
    /// Signed and sent when the daemon stopped.
    sent: u64,
    /// Journalled, and waiting behind it.
    queued: u64,
    /// Settled by the other daemon.
    others: u64,
    /// Not requested yet.
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

/// Checks that the stack's only entry is queued, unsigned, and says what it waits for.
async fn assert_held(world: &TestWorld, stack: u64) {
    let entry = world
        .until_entry(stack, |entry| entry["waiting_for"] != Value::Null)
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
async fn a_badge_used_elsewhere_stops_signing_until_the_operator_allows_it() {
    let mut world = TestWorld::start(&[NONE], 2).await;
    let (one, two) = (buy(&world, 1).await, buy(&world, 2).await);
    world.hold_submissions();
    let settling = [&one, &two].map(|of| world.spawn_settle(&[of.sent, of.queued]));
    for of in [&one, &two] {
        world.until_status(of.sent, "submitted").await;
        world.until_status(of.queued, "queued").await;
    }
    // The first node's transaction is executed after all, after the daemon has stopped.
    let ports = world.operator.ports().clone();
    let unfinished = ports.journal.unfinished().await.unwrap();
    let mut attempts = unfinished.into_iter().filter_map(|open| open.attempt);
    let first_digest = world.journal_entries(one.sent).await[0]["tx_digest"].clone();
    let first = attempts
        .find(|attempt| json!(attempt.digest()) == first_digest)
        .unwrap();
    for settling in settling {
        settling.abort();
    }
    world.stop().await;
    world.network.clear_faults();
    ports.chain.execute(&first.transaction).await.unwrap();

    // The other daemon uses both badges, so the second node's transaction can no longer execute.
    let mut other = world.beside().await;
    for of in [&one, &two] {
        other.wait_for_stacks(&[of.others]).await;
        other.record(of.others, 2, 100).await;
        other.settle(&[of.others]).await;
    }
    let used = other.journal_entries(one.others).await[0]["tx_digest"].clone();
    other.stop().await;

    world.start_again().await;
    let compared = async {
        loop {
            let (status, ready) = world.get("/ready").await;
            assert_eq!(status, 503, "{ready}");
            // On a busy machine the mirror or the node may be another reason for a moment.
            let reasons = ready["details"]["reasons"].as_array().unwrap().len();
            if ready["brakes"]["held"] != Value::Null && reasons == 1 {
                return ready;
            }
        }
    };
    let ready = timeout(PATIENCE, compared).await.unwrap();
    assert_eq!(ready["brakes"]["held"]["code"], CODE);
    assert_eq!(ready["brakes"]["held"]["details"]["tx_digest"], used);
    let advice = ready["error"].as_str().unwrap();
    assert!(advice.contains("`allow_foreign_use = true`"), "{advice}");
    assert!(advice.contains("a newer copy"), "{advice}");
    assert!(!advice.contains("Poll"), "{advice}");
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
        assert!(world.journal_entries(stack).await.is_empty());
    }
    // A held intent can be abandoned.
    let id = world.journal_entries(two.queued).await[0]["transaction_id"].clone();
    let path = format!("/transactions/{id}/abandon");
    let abandoned = world.post_ok(&path, json!({})).await;
    assert_eq!(abandoned["error"]["code"], "abandoned");

    world.restart_with("allow_foreign_use = true").await;
    for stack in [one.sent, one.queued, two.sent] {
        assert_settled(&world, stack).await;
    }
    world.settle(&[one.new, two.new]).await;
    assert_eq!(world.ticket(two.queued), Value::Null);
    assert_eq!(world.get("/ready").await.0, 200);
    // This daemon has used the badges last, so it no longer needs permission.
    world.restart_with("allow_foreign_use = false").await;
    assert_eq!(world.get("/ready").await.0, 200);
}

/// While both run, each continues with whatever the other leaves it, and `GET /ready` warns.
#[tokio::test(flavor = "multi_thread")]
async fn a_badge_used_elsewhere_meanwhile_is_reported() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    world.settle(&stacks[..1]).await;
    let mut other = world.beside().await;
    other.wait_for_stacks(&stacks).await;
    other.record(stacks[1], 2, 100).await;
    other.settle(&stacks[1..2]).await;
    other.stop().await;
    assert_eq!(world.warnings().await, [""; 0]);
    world.settle(&stacks[2..]).await;
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 200, "{ready}");
    let warning = ready["warnings"][0].as_str().unwrap();
    assert!(warning.contains("other software used badge"), "{ready}");
}
