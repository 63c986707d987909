//! Reading the vectors, and comparing events with them.

use atoma_domain::events::ContractEvent;
use serde_json::Value;

use crate::vm::{MoveError, MoveErrorKind};

pub(super) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key} in {value}"))
}

/// A number, which may be written as a string of decimal digits.
pub(super) fn number(value: &Value) -> u64 {
    match value {
        Value::String(digits) => digits.parse().unwrap(),
        other => other
            .as_u64()
            .unwrap_or_else(|| panic!("no number: {other}")),
    }
}

pub(super) fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// Fields with ids derived from transaction digests, which the vectors don't have.
const DERIVED_IDS: &[&str] = &["stack_id", "badge_id", "task_id", "db", "manager_badge"];

/// Events in a form that can be compared: names, and fields with numbers and hexadecimal strings
/// normalized.
pub(super) fn comparable(events: &[ContractEvent]) -> Vec<Value> {
    events
        .iter()
        .map(|event| {
            let tagged = serde_json::to_value(event).unwrap();
            let fields = tagged.as_object().unwrap().values().next().unwrap();
            normal(event.name(), fields)
        })
        .collect()
}

/// The events of a vector in the same form.
pub(super) fn expected(events: &Value) -> Vec<Value> {
    let events = events.as_array().unwrap();
    events
        .iter()
        .map(|event| normal(text(event, "type"), &event["fields"]))
        .collect()
}

fn normal(name: &str, fields: &Value) -> Value {
    let mut fields = unify(fields);
    for id in DERIVED_IDS {
        if let Some(value) = fields.get_mut(*id) {
            *value = Value::Null;
        }
    }
    serde_json::json!({ "type": name, "fields": fields })
}

fn unify(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => Value::String(text.trim_start_matches("0x").to_owned()),
        Value::Array(items) => items.iter().map(unify).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), unify(value)))
            .collect(),
        other => other.clone(),
    }
}

/// An error in the vectors' terms: outcome, code, module, function.
pub(super) fn described(error: &MoveError) -> (&'static str, Option<u64>, String, String) {
    let (outcome, code, package, module, function) = match &error.kind {
        MoveErrorKind::Abort {
            package,
            module,
            function,
            code,
        } => ("abort", Some(*code), package, module, function),
        MoveErrorKind::Arithmetic {
            package,
            module,
            function,
        } => ("error", None, package, module, function),
        other => panic!("not an error of the contract: {other}"),
    };
    let package = match package
        .to_string()
        .trim_start_matches("0x")
        .trim_start_matches('0')
    {
        "1" => "std",
        "2" => "sui",
        "a70a" => "atoma",
        other => panic!("unknown package {other}"),
    };
    (
        outcome,
        code,
        format!("{package}::{module}"),
        function.to_string(),
    )
}

/// Compares an error with a vector that has at least code and module.
pub(super) fn assert_error(error: &MoveError, vector: &Value, case: &str) {
    let (outcome, code, module, function) = described(error);
    assert_eq!(outcome, text(vector, "outcome"), "{case}: {error}");
    assert_eq!(code, vector.get("code").map(number), "{case}: {error}");
    assert_eq!(module, text(vector, "module"), "{case}: {error}");
    if let Some(raised_in) = vector.get("raised_in").and_then(Value::as_str) {
        assert_eq!(
            format!("{module}::{function}"),
            raised_in,
            "{case}: {error}"
        );
    }
    if let Some(native) = vector.get("native_function").and_then(Value::as_str) {
        assert_eq!(function, native, "{case}: {error}");
    }
}
