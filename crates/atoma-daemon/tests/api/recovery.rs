//! A start with open attempts: they are resolved before anything new is accepted.

use serde_json::json;

use crate::support::{NONE, TestWorld, assert_refused};

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_served_once_all_earlier_attempts_are_resolved() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record_one(*stack, 0, 100).await;
    }
    let [sent, queued, new] = stacks[..] else {
        unreachable!("three were bought");
    };
    world.hold_submissions();
    let settling = world.spawn_settle(&[sent, queued]);
    world.until_status(sent, "submitted").await;
    world.until_status(queued, "queued").await;
    settling.abort();
    world.restart().await;

    // Reads are served, and readiness says why writes are not.
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 503, "{ready}");
    assert_eq!(
        ready["details"]["reasons"],
        json!(["the daemon is starting"])
    );
    assert_eq!(world.journal_entries(sent).await[0]["status"], "submitted");
    let settle = json!({"stack_small_ids": [new]});
    let refused = world.post("/try_settle_stack_ids", settle.clone()).await;
    assert_refused(&refused, 503, "not_ready");
    // It can't be abandoned while it may still execute.
    let id = &world.journal_entries(sent).await[0]["transaction_id"];
    let path = format!("/transactions/{id}/abandon");
    assert_refused(
        &world.post(&path, json!({})).await,
        409,
        "may_still_execute",
    );
    assert_eq!(world.journal_entries(queued).await[0]["status"], "queued");
    assert!(world.journal_entries(new).await.is_empty());

    world.network.clear_faults();
    world.until_ready().await;
    for stack in [sent, queued] {
        world.until_status(stack, "succeeded").await;
    }
    world.post_ok("/try_settle_stack_ids", settle).await;
}
