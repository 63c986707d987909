//! The command `import`: an operator moves in from the earlier Atoma node, in the middle of a stack.

use std::path::{Path, PathBuf};

use atoma_domain::ports::StoreError;
use atoma_state::testing::{WriteLock, run_on_file};
use atoma_state::{SqliteState, StateOptions};
use serde_json::{Value, json};

use crate::support::process::{Output, in_time, output, program};
use crate::support::work::{message, proof};
use crate::support::{NONE, TestWorld};

const UNITS: u64 = 1_000_000;
/// The price that the demonstration's nodes ask and its buyer pays.
const PRICE: u64 = 1_000_000;

/// The earlier node's table in SQLite.
const TABLE: &str = "CREATE TABLE stacks (stack_small_id INTEGER PRIMARY KEY, owner_address TEXT NOT NULL, \
                     stack_id TEXT UNIQUE NOT NULL, task_small_id INTEGER NOT NULL, \
                     selected_node_id INTEGER NOT NULL, num_compute_units INTEGER NOT NULL, \
                     price INTEGER NOT NULL, already_computed_units INTEGER NOT NULL, \
                     in_settle_period BOOLEAN NOT NULL, total_hash BLOB NOT NULL, \
                     num_total_messages INTEGER NOT NULL)";

/// The earlier node's database, in which each stack has so many messages of 100 units.
async fn earlier(world: &TestWorld, stacks: &[(u64, u64)]) -> PathBuf {
    let mut statements = String::from(TABLE);
    for (stack, messages) in stacks {
        let view = world.stack(*stack).await;
        let text = |field: &str| view[field].as_str().unwrap().to_owned();
        statements += &format!(
            "; INSERT INTO stacks VALUES ({stack}, '{}', '{}', {}, {}, {}, 1, {}, 0, x'', 0)",
            text("owner_address"),
            text("stack_id"),
            view["task_small_id"],
            view["selected_node_id"],
            view["num_compute_units"],
            messages * 100,
        );
        for number in 0..*messages {
            let hash = message(*stack, number).to_string();
            statements += &format!(
                "; UPDATE stacks SET total_hash = total_hash || x'{}', \
                 num_total_messages = num_total_messages + 1 WHERE stack_small_id = {stack}",
                hash.trim_start_matches("0x")
            );
        }
    }
    let path = world.dir.path().join("earlier.sqlite");
    run_on_file(&path, &statements).await.unwrap();
    path
}

/// The command with a configuration in `dir`.
fn import(dir: &Path, arguments: &[&str]) -> std::process::Command {
    let mut program = program();
    program.env_remove("ATOMA_IMPORT_FROM");
    program
        .args(["import", "--config"])
        .arg(dir.join("daemon.toml"));
    program.args(arguments);
    program
}

fn run(world: &TestWorld, arguments: &[&str]) -> Output {
    output(&mut import(world.dir.path(), arguments))
}

/// Runs it with JSON, and checks its exit code.
#[track_caller]
fn answer(world: &TestWorld, source: &Path, more: &[&str], code: i32) -> Value {
    let source = source.to_str().unwrap();
    let ended = run(world, &[&["--json", "--from", source], more].concat());
    assert_eq!(ended.code, code, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The results of an answer, by stack.
fn results(answer: &Value) -> Vec<(u64, &str)> {
    let stacks = answer["stacks"].as_array().unwrap();
    stacks
        .iter()
        .map(|stack| {
            let reason = stack["reason"].as_str();
            let result = reason.or(stack["result"].as_str()).unwrap();
            (stack["stack_small_id"].as_u64().unwrap(), result)
        })
        .collect()
}

/// The settlement is over the messages of both nodes, in order, so an operator who has repeated all of them attests it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stack_goes_on_after_the_move_and_is_attested_and_paid() {
    let (mut first, demo) = TestWorld::demo().await;
    let second = TestWorld::of_operator(&first.network, &demo, 1).await;
    let stack = first.buy_one(3, first.nodes[0], UNITS, PRICE).await;
    let source = earlier(&first, &[(stack, 5)]).await;
    let planned = answer(&first, &source, &["--dry-run"], 0);
    assert_eq!(results(&planned), [(stack, "would_be_taken")]);
    assert_eq!(first.stack(stack).await["num_total_messages"], 0);

    first.stop().await;
    let taken = answer(&first, &source, &["--yes"], 0);
    assert_eq!(results(&taken), [(stack, "taken")]);
    assert_eq!(taken["stacks"][0]["num_total_messages"], 5);
    let again = answer(&first, &source, &["--yes"], 0);
    assert_eq!(results(&again), [(stack, "taken_before")]);
    first.start_again().await;
    first.wait_for_stacks(&[stack]).await;
    let view = first.stack(stack).await;
    assert_eq!(view["already_computed_units"], 500);
    for number in 5..7 {
        let recorded = first.record_one(stack, number, 100).await;
        assert_eq!(recorded["num_total_messages"], number + 1);
    }

    first.draw(stack, &[second.nodes[0]]);
    first.settle(&[stack]).await;
    let ticket = first.ticket(stack);
    assert_eq!(ticket["committed_stack_proof"], proof(stack, 7, 1, 1));
    assert_eq!(ticket["num_claimed_compute_units"], 700);
    // The other operator's record was made message by message.
    for number in 0..7 {
        let body = json!({
            "stack_small_id": stack,
            "message_hash": message(stack, number),
            "num_compute_units": 100,
            "node_small_id": second.nodes[0],
        });
        second.post_ok("/stack_messages", body).await;
    }
    second.buy_one(3, second.nodes[0], UNITS, PRICE).await;
    second.attest(&[stack]).await;
    let ticket = first.ticket(stack);
    assert_eq!(ticket["already_attested_nodes"], json!([second.nodes[0]]));
    assert_eq!(ticket["is_in_dispute"], false);
    first.network.advance_epoch().unwrap();
    let before = first.usdc(&first.address());
    first.claim(&[stack]).await;
    // 700 units at 1 micro-USDC each, with sampling consensus.
    assert_eq!(first.usdc(&first.address()) - before, 840);
}

/// The process is killed in the database transaction, after the first of two stacks. Nothing is taken, and the next run
/// takes both.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_has_taken_nothing_and_the_next_one_takes_all() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, UNITS, PRICE, 2).await;
    let source = earlier(&world, &[(stacks[0], 3), (stacks[1], 4)]).await;
    world.stop().await;
    let database = world.dir.path().join("data/atoma.sqlite");
    let run_here = async |statements| {
        let options = StateOptions::default();
        let state = SqliteState::open(&database, options).await.unwrap();
        state.run(statements).await.unwrap();
        state.close().await;
    };
    // With the second record, SQLite counts for longer than anybody waits.
    run_here(
        "CREATE TRIGGER never_ends AFTER INSERT ON work_records \
         WHEN EXISTS (SELECT 1 FROM work_records WHERE stack_small_id < NEW.stack_small_id) \
         BEGIN SELECT count(*) FROM sqlite_schema a, sqlite_schema b, sqlite_schema c, \
         sqlite_schema d, sqlite_schema e, sqlite_schema f, sqlite_schema g; END",
    )
    .await;
    let arguments = ["--yes", "--from", source.to_str().unwrap()];
    let mut killed = import(world.dir.path(), &arguments).spawn().unwrap();
    // Until it has the write lock, which only its transaction takes for long.
    in_time(async {
        loop {
            match WriteLock::take(&database).await {
                Ok(lock) => lock.release().await.unwrap(),
                Err(StoreError::Locked(_)) => return,
                Err(error) => assert!(killed.try_wait().unwrap().is_none(), "{error}"),
            }
        }
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    run_here("DROP TRIGGER never_ends").await;

    let planned = answer(&world, &source, &["--dry-run"], 0);
    let all = |result| stacks.iter().map(move |stack| (*stack, result));
    assert!(results(&planned).into_iter().eq(all("would_be_taken")));
    let taken = answer(&world, &source, &["--yes"], 0);
    assert!(results(&taken).into_iter().eq(all("taken")));
    world.start_again().await;
    world.wait_for_stacks(&stacks).await;
    world.settle(&stacks).await;
    for (stack, messages) in [(stacks[0], 3), (stacks[1], 4)] {
        let ticket = world.ticket(stack);
        assert_eq!(
            ticket["committed_stack_proof"],
            proof(stack, messages, 1, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_refuses_what_it_should_and_tells_no_password() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    let stacks = world.buy(world.tasks[0], 1, UNITS, PRICE, 2).await;
    let source = earlier(&world, &[(stacks[0], 3), (stacks[1], 4)]).await;
    let flag = ["--from", source.to_str().unwrap()];
    let refused = run(&world, &[&flag[..], &["--yes"]].concat());
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("another daemon"),
        "{}",
        refused.stderr
    );
    let unasked = run(&world, &flag);
    assert_eq!(unasked.code, 2);
    assert!(unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    assert_eq!(run(&world, &["--yes"]).code, 2);

    let hidden = "postgres://atoma:s3cret@127.0.0.1:1/node";
    let broken = "postgres://atoma:s3cret@127.0.0.1:port/node";
    let file = world.dir.path().join("source");
    for (url, code) in [
        (hidden, 1),
        (broken, 2),
        ("mysql://atoma:s3cret@host/node", 2),
    ] {
        std::fs::write(&file, format!("{url}\n")).unwrap();
        let by_variable =
            output(import(world.dir.path(), &["--dry-run"]).env("ATOMA_IMPORT_FROM", url));
        let by_file = run(
            &world,
            &["--dry-run", "--from-file", file.to_str().unwrap()],
        );
        let by_flag = run(&world, &["--dry-run", "--from", url]);
        for ended in [by_variable, by_file, by_flag] {
            assert_eq!(ended.code, code, "{}", ended.stderr);
            let said = ended.stdout + &ended.stderr;
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    // One stack is as it should be, and one is not.
    let cut = "UPDATE stacks SET num_total_messages = 5 WHERE num_total_messages = 4";
    run_on_file(&source, cut).await.unwrap();
    let dry = run(&world, &[&flag[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 4);
    let rows: Vec<_> = dry.stdout.lines().collect();
    assert_eq!(rows[0], "STACK  MESSAGES  UNITS  RESULT          NOTE");
    assert_eq!(
        rows[1],
        format!("{}      3         300    would be taken  -", stacks[0])
    );
    assert!(rows[2].contains("total_hash has 128 bytes"), "{}", rows[2]);
    assert!(rows[3].starts_with("1 of 2 stacks can be taken from the SQLite database "));
    assert!(
        dry.stderr
            .contains("the work for 1 stack can't be taken over")
    );

    world.stop().await;
    let partly = answer(&world, &source, &["--yes"], 4);
    let expected = [(stacks[0], "taken"), (stacks[1], "hashes_dont_fit")];
    assert_eq!(results(&partly), expected);
    std::fs::remove_file(world.dir.path().join("data/atoma.sqlite")).unwrap();
    let missing = run(&world, &[&flag[..], &["--yes"]].concat());
    assert_eq!(missing.code, 1);
    assert!(
        missing.stderr.contains("start the daemon first"),
        "{}",
        missing.stderr
    );
}
