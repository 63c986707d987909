//! Every response of the API must be as its OpenAPI document says.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(atoma_api::document()).unwrap());
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What every path and method may be answered with before an operation has been chosen.
const BEFORE_ROUTING: &[u16] = &[401, 403, 404, 405, 406, 429];

/// Fails unless the document has this status for the operation, its code for the status, and its shape.
#[track_caller]
pub(crate) fn assert_described(method: &Method, path: &str, status: u16, body: &Value) {
    let name = format!("{method} {path} -> {status} {body}");
    let Some(operation) = operation(method, path) else {
        assert!(BEFORE_ROUTING.contains(&status), "not described: {name}");
        return;
    };
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "status not described: {name}");
    if let Some(code) = body["code"].as_str() {
        let codes = response["description"].as_str().unwrap();
        // A code that another version wrote is not known to the document.
        let code = if status == 500 && code != "internal" {
            "unrecognized"
        } else {
            code
        };
        assert!(
            codes.contains(&format!("`{code}`")) || codes.starts_with("Some"),
            "code not described: {name}"
        );
    }
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_object() {
        let errors: Vec<_> = validator(schema)
            .iter_errors(body)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}: {name}");
    }
}

/// Fails unless the document allows the query parameters of a path that the API has taken.
#[track_caller]
pub(crate) fn assert_query_described(method: &Method, path: &str) {
    let Some((operation, (_, query))) = operation(method, path).zip(path.split_once('?')) else {
        return;
    };
    let parameters = operation["parameters"].as_array().unwrap();
    for (name, text) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let parameter = parameters
            .iter()
            .find(|known| known["in"] == "query" && known["name"] == name);
        assert!(parameter.is_some(), "not described: {name} of {path}");
        let schema = &parameter.unwrap()["schema"];
        let value = match schema["type"].as_str() {
            Some("string") => json!(text),
            _ => serde_json::from_str(text).unwrap(),
        };
        assert!(validator(schema).is_valid(&value), "{path}: {schema}");
    }
}

fn validator(schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let known = validators.entry(schema.to_string()).or_insert_with(|| {
        let mut schema = schema.clone();
        schema["components"] = DOCUMENT["components"].clone();
        Arc::new(jsonschema::validator_for(&schema).unwrap())
    });
    Arc::clone(known)
}

/// The operation of a path. Literal segments go before parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?;
    let method = match *method {
        Method::HEAD => "get".to_owned(),
        _ => method.as_str().to_lowercase(),
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let mut matching: Vec<_> = paths
        .iter()
        .filter(|(template, _)| matches(template, path))
        .collect();
    matching.sort_by_key(|(template, _)| template.matches('{').count());
    let (_, item) = matching.first()?;
    item.get(&method)
}

fn matches(template: &str, path: &str) -> bool {
    let (templates, segments) = (template.split('/'), path.split('/'));
    templates.clone().count() == segments.clone().count()
        && templates
            .zip(segments)
            .all(|(template, segment)| template.starts_with('{') || template == segment)
}

/// The check itself can fail.
#[test]
fn what_is_not_described_is_found() {
    let refused = |status, body: Value| {
        let check = || assert_described(&Method::GET, "/stacks?limit=1", status, &body);
        std::panic::catch_unwind(check).is_err()
    };
    assert!(!refused(200, json!([])));
    assert!(refused(200, json!([{"stack_small_id": 1}])));
    assert!(refused(200, json!({})));
    assert!(refused(418, json!({"error": "x", "code": "teapot"})));
    assert!(refused(
        400,
        json!({"error": "x", "code": "treasury_short"})
    ));
    assert!(refused(400, json!({"code": "invalid_request"})));
    assert!(!refused(
        400,
        json!({"error": "x", "code": "invalid_request"})
    ));
    let misses = |query| {
        let check = || assert_query_described(&Method::GET, &format!("/stacks?{query}"));
        std::panic::catch_unwind(check).is_err()
    };
    assert!(!misses("limit=1&cursor=1"));
    assert!(misses("limit=0"));
    assert!(misses("cursor=x"));
    assert!(misses("filter=1"));
}
