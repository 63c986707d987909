//! The commands that send transactions besides settlements and claims, run as programs.

use serde_json::json;

use crate::command_line::{parsed, run};
use crate::support::work::message;
use crate::support::{NONE, SAMPLING, TestWorld};

/// Runs a command that must succeed, and returns its JSON.
#[track_caller]
fn done(world: &TestWorld, arguments: &[&str]) -> serde_json::Value {
    let output = run(world, &[arguments, &["--yes", "--json"]].concat());
    assert_eq!(output.code, 0, "{arguments:?}: {}", output.stderr);
    parsed(&output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_registered_and_subscribed_until_it_is_unsubscribed() {
    let world = TestWorld::unregistered_with_tasks(&[NONE]).await;
    let task = world.tasks[0].to_string();
    assert_eq!(done(&world, &["register"])["node_small_id"], 1);
    let again = run(&world, &["register", "--yes"]);
    assert_eq!(again.code, 1, "{}", again.stdout);
    assert!(again.stderr.contains("already owns"), "{}", again.stderr);
    assert!(
        again.stderr.contains("Add `--additional`"),
        "{}",
        again.stderr
    );
    let offer = ["subscribe", "--task", &task, "--price"];
    done(&world, &[&offer[..], &["7"]].concat());
    done(&world, &[&offer[..], &["9", "--update"]].concat());
    let offers = world.list("/subscriptions").await;
    assert_eq!(offers[0]["price_per_one_million_compute_units"], 9);
    done(&world, &["unsubscribe", "--task", &task]);
    assert_eq!(world.list("/subscriptions").await[0]["valid"], false);
    let kinds = world.list("/transactions?status=succeeded").await;
    assert_eq!(kinds.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_raised_by_a_command() {
    let world = TestWorld::start(&[SAMPLING], 2).await;
    let stack = world.buy_one(1, 1, 1_000_000, 1_000).await;
    world.record(stack, 2, 5).await;
    let other = json!({
        "stack_small_id": stack,
        "message_hash": message(stack, 77),
        "num_compute_units": 5,
        "node_small_id": 2,
    });
    world.post_ok("/stack_messages", other).await;
    world.draw(stack, &[2]);
    world.settle(&[stack]).await;
    let due = run(&world, &["due", "--node", "2"]).stdout;
    assert!(
        due.starts_with("STACK  TASK  NODE  ATTEST BEFORE EPOCH"),
        "{due}"
    );
    assert!(due.contains("differs"), "{due}");
    assert_eq!(
        parsed(&run(&world, &["due", "--json"]))[0]["stack_small_id"],
        stack
    );
    let disputed = done(&world, &["dispute", &stack.to_string(), "--node", "2"]);
    assert!(disputed["tx_digest"].is_string());
    assert_eq!(world.ticket(stack)["is_in_dispute"], true);
    for (flags, node, path) in [
        (&["disputes"][..], "1", "/against_attestation_disputes"),
        (&["disputes", "--raised"], "2", "/own_attestation_disputes"),
    ] {
        world
            .until_list(path, |disputes| !disputes.is_empty())
            .await;
        let of_node = [flags, &["--node", node]].concat();
        let listed = run(&world, &[&of_node[..], &["--json"]].concat());
        assert_eq!(
            parsed(&listed),
            serde_json::Value::from(world.list(path).await)
        );
        let text = run(&world, &of_node).stdout;
        assert!(text.starts_with("STACK  SETTLED BY  RAISED BY"), "{text}");
        assert!(text.contains("open"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_work_has_an_exit_code_and_can_be_abandoned_behind_it() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(1, 1, 1_000, 1_000, 2).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    world.restart_with("request_timeout_s = 1").await;
    world.hold_submissions();
    for stack in &stacks {
        let pending = run(&world, &["settle", &stack.to_string(), "--yes", "--json"]);
        assert_eq!(pending.code, 5, "{}", pending.stderr);
        assert_eq!(parsed(&pending)["results"][0]["status"], "pending");
    }
    // Nothing was sent yet for the second.
    let behind = world.until_status(stacks[1], "queued").await;
    let id = behind["transaction_id"].to_string();
    let abandoned = done(&world, &["transactions", "abandon", &id]);
    assert_eq!(abandoned["status"], "failed");
    assert_eq!(abandoned["error"]["code"], "abandoned");
}
