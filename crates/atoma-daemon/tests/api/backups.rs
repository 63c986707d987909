//! The commands `backup` and `restore`, and what a daemon makes of an older journal.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::process::{Output, in_time, output, program};
use crate::support::{NONE, TestWorld, assert_refused};

/// Runs `backup` or `restore` for the world's database.
fn run(world: &TestWorld, command: &str, flag: &str, file: &Path, more: &[&str]) -> Output {
    let mut program = program();
    program
        .args([command, "--json", "--config"])
        .arg(world.dir.path().join("daemon.toml"))
        .arg(flag)
        .arg(file);
    output(program.args(more))
}

async fn settle(world: &TestWorld, stack: u64) -> (u16, Value) {
    let body = json!({"stack_small_ids": [stack]});
    world.post("/try_settle_stack_ids", body).await
}

/// The journal of an old backup doesn't know what was sent since. The daemon signs nothing until the operator
/// allows it, and then does nothing twice: the chain says what is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_journal_repeats_nothing() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, 1_000, 1_000, 3).await;
    for stack in &stacks {
        world.record(*stack, 2, 100).await;
    }
    world.settle(&stacks[..1]).await;
    let backup = world.dir.path().join("backup.sqlite");
    let saved = run(&world, "backup", "--to", &backup, &[]);
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let saved: Value = serde_json::from_str(&saved.stdout).unwrap();
    // The registration, the subscription and the settlement.
    assert_eq!(saved["transactions"], 3);
    assert_eq!(saved["served_stacks"], 3);

    world.settle(&stacks[1..2]).await;
    let ticket = world.ticket(stacks[1]);
    let refused = run(&world, "restore", "--from", &backup, &["--replace"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("another daemon"),
        "{}",
        refused.stderr
    );
    world.stop().await;
    let refused = run(&world, "restore", "--from", &backup, &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("--replace"), "{}", refused.stderr);
    let restored = run(&world, "restore", "--from", &backup, &["--replace"]);
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    let restored: Value = serde_json::from_str(&restored.stdout).unwrap();
    let kept = Path::new(restored["kept_in"].as_str().unwrap());
    assert!(kept.join("atoma.sqlite").is_file());

    world.start_again().await;
    world.wait_for_stacks(&stacks).await;
    let refused = settle(&world, stacks[2]).await;
    assert_refused(&refused, 503, "badge_used_elsewhere");
    world.stop().await;
    crate::support::configure(world.dir.path(), "allow_foreign_use = true");
    world.start_again().await;
    // The mirror follows the chain from where the backup left it.
    in_time(async {
        while world.stack(stacks[1]).await["in_settle_period"] != true {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (status, answer) = settle(&world, stacks[1]).await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (409, Some("already_settling"))
    );
    assert_eq!(world.ticket(stacks[1]), ticket);
    world.settle(&stacks[2..]).await;
}
