//! The commands that talk to a daemon, run as programs, and the client crate that they use.

use atoma_client::types::{IgnoredFields, SettleRequest, TransactionOptions};
use atoma_client::{Client, ClientError, Readiness, TransactionFilter, Write};
use atoma_domain::StackSmallId;
use serde_json::{Value, json};

use crate::support::process::{Output, output, program};
use crate::support::{NONE, TestWorld};

/// Runs a command against the world's daemon.
pub(crate) fn run(world: &TestWorld, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .env_remove("ATOMA_TOKEN_FILE")
        .env("ATOMA_URL", format!("http://{}", world.api.addr()));
    output(command.args(arguments))
}

pub(crate) fn parsed(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

/// A world with stacks that the operator can settle.
async fn world() -> (TestWorld, Vec<u64>) {
    let (world, demo) = TestWorld::demo().await;
    let free = demo
        .tasks
        .iter()
        .position(|task| task.security_level == NONE);
    let task = demo.tasks[free.unwrap()].task_small_id;
    let node = demo.operators[0].nodes[0];
    let of = demo.stacks.iter();
    let of = of.filter(|stack| stack.node_small_id == node && stack.task_small_id == task);
    let stacks: Vec<u64> = of.map(|stack| stack.stack_small_id.get()).collect();
    let message = json!({"stack_small_id": stacks[0], "num_compute_units": 900,
                         "message_hash": format!("0x{}", "11".repeat(32))});
    world.post_ok("/stack_messages", message).await;
    (world, stacks)
}

// The daemon must answer while this thread waits for the program.
#[tokio::test(flavor = "multi_thread")]
async fn stacks_are_settled_and_claimed_by_commands() {
    let (world, stacks) = world().await;
    let stack = stacks[0].to_string();
    let settled = run(&world, &["settle", &stack, "--yes", "--json"]);
    assert_eq!(settled.code, 0, "{}", settled.stderr);
    assert_eq!(parsed(&settled)["results"][0]["status"], "succeeded");
    let again = run(&world, &["settle", &stack, "--yes", "--json"]);
    assert_eq!(again.code, 4, "{}", again.stderr);
    assert_eq!(parsed(&again)["code"], "already_settling");
    let early = run(&world, &["claim", &stack, "--yes"]);
    assert_eq!(early.code, 4, "{}", early.stderr);
    assert!(early.stdout.contains("would fail"), "{}", early.stdout);
    world.network.advance_epoch().unwrap();
    let claimed = run(&world, &["claim", &stack, "--yes", "--json"]);
    assert_eq!(claimed.code, 0, "{}", claimed.stderr);
    assert_eq!(parsed(&claimed)["results"][0]["status"], "succeeded");
    let watched = run(&world, &["transactions", "watch", "1", "--json"]);
    assert_eq!(watched.code, 0, "{}", watched.stderr);
    assert_eq!(parsed(&watched)["status"], "succeeded");
    let list = ["transactions", "list", "--json"];
    let newest = run(&world, &[&list[..], &["--limit", "1"]].concat());
    assert_eq!(parsed(&newest)[0]["transaction_id"], 2);
    assert_eq!(parsed(&newest).as_array().unwrap().len(), 1);
    assert!(
        newest.stderr.contains("There are more"),
        "{}",
        newest.stderr
    );
    for all in [&["--limit", "2"][..], &[]] {
        let all = run(&world, &[&list[..], all].concat());
        assert_eq!(parsed(&all).as_array().unwrap().len(), 2);
        assert_eq!(all.stderr, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_sent_unless_the_operator_says_yes() {
    let (world, stacks) = world().await;
    let stack = stacks[0].to_string();
    for arguments in [
        &["settle", stack.as_str()][..],
        &["claim", stack.as_str()],
        &["register"],
        &["transactions", "abandon", "1"],
    ] {
        let refused = run(&world, arguments);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("`--yes`"), "{}", refused.stderr);
    }
    let simulated = run(&world, &["settle", &stack, "--dry-run"]);
    assert_eq!(simulated.code, 0, "{}", simulated.stderr);
    assert!(
        simulated.stdout.contains("Estimated gas: 0."),
        "{}",
        simulated.stdout
    );
    assert!(world.list("/transactions").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_what_the_daemon_knows() {
    let (world, _) = world().await;
    let status = run(&world, &["status"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.starts_with("Ready\n"), "{}", status.stdout);
    // Standard output is no terminal.
    assert!(!status.stdout.contains('\u{1b}'));
    let mut forced = program();
    forced
        .args(["status", "--url", &format!("http://{}", world.api.addr())])
        .env_remove("ATOMA_TOKEN_FILE")
        .env("CLICOLOR_FORCE", "1");
    let coloured = output(&mut forced).stdout;
    assert!(
        coloured.starts_with("\u{1b}[1m\u{1b}[32mReady"),
        "{coloured:?}"
    );
    assert_eq!(output(forced.env("NO_COLOR", "1")).stdout, status.stdout);
    for list in ["nodes", "tasks", "subscriptions", "stacks", "reservations"] {
        let shown = run(&world, &[list, "--json"]);
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        let expected = world.list(&format!("/{list}")).await;
        assert_eq!(parsed(&shown), Value::from(expected), "{list}");
    }
    let unreachable = run(&world, &["nodes", "--url", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.code, 1);
    assert!(
        unreachable.stderr.contains("can't be reached"),
        "{}",
        unreachable.stderr
    );
}

#[tokio::test]
async fn the_client_reads_pages_and_repeats_a_write_once() {
    let (world, stacks) = world().await;
    let url = format!("http://{}", world.api.addr());
    let client = Client::builder(&url).build().unwrap();
    assert!(matches!(client.ready().await.unwrap(), Readiness::Ready(_)));
    let all = client.stacks(None).all(1_000).await.unwrap();
    let paged = client.stacks(None).limit(5).all(1_000).await.unwrap();
    assert_eq!(all, paged);
    assert!(all.len() > 5);
    let bounded = client.stacks(None).limit(5).all(7).await;
    assert!(matches!(bounded, Err(ClientError::TooMany { most: 7 })));
    let (first, has_more) = client.stacks(None).first(3).await.unwrap();
    assert!(first == all[..3] && has_more);
    let (first, has_more) = client.stacks(None).first(all.len()).await.unwrap();
    assert!(first == all && !has_more);

    let request = SettleRequest {
        options: TransactionOptions::default(),
        stack_small_ids: vec![StackSmallId::new(stacks[0])],
        num_claimed_compute_units: None,
        ignored: IgnoredFields::default(),
    };
    let write = Write::with_new_key().unwrap();
    let first = client.settle(&request, &write).await.unwrap();
    let second = client.settle(&request, &write).await.unwrap();
    assert_eq!(first.tx_digests, second.tx_digests);
    // Nothing succeeded under another key, and the results are there all the same.
    let other = Write::with_new_key().unwrap();
    let other = client.settle(&request, &other).await.unwrap();
    assert_eq!(other.error.code.as_deref(), Some("already_settling"));
    let journal = client.transactions(TransactionFilter::default());
    assert_eq!(journal.all(10).await.unwrap().len(), 1);
    let missing = client.transaction("99").await;
    assert!(matches!(missing, Err(ClientError::Api { status: 404, .. })));
}

#[test]
fn what_the_api_would_take_for_something_else_is_wrong_usage() {
    let longest = "k".repeat(256);
    let numbers: Vec<String> = (0..=1_000).map(|id| id.to_string()).collect();
    let mut many = vec!["claim", "--yes"];
    many.extend(numbers.iter().map(String::as_str));
    for arguments in [
        &["settle", "13", "14", "13", "--yes"][..],
        &["attest", "13", "13", "--dry-run"],
        &many,
        &["transactions", "list", "--kind", "settle"],
        &["transactions", "list", "--status", "done"],
        &["register", "--node", "1", "--yes"],
        &["reservations", "--holder", ""],
        &["reservations", "--holder", "two words"],
        &["subscribe", "--model", "", "--echelon", "1", "--yes"],
        &["subscribe", "--model", "mödel", "--echelon", "1", "--yes"],
        &["stacks", "--filled", "+0.5"],
        &["transactions", "show", ".."],
        &["transactions", "show", ""],
        &["transactions", "watch", "-1"],
        &["transactions", "show", "EWaY63VePTGhkHUYBKxHiwC7"],
        &["stacks", "--filled", ""],
        &["stacks", "--filled", ".."],
        &["stacks", "--filled", "NaN"],
        &["register", "--yes", "--idempotency-key", "line\n"],
        &["register", "--yes", "--idempotency-key", ""],
        &["register", "--yes", "--idempotency-key", &longest],
    ] {
        let refused = output(program().args(arguments));
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
    }
}

#[test]
fn what_was_never_sent_has_no_unknown_outcome() {
    // Nobody listens at port 1.
    let url = ["--url", "http://127.0.0.1:1"];
    for arguments in [
        &["transactions", "abandon", "1", "--yes"][..],
        &["register", "--yes"],
        &["register", "--yes", "--idempotency-key", "key"],
    ] {
        let failed = output(program().args(arguments).args(url));
        assert_eq!(failed.code, 1, "{arguments:?}: {}", failed.stderr);
        assert!(failed.stderr.contains("`--url`"), "{}", failed.stderr);
    }
}
