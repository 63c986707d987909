//! Errors of the API in the words of the command line: what happened is the API's sentence, and what to do names
//! flags and commands instead of fields and routes.

use std::borrow::Cow;

use atoma_api_types::ErrorBody;
use atoma_client::{ClientError, failure};
use serde_json::Value;

use super::table::plain;

/// What to do, by code. Names in braces are fields of the error's details. The API's own advice stays for other
/// codes.
const ADVICE: &[(&str, &str)] = &[
    (
        "already_final",
        "See its outcome with `transactions show {transaction_id}`.",
    ),
    (
        "already_registered",
        "Add `--additional` to register another node.",
    ),
    (
        "already_settling",
        "See `transactions list --stack {stack_small_id}` and `stacks --settled`.",
    ),
    (
        "already_subscribed",
        "Add `--update` to change the price of the subscription.",
    ),
    (
        "already_subscribed_to_model",
        "`transactions list --kind subscribe_to_model` lists what was done.",
    ),
    (
        "ambiguous_node",
        "Name it with `--node`; `nodes` lists them.",
    ),
    (
        "attestation_not_requested",
        "Leave out `--node` to attest with every node that was drawn.",
    ),
    (
        "breaker_open",
        "`transactions list --status failed` shows why they failed.",
    ),
    (
        "commitment_mismatch",
        "Find out which record is right; add `--allow-dispute` to submit it anyway.",
    ),
    (
        "forbidden",
        "Give a `--url` with a loopback address, or add its host to the setting `allowed_hosts`.",
    ),
    (
        "gas_balance_insufficient",
        "Send SUI to the address, or lower `--gas-budget`.",
    ),
    (
        "gas_budget_too_low",
        "Raise `--gas-budget`, or leave it out to let the daemon estimate it.",
    ),
    (
        "idempotency_key_reused",
        "Leave out `--idempotency-key` for a new request.",
    ),
    (
        "in_flight_with_other_parameters",
        "Wait for it with `transactions watch {transaction_id}`, or repeat its parameters to join it.",
    ),
    (
        "insufficient_scope",
        "Name the file of a token with the scope `operate` with `--token-file` or ATOMA_TOKEN_FILE.",
    ),
    (
        "may_still_execute",
        "Look at it with `transactions show {transaction_id}`, and try again once its attempt has expired.",
    ),
    (
        "needs_no_settlement",
        "Claim it with `claim {stack_small_id}`.",
    ),
    (
        "no_attestation_requested",
        "No attestation is needed; to dispute the settlement, name a node with `--node`.",
    ),
    ("no_node_registered", "Register one first with `register`."),
    (
        "node_not_selected",
        "Leave out `--node` to act with the selected node.",
    ),
    (
        "not_found",
        "Check `--url`, and the versions of the command and the daemon.",
    ),
    ("not_ready", "`status` says when it is."),
    (
        "not_settled",
        "Its selected node must settle it first, with `settle {stack_small_id}`.",
    ),
    (
        "key_already_rotated",
        "`keys` lists the keys. A device commits to a key once in each of the network's key rotations.",
    ),
    (
        "not_the_key_rotation",
        "Make the evidence for the current key rotation, or leave `--rotation` out.",
    ),
    (
        "nothing_to_withdraw",
        "Shares are credited when a settlement that the node attested is claimed; the node's own claims pay them too.",
    ),
    (
        "not_subscribed",
        "`subscriptions` lists what it is subscribed to; `subscribe --task {task_small_id}` without `--update` adds it.",
    ),
    (
        "nothing_to_attest_with",
        "The inference service must run the stack's requests again and record them for node {node_small_id}.",
    ),
    (
        "requests_in_progress",
        "Try again once they are served; `reservations --stack {stack_small_id}` shows who holds them and until when.",
    ),
    (
        "stack_has_no_messages",
        "The inference service must record what it served for it.",
    ),
    (
        "sui_node_error",
        "`status` shows whether the node at `sui.rpc_url` answers.",
    ),
    (
        "too_many_compute_units",
        "Claim at most {num_compute_units} with `--units`.",
    ),
    (
        "unauthorized",
        "Name the file of a token of the setting `tokens` with `--token-file` or ATOMA_TOKEN_FILE.",
    ),
    ("unknown_node", "`nodes` lists them."),
    ("unknown_task", "`tasks` lists the tasks."),
    (
        "unknown_alarm",
        "`alarms list --all` lists them; of those that are resolved, the latest 1,000 are kept.",
    ),
    (
        "unknown_transaction",
        "`transactions list` lists the journal.",
    ),
];

/// What the API says behind the reason why work is under way.
const POLL: &str = "; poll GET /transactions";

/// The error for people: one sentence or more, without characters that steer a terminal.
pub(crate) fn told(body: &ErrorBody) -> String {
    plain(&sentences(body).unwrap_or(Cow::Borrowed(&body.error)))
}

/// The message of an error of any kind, without its causes.
pub(super) fn message(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(ClientError::Api { body, .. }) => told(body),
        Some(ClientError::NotReached(_)) => {
            "the daemon can't be reached; check that it runs, that `--url` is right, and that a private certificate is \
             in `--ca-file`"
                .to_owned()
        }
        Some(ClientError::TimedOut(_)) => {
            "the daemon did not answer in time; check that it runs, or allow it more with `--timeout`"
                .to_owned()
        }
        Some(ClientError::TooMany { most }) => {
            format!("the list has more than {most} entries; narrow it down, such as with `--node`")
        }
        _ => error.to_string(),
    }
}

/// The daemon's refusal, if that is why a command failed.
pub(super) fn refusal(error: &anyhow::Error) -> Option<&ErrorBody> {
    error.chain().find_map(|cause| match cause.downcast_ref()? {
        ClientError::Api { body, .. } => Some(&**body),
        _ => None,
    })
}

/// What happened, and the command line's advice, if it has its own.
fn sentences(body: &ErrorBody) -> Option<Cow<'_, str>> {
    if body.code == "outcome_unknown" {
        let (reason, _) = body.error.split_once(POLL)?;
        let command = filled("`transactions watch {transaction_id}`", body)
            .unwrap_or_else(|| "`transactions list`".to_owned());
        return Some(format!("{reason}; follow it with {command}.").into());
    }
    let (_, advice) = ADVICE.iter().find(|(code, _)| *code == body.code)?;
    let (what, apis) = what_happened(body)?;
    // The reason behind it has an advice of its own.
    if body.code == "not_ready" && !apis.contains("GET /ready") {
        return None;
    }
    Some(format!("{what}. {}", filled(advice, body)?).into())
}

/// What happened, without the full stop, and the API's advice. The sentence of a failure is known; one of HTTP alone
/// is a single sentence.
fn what_happened(body: &ErrorBody) -> Option<(&str, &str)> {
    let Some(failure) = failure(body) else {
        return body.error.split_once(". ");
    };
    let own = failure.to_string();
    let (what, apis) = body.error.split_at_checked(own.len())?;
    (what.get(1..) == own.get(1..)).then(|| (what.trim_end_matches('.'), apis))
}

/// The advice with the error's details in place of the names in braces.
fn filled(advice: &str, body: &ErrorBody) -> Option<String> {
    let mut text = String::new();
    let mut rest = advice;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        text.push_str(before);
        match body.details.get(name)? {
            Value::String(value) => text.push_str(value),
            value => text.push_str(&value.to_string()),
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(code: &str, error: &str, details: Value) -> ErrorBody {
        serde_json::from_value(json!({"code": code, "error": error, "details": details})).unwrap()
    }

    /// Codes that the commands don't get, because they send nothing of this kind.
    const OF_OTHER_CLIENTS: &[&str] = &[
        "body_timeout",
        "body_too_large",
        "gas_price_too_low",
        "message_id_reused",
        "method_not_allowed",
        "no_stack",
        "node_mismatch",
        "not_acceptable",
        "not_json",
        "object_not_usable",
        "reservation_of_another_stack",
        "unknown_badge",
        "unknown_reservation",
    ];

    /// What the rules of flags refuse before anything is sent. `tests/api/command_line.rs` has the cases.
    const WRONG_USAGE: &[&str] = &["invalid_request"];

    /// The settings that an advice may name.
    const SETTINGS: &[&str] = &[
        "allow_foreign_use = true",
        "gas.daily_cap_mist",
        "monitoring",
        "rate_limits.reads_per_minute",
        "stack_on_strike",
        "sui.rpc_url",
    ];

    #[test]
    fn no_error_of_a_command_names_a_route_or_a_field() {
        let page = atoma_api::error_page();
        let rows = page.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            let (_, code) = (cells.next()?, cells.next()?.trim_matches('`'));
            Some((code.to_owned(), cells.collect::<String>()))
        });
        let rows: Vec<_> = rows.collect();
        for (code, sentence) in &rows {
            let quoted = sentence.split('`').skip(1).step_by(2);
            let names_fields = quoted.into_iter().any(|name| !SETTINGS.contains(&name));
            let names_api = names_fields
                || ["GET ", "POST ", "\""]
                    .iter()
                    .any(|of| sentence.contains(of));
            let is_advised = ADVICE.iter().any(|(known, _)| known == code)
                || code == "outcome_unknown"
                || OF_OTHER_CLIENTS.contains(&code.as_str())
                || WRONG_USAGE.contains(&code.as_str());
            assert!(is_advised || !names_api, "{code}: {sentence}");
        }
        for (code, advice) in ADVICE {
            assert!(rows.iter().any(|(known, _)| known == code), "{code}");
            assert!(!advice.contains("GET ") && !advice.contains('"'), "{code}");
        }
    }

    #[test]
    fn advice_names_flags_and_commands() {
        let cases = [
            (
                body(
                    "already_registered",
                    "The operator's address already owns the badge of node 1. Send \"additional\": true to register \
                     another node.",
                    json!({"node_small_id": 1}),
                ),
                "The operator's address already owns the badge of node 1. Add `--additional` to register another node.",
            ),
            (
                body(
                    "in_flight_with_other_parameters",
                    "Transaction 17 is already doing this with different parameters. Wait for it with GET …",
                    json!({"transaction_id": 17}),
                ),
                "Transaction 17 is already doing this with different parameters. Wait for it with `transactions watch \
                 17`, or repeat its parameters to join it.",
            ),
            (
                body(
                    "unauthorized",
                    "The request has no token. Send `Authorization: Bearer` with a token of the setting `tokens`.",
                    json!({}),
                ),
                "The request has no token. Name the file of a token of the setting `tokens` with `--token-file` or \
                 ATOMA_TOKEN_FILE.",
            ),
            (
                body(
                    "insufficient_scope",
                    "The token `monitoring` has the scope `read`, which allows reads only. Use a token with the scope \
                     `operate`.",
                    json!({}),
                ),
                "The token `monitoring` has the scope `read`, which allows reads only. Name the file of a token with \
                 the scope `operate` with `--token-file` or ATOMA_TOKEN_FILE.",
            ),
            (
                body(
                    "outcome_unknown",
                    "The Sui node is late. The work stays queued and goes on once that is over; poll GET \
                     /transactions/17.",
                    json!({"transaction_id": 17}),
                ),
                "The Sui node is late. The work stays queued and goes on once that is over; follow it with \
                 `transactions watch 17`.",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(told(&body), expected);
        }
    }

    #[test]
    fn other_sentences_stay_as_they_are() {
        let stopped = "The daemon is not ready: a badge was used. Stop the other daemon.";
        let cases = [
            body("unknown_stack", "Stack 42 is not known.", json!({})),
            body("of_the_future", "Stack 42 is odd. GET /odd.", json!({})),
            body(
                "already_final",
                "Other words. GET /x.",
                json!({"transaction_id": 17}),
            ),
            body(
                "not_ready",
                stopped,
                json!({"reasons": ["a badge was used"]}),
            ),
        ];
        for body in cases {
            assert_eq!(told(&body), body.error);
        }
    }
}
