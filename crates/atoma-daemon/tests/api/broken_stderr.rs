//! A log that nobody reads any more: the terminal was closed, or the program that collects it has ended.

use serde_json::json;

use crate::support::process::{Process, in_time};
use crate::support::{NONE, TestWorld};

/// Nothing that the daemon does depends on its log.
#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_works_on_when_its_log_breaks() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record_one(*stack, 1, 10).await;
    }
    world.stop().await;
    let mut daemon = Process::start(world.dir.path());
    daemon.break_log();
    for stack in stacks {
        let body = json!({"stack_small_ids": [stack]});
        let settled = in_time(daemon.api.post("/try_settle_stack_ids", body)).await;
        assert_eq!(settled.0, 200, "{}", settled.1);
    }
    assert_eq!(daemon.api.get("/ready").await.0, 200);
    daemon.terminate();
}
