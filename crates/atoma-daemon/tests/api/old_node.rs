//! A Sui node that is days behind the network.

use std::time::Duration;

use atoma_localnet::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::support::process::in_time;
use crate::support::{NONE, TestWorld, answer};

const SETTLE: &str = "/try_settle_stack_ids";

/// The daemon is not ready, signs nothing new, and continues once the node has caught up.
#[tokio::test]
async fn a_node_that_is_days_behind_is_reported_and_nothing_new_is_signed() {
    let world = TestWorld::start(&[NONE], 1).await;
    let stack = world
        .buy_one(world.tasks[0], world.nodes[0], 1_000, 1_000)
        .await;
    world.record_one(stack, 1, 10).await;
    let age = Duration::from_secs(3 * 24 * 3600);
    world.network.inject_fault(Fault {
        ms: u64::try_from(age.as_millis()).unwrap(),
        count: u64::MAX,
        ..Fault::once(FaultKind::OldTip)
    });
    let (status, ready) = world.get("/ready").await;
    assert_eq!(status, 503, "{ready}");
    let reasons = ready["details"]["reasons"].to_string();
    for part in ["lags", "2592", "limit of 300 s", &world.network.url()] {
        assert!(reasons.contains(part), "{part}: {reasons}");
    }
    let body = json!({"stack_small_ids": [stack]});
    let (status, refused) = world.post(SETTLE, body.clone()).await;
    assert_eq!(status, 504, "{refused}");
    let entry = &world.journal_entries(stack).await[0];
    assert_eq!(entry["status"], "queued");
    assert!(entry["waiting_for"].to_string().contains("lags"), "{entry}");
    assert!(world.ticket(stack).is_null());

    world.network.clear_faults();
    assert_eq!(world.get("/ready").await.0, 200);
    let settled = async {
        loop {
            let request = world.api.request(Method::POST, SETTLE);
            let request = request.header("Idempotency-Key", "patient");
            if answer(request.json(&body)).await.0 == 200 {
                return;
            }
        }
    };
    in_time(settled).await;
}
