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

/// The names that a response refers to.
fn bodies(response: &Value) -> String {
    response["content"]["application/json"]["schema"].to_string()
}

#[test]
fn a_request_over_several_stacks_may_fail_with_its_results() {
    let document = serde_json::to_value(document()).unwrap();
    for (path, whole) in [
        ("/try_settle_stack_ids", "/Batch"),
        ("/submit_stack_settlement_attestations", "/Batch"),
        ("/claim_funds", "/Claim"),
        ("/nodes/claim-funds", "/Claim"),
    ] {
        let responses = &document["paths"][path]["post"]["responses"];
        for (status, may_have_results) in [
            ("400", true),
            ("401", false),
            ("403", false),
            ("406", false),
            ("409", true),
            ("413", false),
            ("415", false),
            ("422", true),
            ("429", true),
            ("500", true),
            ("502", true),
            ("503", true),
            ("504", true),
        ] {
            let bodies = bodies(&responses[status]);
            assert!(bodies.contains("/Error"), "{path} {status}: {bodies}");
            assert_eq!(bodies.contains(whole), may_have_results, "{path} {status}");
        }
    }
    let ready = &document["paths"]["/ready"]["get"]["responses"]["503"];
    assert_eq!(ready["description"], "`not_ready`");
    assert!(bodies(ready).contains("/NotReady") && !bodies(ready).contains("anyOf"));
}

#[test]
fn the_headers_of_responses_are_described() {
    let document = serde_json::to_value(document()).unwrap();
    let headers = |path: &str, method: &str, status: &str| -> Vec<String> {
        let response = &document["paths"][path][method]["responses"][status];
        let headers = response["headers"].as_object().into_iter().flatten();
        headers.map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(headers("/stacks", "get", "304"), ["ETag", "Link"]);
    assert_eq!(headers("/stacks", "get", "401"), ["WWW-Authenticate"]);
    assert_eq!(headers("/stacks", "get", "503"), ["Retry-After"]);
    assert_eq!(headers("/register", "post", "403"), ["WWW-Authenticate"]);
    assert_eq!(headers("/register", "post", "429"), ["Retry-After"]);
    assert_eq!(headers("/register", "post", "503"), ["Retry-After"]);
}

#[test]
fn only_what_can_be_simulated_takes_dry_run_and_only_what_is_remembered_a_key() {
    let document = serde_json::to_value(document()).unwrap();
    let has = |path: &str, method: &str, name: &str| {
        let operation = &document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path}");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["name"] == name)
            .count()
            == 1
    };
    for (path, method, dry_run, key) in [
        ("/register", "post", true, true),
        ("/reservations", "post", true, true),
        ("/stack_messages", "post", true, true),
        ("/reservations/{reservation_id}", "patch", false, false),
        ("/reservations", "delete", false, false),
        ("/transactions/{id}/abandon", "post", false, false),
        ("/reconcile", "post", true, false),
    ] {
        assert_eq!(has(path, method, "dry_run"), dry_run, "{path}");
        assert_eq!(has(path, method, "Idempotency-Key"), key, "{path}");
    }
}

#[test]
fn a_list_that_is_always_short_waits_for_no_turn() {
    let document = serde_json::to_value(document()).unwrap();
    let busy = |path: &str| {
        let response = &document["paths"][path]["get"]["responses"]["503"];
        response.to_string().contains("`busy`")
    };
    assert!(busy("/stacks") && !busy("/nodes"));
}
