//! Fields of a body that a request does not have.
//!
//! Operators' scripts carry some, so they are no reason to refuse a request. But a misspelt `allow_dispute`
//! must not go unnoticed, so the answer names them.

use atoma_api_types::IgnoredFields;

use crate::params::shown;
use crate::spelling::similar;

/// The most fields that are named. Every stack of an answer repeats them.
const MOST_NAMED: usize = 8;

/// One sentence for each of them, for a request that has these fields besides the
/// [common ones](atoma_api_types::TransactionOptions).
pub(crate) fn warnings(ignored: &IgnoredFields, known: &[&'static str]) -> Vec<String> {
    let known = || COMMON.iter().chain(known).copied();
    let sentence = |name: &String| {
        let meant = similar(name, known())
            .map(|meant| format!("; did you mean `{meant}`?"))
            .unwrap_or_else(|| String::from("."));
        let name = shown(name);
        format!("`{name}` is not a field of this request and was ignored{meant}")
    };
    let mut sentences: Vec<_> = ignored.0.keys().take(MOST_NAMED).map(sentence).collect();
    let unnamed = ignored.0.len().saturating_sub(MOST_NAMED);
    if unnamed > 0 {
        sentences.push(format!(
            "{unnamed} more fields of this request were ignored."
        ));
    }
    sentences
}

/// The names of the common fields.
const COMMON: &[&str] = &[
    "gas",
    "gas_budget",
    "gas_price",
    "node_small_id",
    "node_badge_id",
];

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_api_types::{AttestRequest, TransactionOptions};
    use serde_json::{Value, json};

    fn warned(mut body: Value) -> Vec<String> {
        body["stack_small_ids"] = json!([]);
        let request: AttestRequest = serde_json::from_value(body).unwrap();
        warnings(&request.ignored, &["stack_small_ids", "allow_dispute"])
    }

    #[test]
    fn each_ignored_field_is_named_with_the_one_that_was_meant() {
        assert_eq!(
            warned(
                json!({"allow_disput": true, "comment": 1, "gas_price": 1, "allow_dispute": true})
            ),
            [
                "`allow_disput` is not a field of this request and was ignored; did you mean `allow_dispute`?",
                "`comment` is not a field of this request and was ignored.",
            ]
        );
        let own = json!({"allow_dispute": false, "node_small_id": 1});
        assert!(warned(own).is_empty());
    }

    #[test]
    fn many_or_long_names_make_no_long_answer() {
        let fields = (0..1_000).map(|number| (format!("{number:0>500}"), json!(0)));
        let warnings = warned(Value::Object(fields.collect()));
        assert_eq!(warnings.len(), 9);
        assert!(warnings.iter().all(|warning| warning.len() < 200));
        assert!(warnings[8].starts_with("992 more"));
    }

    /// Every common field is read, and so refused with a value that it can't have.
    #[test]
    fn the_common_fields_are_those_that_are_read() {
        for name in COMMON {
            let body = json!({ *name: [] });
            assert!(serde_json::from_value::<TransactionOptions>(body).is_err());
        }
    }
}
