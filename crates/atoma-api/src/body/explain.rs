//! What is wrong with a body, as a sentence that names the field.
//!
//! Serde says what it expected, but in flattened structures not of which field. So the field is found by
//! leaving out one after the other: without the wrong one, the body has no error, or another one.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::params::shown;

/// The query parameter that simulates a request, without punctuation.
const DRY_RUN: &str = "dryrun";

/// A body that is no JSON object.
pub(super) fn not_an_object(error: &serde_json::Error) -> String {
    if error.is_data() {
        return String::from("The request body must be a JSON object, as in {\"name\": value}.");
    }
    let (line, column) = (error.line(), error.column());
    // Serde has no kind for it.
    if error.to_string().starts_with("recursion limit exceeded") {
        return format!(
            "The request body is nested too deeply: the daemon reads no further at line {line}, column {column}."
        );
    }
    format!("The request body is not valid JSON: it goes wrong at line {line}, column {column}.")
}

/// Refuses `dry_run` among the fields. Other unknown fields are ignored, because operators' scripts carry
/// some, but this one says that nothing must be sent.
pub(super) fn refuse_misplaced(json: &Map<String, Value>) -> Result<(), String> {
    let is_dry_run = |name: &&String| {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).eq(DRY_RUN.chars())
    };
    match json.keys().find(is_dry_run) {
        Some(name) => Err(format!(
            "`{name}` is not a field of the body. Send it in the query, as in `?dry_run=true`."
        )),
        None => Ok(()),
    }
}

/// Why this object is not a `T`.
pub(super) fn explain<T: DeserializeOwned>(
    json: &Map<String, Value>,
    error: &serde_json::Error,
) -> String {
    let Some(problem) = problem::<T>(json) else {
        // As an object, a field given twice has its last value.
        let error = error.to_string();
        let repeated = quoted(&error, "duplicate field ");
        return repeated.map_or_else(
            || String::from("The request body has a field twice. Send each field once."),
            |name| format!("`{name}` is given twice in the request body. Send it once."),
        );
    };
    if let Some(name) = quoted(&problem, "missing field ") {
        return format!("`{name}` is missing from the request body.");
    }
    let is_cause = |name: &&String| {
        let mut others = json.clone();
        others.remove(*name);
        self::problem::<T>(&others).as_deref() != Some(&problem)
    };
    let Some((name, value)) = json
        .keys()
        .find(is_cause)
        .and_then(|n| json.get_key_value(n))
    else {
        return format!("The request body does not fit this endpoint: {problem}.");
    };
    if let Some(known) = problem.strip_prefix("unknown field ") {
        let known = known.split_once(", expected ").map(|(_, known)| known);
        let known = known.unwrap_or("no fields").replace("one of ", "");
        return format!("`{name}` is not a field of this request. It takes {known}.");
    }
    let found = shown(&value.to_string());
    match problem.split_once(", expected ") {
        Some((_, expected)) => {
            let subject = match (value, expected) {
                (Value::Array(_), "a sequence") => String::new(),
                (Value::Array(_), _) => String::from("Each entry of "),
                _ => String::new(),
            };
            format!(
                "{subject}`{name}` must be {}, not {found}.",
                plain(expected)
            )
        }
        None => format!("`{name}` can't be {found}: {problem}."),
    }
}

/// What serde says about the object; `None` if it is a `T`.
fn problem<T: DeserializeOwned>(json: &Map<String, Value>) -> Option<String> {
    let error = serde_json::from_value::<T>(Value::Object(json.clone())).err()?;
    Some(error.to_string())
}

/// What serde expects, in the words of JSON.
fn plain(expected: &str) -> &str {
    match expected {
        "u64" | "usize" => "an integer from 0 to 2^64 - 1",
        "u32" => "an integer from 0 to 2^32 - 1",
        "u16" => "an integer from 0 to 65535",
        "u8" => "an integer from 0 to 255",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a JSON number" => "a number",
        other => other,
    }
}

/// The name in backquotes after `prefix`.
fn quoted<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(prefix)?;
    rest.strip_prefix('`')?.split('`').next()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::super::parse;
    use atoma_api_types::{Price, TransactionOptions};

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is only read")]
    struct Request {
        #[serde(flatten)]
        common: TransactionOptions,
        #[serde(flatten)]
        price: Price,
        stack_small_ids: Vec<u64>,
        #[serde(default)]
        allow_dispute: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Strict {
        stack_small_id: u64,
        message_hash: atoma_domain::Hash32,
    }

    fn sentence(text: &str) -> String {
        parse::<Request>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_called_invalid() {
        let nested = |levels| format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(!sentence(&nested(9)).contains("deeply"));
        let refused = sentence(&nested(1_000));
        assert!(refused.contains("nested too deeply"), "{refused}");
        assert!(sentence("{").contains("not valid JSON"));
    }

    #[test]
    fn an_error_names_the_field_and_what_it_must_be() {
        for (fields, expected) in [
            (
                json!({"gas_budget": "9"}),
                "`gas_budget` must be an integer from 0 to 2^64 - 1, not \"9\".",
            ),
            (
                json!({"gas_price": 1.5}),
                "`gas_price` must be an integer from 0 to 2^64 - 1, not 1.5.",
            ),
            (
                json!({"node_small_id": -1}),
                "`node_small_id` must be an integer from 0 to 2^64 - 1, not -1.",
            ),
            (
                json!({"allow_dispute": 1}),
                "`allow_dispute` must be `true` or `false`, not 1.",
            ),
            (
                json!({"stack_small_ids": 2}),
                "`stack_small_ids` must be a list, not 2.",
            ),
            (
                json!({"stack_small_ids": [1, "2"]}),
                "Each entry of `stack_small_ids` must be an integer from 0 to 2^64 - 1, not [1,\"2\"].",
            ),
            (
                json!({"gas": "0xzz"}),
                "`gas` can't be \"0xzz\": an address or object id has 1 to 64 hexadecimal digits.",
            ),
            (json!({"gas": 7}), "`gas` must be a string, not 7."),
        ] {
            let mut body = json!({"stack_small_ids": [1], "comment": "of a script"});
            let object = body.as_object_mut().unwrap();
            object.extend(fields.as_object().unwrap().clone());
            assert_eq!(sentence(&body.to_string()), expected);
        }
        assert_eq!(
            sentence("{}"),
            "`stack_small_ids` is missing from the request body."
        );
    }

    #[test]
    fn what_is_no_object_is_said_to_be_none() {
        assert!(sentence("[1]").starts_with("The request body must be a JSON object"));
        assert!(sentence("{\"a\": ").contains("line 1, column 6"));
        assert_eq!(
            sentence(r#"{"stack_small_ids": [4], "stack_small_ids": [4]}"#),
            "`stack_small_ids` is given twice in the request body. Send it once."
        );
    }

    #[test]
    fn a_dry_run_is_not_hidden_in_the_body() {
        for name in ["dry_run", "dryRun", "dry-run"] {
            let body = format!("{{\"stack_small_ids\": [1], \"{name}\": true}}");
            assert!(sentence(&body).starts_with(&format!("`{name}` is not a field")));
        }
    }

    #[test]
    fn a_strict_body_names_the_unknown_field() {
        let strict =
            |body: serde_json::Value| parse::<Strict>(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(
            strict(json!({"stack_small_id": 1, "message_hush": "0x"})),
            "`message_hush` is not a field of this request. It takes `stack_small_id` or `message_hash`."
        );
        let refused = strict(json!({"stack_small_id": 1, "message_hash": "0x12"}));
        assert!(refused.starts_with("`message_hash` "), "{refused}");
    }
}
