//! Commands whose request was sent, and whose answer is not one of the daemon.

use serde_json::Value;

use crate::command_line::parsed;
use crate::support::canned::{Canned, reply};
use crate::support::process::{Output, output, program};

/// Runs a command against a canned server.
pub(crate) fn run(server: &Canned, arguments: &[&str]) -> Output {
    let mut command = program();
    command
        .env_remove("ATOMA_TOKEN_FILE")
        .env("ATOMA_URL", server.url());
    output(command.args(arguments))
}

/// Runs a command whose simulation is refused so, and whose request itself is done.
fn refused_plan(status: u16, body: &'static str, arguments: &[&str]) -> (Canned, Output) {
    let server = Canned::start(move |request, _| match request.is_dry_run() {
        true => reply(status, body),
        false => reply(200, DONE),
    });
    let output = run(&server, arguments);
    (server, output)
}

const DONE: &str =
    r#"{"tx_digest":"11111111111111111111111111111111","node_small_id":1,"node_badge_id":null}"#;
const SIMULATED: &str = r#"{"tx_digest":null,"dry_run":true,"estimated_gas":5}"#;
const HTML: &str = "<html>504 Gateway Time-out</html>";

/// Runs a command whose simulation succeeds, and whose request itself is answered so.
fn sent(status: u16, body: &'static str, arguments: &[&str]) -> (Canned, Output) {
    let server = Canned::start(move |request, _| match request.is_dry_run() {
        true => reply(200, SIMULATED),
        false if status == 0 => None,
        false => reply(status, body),
    });
    let output = run(&server, arguments);
    (server, output)
}

#[test]
fn an_answer_that_is_not_the_daemons_leaves_the_outcome_unknown() {
    let foreign = r#"{"error":"upstream timed out","code":"upstream_timeout"}"#;
    let cases = [
        (0, ""),
        (200, HTML),
        (404, HTML),
        (502, HTML),
        (503, foreign),
        (504, foreign),
    ];
    for (status, body) in cases {
        let (server, lost) = sent(status, body, &["register", "--additional", "--yes"]);
        assert_eq!(lost.code, 5, "{status}: {}", lost.stderr);
        assert!(
            lost.stderr.contains("the outcome is unknown"),
            "{}",
            lost.stderr
        );
        let received = server.received();
        assert_eq!(received.len(), 2, "{received:?}");
        let key = received[1].key.clone().unwrap();
        let again = format!("`--idempotency-key {key}`");
        assert!(lost.stderr.contains(&again), "{}", lost.stderr);
    }
}

#[test]
fn the_key_is_told_before_the_request_is_sent() {
    let (server, settled) = sent(200, DONE, &["register", "--yes", "--json"]);
    assert_eq!(settled.code, 0, "{}", settled.stderr);
    let key = server.received()[1].key.clone().unwrap();
    let told = format!("Idempotency key: {key}\n");
    assert!(settled.stderr.contains(&told), "{}", settled.stderr);
    assert!(!settled.stdout.contains(&key), "{}", settled.stdout);
}

#[test]
fn a_refusal_of_the_daemon_is_no_unknown_outcome() {
    let busy = r#"{"error":"The daemon is shutting down.","code":"shutting_down"}"#;
    for (status, body) in [
        (503, busy),
        (409, r#"{"error":"Why.","code":"of_the_future"}"#),
    ] {
        let (_, refused) = sent(status, body, &["register", "--yes"]);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
    }
    let unknown = r#"{"error":"Why; poll GET /transactions/17.","code":"outcome_unknown","details":{"transaction_id":17}}"#;
    let (_, pending) = sent(504, unknown, &["register", "--yes"]);
    assert_eq!(pending.code, 5, "{}", pending.stderr);
    assert!(!pending.stderr.contains("GET"), "{}", pending.stderr);
}

#[test]
fn a_lost_simulation_was_not_sent() {
    let server = Canned::start(|_, _| reply(502, HTML));
    let lost = run(&server, &["register", "--yes"]);
    assert_eq!(lost.code, 1, "{}", lost.stderr);
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_lost_answer_to_an_abandonment_leaves_it_unknown() {
    let server = Canned::start(|_, _| reply(502, HTML));
    let lost = run(&server, &["transactions", "abandon", "17", "--yes"]);
    assert_eq!(lost.code, 5, "{}", lost.stderr);
    assert!(
        lost.stderr.contains("`transactions show 17`"),
        "{}",
        lost.stderr
    );
}

#[test]
fn a_refusal_is_printed_as_json_for_scripts() {
    let refusal = r#"{"error":"Why.","code":"of_the_future","details":{"transaction_id":17}}"#;
    let expected: Value = serde_json::from_str(refusal).unwrap();
    let server = Canned::start(move |_, _| reply(409, refusal));
    for command in [
        &["nodes"][..],
        &["status"],
        &["transactions", "list"],
        &["transactions", "show", "17"],
        &["transactions", "abandon", "17", "--yes"],
        &["register", "--yes"],
        &["claim", "1", "--yes"],
    ] {
        let refused = run(&server, &[command, &["--json"]].concat());
        assert_eq!(refused.code, 1, "{command:?}: {}", refused.stderr);
        assert_eq!(parsed(&refused), expected, "{command:?}");
        assert!(refused.stderr.contains("error: Why."), "{}", refused.stderr);
        assert_eq!(run(&server, command).stdout, "", "{command:?}");
    }
    let unknown = r#"{"error":"Why.","code":"outcome_unknown","details":{"transaction_id":17}}"#;
    let (_, pending) = sent(504, unknown, &["register", "--yes", "--json"]);
    assert_eq!(pending.code, 5, "{}", pending.stderr);
    assert_eq!(parsed(&pending)["details"]["transaction_id"], 17);
}

#[test]
fn a_simulation_that_is_refused_under_a_key_is_told() {
    let arguments = ["register", "--yes", "--idempotency-key", "abc"];
    let refusal = r#"{"error":"Why.","code":"of_the_future"}"#;
    let (server, done) = refused_plan(409, refusal, &arguments);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("Why."), "{}", done.stderr);
    assert_eq!(server.received()[1].key.as_deref(), Some("abc"));
    for status in [401, 403, 429] {
        let (server, refused) = refused_plan(status, refusal, &arguments);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert_eq!(server.received().len(), 1, "{status}");
    }
}

const SUBMITTED: &str = r#"{"transaction_id":17,"kind":"settle_stack","status":"submitted","tx_digest":null,
    "node_small_id":1,"stack_small_ids":[42],"created_at":null,"updated_at":null,"error":null,
    "waiting_for":{"error":"The Sui node is late; poll GET /transactions/17.","code":"outcome_unknown",
                   "details":{"transaction_id":17}},
    "gas_used":0,"gas_returned":0,"attempts":[]}"#;

#[test]
fn a_transaction_is_watched_through_restarts_and_refusals_that_pass() {
    let busy = r#"{"error":"Too many requests.","code":"rate_limited"}"#;
    let server = Canned::start(move |_, before| match before {
        0 => reply(429, busy),
        1 => reply(200, SUBMITTED),
        2 => None,
        3 => reply(502, HTML),
        _ => reply(200, &SUBMITTED.replace("submitted", "succeeded")),
    });
    let arguments = ["transactions", "watch", "17", "--interval", "1", "--json"];
    let watched = run(&server, &arguments);
    assert_eq!(watched.code, 0, "{}", watched.stderr);
    assert_eq!(parsed(&watched)["status"], "succeeded");
    assert_eq!(server.received().len(), 5);
    for reason in [
        "Too many requests.",
        "The Sui node is late; follow it with `transactions watch 17`.",
        "did not answer",
        "is not one of the daemon's API",
    ] {
        assert!(watched.stderr.contains(reason), "{}", watched.stderr);
    }
}

#[test]
fn a_daemon_that_was_never_reached_is_not_watched() {
    for server in [
        Canned::start(|_, _| None),
        Canned::start(|_, _| reply(502, HTML)),
        Canned::start(|_, _| reply(404, r#"{"error":"None.","code":"of_the_future"}"#)),
    ] {
        let ended = run(&server, &["transactions", "watch", "17"]);
        assert_eq!(ended.code, 1, "{}", ended.stderr);
    }
}

#[test]
fn a_command_waits_as_long_as_it_is_told() {
    // Connections are accepted by the system, and nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = program();
    command.args(["nodes", "--timeout", "1", "--url", &url]);
    let ended = output(&mut command);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("`--timeout`"), "{}", ended.stderr);
}

/// The exit code of a command whose standard output nobody reads.
fn unread(server: &Canned, arguments: &[&str]) -> i32 {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = program();
    command.env("ATOMA_URL", server.url()).stdout(writer);
    let ended = command.args(arguments).spawn().unwrap().wait_with_output();
    let ended = ended.unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(!stderr.contains("standard output"), "{stderr}");
    ended.status.code().unwrap()
}

#[test]
fn a_reader_that_has_seen_enough_changes_no_exit_code() {
    let done = r#"{"tx_digests":[],"results":[{"stack_small_id":1,"node_small_id":1,"status":"STATUS",
        "tx_digest":null,"transaction_id":1,"error":null,"warnings":[]}]}"#;
    for (status, code) in [("succeeded", 0), ("failed", 4), ("pending", 5)] {
        let server = Canned::start(move |request, _| {
            let status = if request.is_dry_run() {
                "succeeded"
            } else {
                status
            };
            reply(200, &done.replace("STATUS", status))
        });
        assert_eq!(unread(&server, &["settle", "1", "--yes"]), code, "{status}");
    }
    let server = Canned::start(|_, _| reply(200, "[]"));
    assert_eq!(unread(&server, &["stacks"]), 0);
    assert_eq!(unread(&server, &["openapi"]), 0);
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    let evil = r#"{"error":"Why: \u001b[2J\u202e.","code":"of_the_future"}"#;
    let server = Canned::start(move |_, _| reply(502, evil));
    let refused = run(&server, &["nodes"]);
    assert!(
        refused.stderr.contains(r"error: Why: \u{1b}[2J\u{202e}."),
        "{}",
        refused.stderr
    );
}
