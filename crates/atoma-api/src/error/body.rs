//! The JSON body of an error.

use atoma_domain::journal::Failure;
use atoma_operator::Unsuccessful;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::failures::{advice, is_outcome_unknown};

/// The body of every error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    /// What happened, to what, and what to do.
    error: String,
    /// The stable code.
    code: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    details: Map<String, Value>,
}

impl ErrorBody {
    /// An error without details.
    pub(crate) fn new(code: &str, error: String) -> Self {
        Self {
            error,
            code: code.to_owned(),
            details: Map::new(),
        }
    }

    /// The body for a failure, with the advice for its cause.
    pub(crate) fn advised_by(failure: &Failure, cause: &Failure) -> Self {
        let (code, details) = failure.code_and_details();
        let mut error = sentence(&failure.to_string());
        let advice = advice(cause);
        if !advice.is_empty() {
            error.push(' ');
            error.push_str(&advice);
        }
        Self {
            error,
            code,
            details,
        }
    }

    /// The body for work that is still under way, with the reason why it waits.
    fn outcome_unknown(unsuccessful: &Unsuccessful) -> Self {
        let reason = &unsuccessful.failure;
        if matches!(reason, Failure::OutcomeUnknown { .. }) {
            return reason.into();
        }
        let poll = unsuccessful.transaction_id.map_or_else(
            || String::from("GET /transactions"),
            |id| format!("GET /transactions/{id}"),
        );
        Self::new(
            "outcome_unknown",
            format!(
                "{} The work stays queued and goes on once that is over; poll {poll}.",
                sentence(&reason.to_string())
            ),
        )
    }
}

impl From<&Failure> for ErrorBody {
    fn from(failure: &Failure) -> Self {
        Self::advised_by(failure, failure)
    }
}

impl From<&Unsuccessful> for ErrorBody {
    fn from(unsuccessful: &Unsuccessful) -> Self {
        let mut body = if is_outcome_unknown(unsuccessful) {
            Self::outcome_unknown(unsuccessful)
        } else {
            Self::from(&unsuccessful.failure)
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
