//! Fields of a body that a request does not have.
//!
//! Operators' scripts carry some, so they are no reason to refuse a request. But a misspelt `allow_dispute`
//! must not go unnoticed, so the answer names them.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::params::shown;
use crate::spelling::similar;

/// The most fields that are named. Every stack of an answer repeats them.
const MOST_NAMED: usize = 8;

/// The remaining fields of a body. It must be flattened after all other fields.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ignored(Map<String, Value>);

impl Ignored {
    /// One sentence for each of them, for a request that has these fields besides the
    /// [common ones](crate::params::CommonFields).
    pub(crate) fn warnings(&self, known: &[&'static str]) -> Vec<String> {
        let known = || COMMON.iter().chain(known).copied();
        let sentence = |name: &String| {
            let meant = similar(name, known())
                .map(|meant| format!("; did you mean `{meant}`?"))
                .unwrap_or_else(|| String::from("."));
            let name = shown(name);
            format!("`{name}` is not a field of this request and was ignored{meant}")
        };
        let mut sentences: Vec<_> = self.0.keys().take(MOST_NAMED).map(sentence).collect();
        let unnamed = self.0.len().saturating_sub(MOST_NAMED);
        if unnamed > 0 {
            sentences.push(format!(
                "{unnamed} more fields of this request were ignored."
            ));
        }
        sentences
    }
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
    use crate::params::{CommonFields, Price};
    use serde_json::json;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "it is only read")]
    struct Request {
        #[serde(flatten)]
        common: CommonFields,
        #[serde(flatten)]
        price: Price,
        #[serde(default)]
        allow_dispute: bool,
        #[serde(flatten)]
        ignored: Ignored,
    }

    fn warnings(body: Value) -> Vec<String> {
        let request: Request = serde_json::from_value(body).unwrap();
        request.ignored.warnings(&["allow_dispute"])
    }

    #[test]
    fn each_ignored_field_is_named_with_the_one_that_was_meant() {
        assert_eq!(
            warnings(
                json!({"allow_disput": true, "comment": 1, "gas_price": 1, "allow_dispute": true})
            ),
            [
                "`allow_disput` is not a field of this request and was ignored; did you mean `allow_dispute`?",
                "`comment` is not a field of this request and was ignored.",
            ]
        );
        let own = json!({"price_per_compute_unit": 1, "allow_dispute": false, "node_small_id": 1});
        assert!(warnings(own).is_empty());
    }

    #[test]
    fn many_or_long_names_make_no_long_answer() {
        let fields = (0..1_000).map(|number| (format!("{number:0>500}"), json!(0)));
        let warnings = warnings(Value::Object(fields.collect()));
        assert_eq!(warnings.len(), 9);
        assert!(warnings.iter().all(|warning| warning.len() < 200));
        assert!(warnings[8].starts_with("992 more"));
    }

    /// Every common field is read, and so refused with a value that it can't have.
    #[test]
    fn the_common_fields_are_those_that_are_read() {
        for name in COMMON {
            let body = json!({ *name: [] });
            assert!(serde_json::from_value::<CommonFields>(body).is_err());
        }
    }
}
