//! The documents about the API are those that its code gives.
//!
//! `UPDATE_DOCUMENTS=1 cargo test -p atoma-daemon --test repository` writes the generated ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// A path with nameless parameters: their names differ between documents.
fn nameless(path: &str) -> String {
    path.split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// The routes of `docs/api.md`: those in backquotes at the beginning of a row.
fn documented(document: &str) -> BTreeSet<String> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter_map(|name| name.split_once(" /"))
        .map(|(method, path)| format!("{method} /{}", nameless(path)))
        .collect()
}

#[test]
fn the_guide_to_the_api_names_every_route() {
    let document = serde_json::to_value(atoma_api::document()).unwrap();
    let of_path = |(path, item): (&String, &Value)| -> Vec<String> {
        let methods = item.as_object().unwrap().keys();
        methods
            .map(|method| format!("{} {}", method.to_uppercase(), nameless(path)))
            .collect()
    };
    let paths = document["paths"].as_object().unwrap();
    let served: BTreeSet<String> = paths.iter().flat_map(of_path).collect();
    let guide = fs::read_to_string(docs().join("api.md")).unwrap();
    assert_eq!(documented(&guide), served);
}

#[test]
fn the_generated_documents_are_current() {
    let json = serde_json::to_string_pretty(&atoma_api::document()).unwrap();
    let generated = [
        ("openapi.json", json + "\n"),
        ("errors.md", atoma_api::error_page()),
        ("metrics.md", atoma_metrics::metrics_page().unwrap()),
    ];
    for (name, text) in generated {
        let file = docs().join(name);
        if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == text,
            "docs/{name} is not what the code gives; UPDATE_DOCUMENTS=1 writes it"
        );
    }
}
