//! Alarms: from a dispute to a receiver's webhook, and back by an acknowledgement.

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::command_line::{parsed, run};
use crate::support::canned::{Canned, reply};
use crate::support::process::in_time;
use crate::support::work::message;
use crate::support::{SAMPLING, TestWorld, assert_refused, build, configure, write_operator_files};

/// What a receiver of alarms is told.
struct Ops {
    _server: Canned,
    told: UnboundedReceiver<Value>,
}

impl Ops {
    async fn next(&mut self) -> Value {
        in_time(self.told.recv()).await.unwrap()
    }
}

/// A receiver that refuses this many messages, in the configuration of the world's daemon.
async fn ops(world: &mut TestWorld, refuses: usize) -> Ops {
    let (sender, told) = unbounded_channel();
    let server = Canned::start(move |request, before| {
        let _ = sender.send(serde_json::from_slice(&request.body).unwrap());
        reply(if before < refuses { 503 } else { 200 }, "")
    });
    let dir = world.dir.path();
    std::fs::write(dir.join("ops.url"), format!("{}/hook\n", server.url())).unwrap();
    world.stop().await;
    let receiver =
        "[[alarms.receivers]]\nname = \"ops\"\nformat = \"json\"\nurl.file = \"ops.url\"";
    configure(world.dir.path(), receiver);
    world.start_again().await;
    Ops {
        _server: server,
        told,
    }
}

/// A world with a dispute against its first node.
async fn disputed() -> (TestWorld, u64) {
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
    let path = "/submit_stack_settlement_attestations";
    let attest = json!({"stack_small_ids": [stack], "allow_dispute": true});
    world.post_ok(path, attest).await;
    (world, stack)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_told_listed_and_acknowledged() {
    let (mut world, stack) = disputed().await;
    let mut ops = ops(&mut world, 0).await;
    in_time(world.operator.look_for_alarms()).await.unwrap();
    let first = ops.next().await;
    assert_eq!(first["event"], "fired");
    assert_eq!(first["source"], world.address());
    assert_eq!(first["alarm"]["kind"], "dispute_against_us");
    assert_eq!(first["alarm"]["subject"], format!("stack {stack}"));

    let alarms = world.list("/alarms?state=firing").await;
    let disputes: Vec<_> = alarms
        .iter()
        .filter(|alarm| alarm["kind"] == "dispute_against_us")
        .collect();
    assert_eq!(disputes.len(), 1);
    let alarm = disputes[0];
    assert_eq!(alarm["severity"], "critical");
    assert_eq!(alarm["stack_small_id"], stack);
    assert_eq!(alarm["acknowledged_at"], Value::Null);
    let id = alarm["alarm_id"].as_u64().unwrap();

    let path = format!("/alarms/{id}/acknowledge");
    for _ in 0..2 {
        let answer = world.post_ok(&path, json!(null)).await;
        assert_eq!(answer["state"], "acknowledged");
        assert!(answer["acknowledged_at"].is_string());
    }
    assert_eq!(ops.next().await["event"], "acknowledged");
    let unknown = world.post("/alarms/999/acknowledge", json!(null)).await;
    assert_refused(&unknown, 404, "unknown_alarm");
    let wrong = world.post("/alarms/x/acknowledge", json!(null)).await;
    assert_refused(&wrong, 400, "invalid_request");
    let wrong = world.get("/alarms?state=quiet").await;
    assert_refused(&wrong, 400, "invalid_request");
    assert!(world.list("/alarms?state=resolved").await.is_empty());

    let metrics = world.api.request(reqwest::Method::GET, "/metrics");
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for counted in [
        "atoma_alarms_firing{severity=\"critical\"} 0",
        "atoma_alarm_messages_total{receiver=\"ops\",result=\"failed\"} 0",
    ] {
        assert!(metrics.contains(counted), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_listed_acknowledged_and_tested_by_commands() {
    let (mut world, _) = disputed().await;
    let mut ops = ops(&mut world, 1).await;
    // The receiver refuses the first message.
    let failed = run(&world, &["alarms", "test"]);
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    assert!(failed.stdout.contains("status 503"), "{}", failed.stdout);
    let done = run(&world, &["alarms", "test"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("delivered"), "{}", done.stdout);
    assert_eq!(ops.next().await["event"], "test");
    assert_eq!(ops.next().await["delivery"], Value::Null);

    in_time(world.operator.look_for_alarms()).await.unwrap();
    let listed = run(&world, &["alarms", "list"]).stdout;
    assert!(listed.contains("dispute_against_us"), "{listed}");
    let all = parsed(&run(&world, &["alarms", "list", "--all", "--json"]));
    let id = all[0]["alarm_id"].to_string();
    let done = run(&world, &["alarms", "acknowledge", &id]);
    assert!(done.stdout.contains("acknowledged"), "{}", done.stdout);
    let listed = run(&world, &["alarms", "list", "--state", "acknowledged"]).stdout;
    assert!(listed.contains("dispute_against_us"), "{listed}");
}

#[tokio::test]
async fn a_receiver_that_cant_be_used_keeps_the_daemon_from_starting() {
    let world = TestWorld::unregistered().await;
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&world.network, dir.path());
    std::fs::write(dir.path().join("ops.url"), "http://a.example/T0KEN").unwrap();
    let receiver =
        "[[alarms.receivers]]\nname = \"ops\"\nformat = \"slack\"\nurl.file = \"ops.url\"";
    configure(dir.path(), receiver);
    let refused = build(dir.path(), tokio_util::sync::CancellationToken::new()).await;
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(refused.contains("alarms.receivers"), "{refused}");
    assert!(refused.contains("`ops`"), "{refused}");
    assert!(!refused.contains("T0KEN"), "{refused}");
}
