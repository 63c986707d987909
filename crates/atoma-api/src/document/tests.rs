use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use crate::openapi::is_known;

/// Each operation of the document, with its path and method.
fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| -> Vec<(String, Value)> {
        let methods = item.as_object().unwrap().iter();
        methods
            .map(|(method, operation)| (format!("{method} {path}"), operation.clone()))
            .collect()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn every_reference_and_id_is_right() {
    let document = serde_json::to_value(document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    let operations = operations(&document);
    let ids: BTreeSet<_> = operations
        .iter()
        .map(|(_, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_field_and_parameter_has_a_description() {
    let document = serde_json::to_value(document()).unwrap();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts.chain([schema]) {
            for (field, schema) in part["properties"].as_object().into_iter().flatten() {
                // The description of an optional field stands beside its reference.
                let parts = schema["oneOf"].as_array().into_iter().flatten();
                let is_described = |part: &Value| part["description"].is_string();
                assert!(parts.chain([schema]).any(is_described), "{name}.{field}");
            }
        }
    }
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
        }
        let is_public = operation["security"] == serde_json::json!([]);
        assert_eq!(operation["responses"]["401"].is_null(), is_public, "{name}");
        for status in ["200", "400", "403", "500"] {
            assert!(
                operation["responses"][status].is_object(),
                "{name}: {status}"
            );
        }
    }
}

#[test]
fn every_code_of_an_operation_exists() {
    let mut codes = BTreeSet::new();
    for endpoint in crate::routes::endpoints() {
        codes.extend(endpoint.codes());
    }
    for code in codes {
        assert!(is_known(code), "{code}");
    }
}
