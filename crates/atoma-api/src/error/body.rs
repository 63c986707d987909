//! The JSON body of an error.

use atoma_api_types::ErrorBody;
use atoma_domain::journal::Failure;
use atoma_operator::Unsuccessful;
use serde_json::{Map, json};

use super::failures::{advice, is_outcome_unknown};

/// An error without details.
pub(crate) fn without_details(code: &str, error: String) -> ErrorBody {
    ErrorBody {
        error,
        code: code.to_owned(),
        details: Map::new(),
    }
}

/// The body for a failure, with the advice for it.
pub(crate) fn error_body(failure: &Failure) -> ErrorBody {
    advised_by(failure, failure)
}

/// The body for a failure, with the advice for its cause.
pub(crate) fn advised_by(failure: &Failure, cause: &Failure) -> ErrorBody {
    let (code, details) = failure.code_and_details();
    let mut error = sentence(&failure.to_string());
    let advice = advice(cause);
    if !advice.is_empty() {
        error.push(' ');
        error.push_str(&advice);
    }
    ErrorBody {
        error,
        code,
        details,
    }
}

/// The body for a request that has not succeeded, or not yet, with what to poll.
pub(crate) fn unsuccessful_body(unsuccessful: &Unsuccessful) -> ErrorBody {
    let mut body = if is_outcome_unknown(unsuccessful) {
        outcome_unknown(unsuccessful)
    } else {
        error_body(&unsuccessful.failure)
    };
    if let Some(id) = unsuccessful.transaction_id {
        body.details
            .insert(String::from("transaction_id"), json!(id));
    }
    if let Some(digest) = unsuccessful.tx_digest {
        body.details
            .insert(String::from("tx_digest"), json!(digest));
    }
    body
}

/// The body for work that is still under way, with the reason why it waits.
fn outcome_unknown(unsuccessful: &Unsuccessful) -> ErrorBody {
    let reason = &unsuccessful.failure;
    if matches!(reason, Failure::OutcomeUnknown { .. }) {
        return error_body(reason);
    }
    let poll = unsuccessful.transaction_id.map_or_else(
        || String::from("GET /transactions"),
        |id| format!("GET /transactions/{id}"),
    );
    without_details(
        "outcome_unknown",
        format!(
            "{} The work stays queued and goes on once that is over; poll {poll}.",
            sentence(&reason.to_string())
        ),
    )
}

/// The text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
