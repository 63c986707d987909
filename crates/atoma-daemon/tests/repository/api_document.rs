//! `docs/api.md` names every route of the server, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The routes of a module: `get("…"` and `post("…"`, and `Endpoint::at("…")` with the methods after it.
fn routes(module: &str) -> Vec<String> {
    // Up to the first handler there is nothing but routes.
    let text = module.split("async fn ").next().unwrap_or_default();
    let compact: String = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (start, method) in [("(get(\"/", "GET"), ("(post(\"/", "POST")] {
        for rest in compact.split(start).skip(1) {
            found.push(format!("{method} /{}", until_quote(rest)));
        }
    }
    for rest in compact.split("Endpoint::at(\"/").skip(1) {
        let path = until_quote(rest);
        let methods = rest.split(';').next().unwrap_or_default();
        if methods.contains(".get(") {
            found.push(format!("GET /{path}"));
        }
        for method in methods.split("Method::").skip(1) {
            let method = method.split(',').next().unwrap_or_default();
            found.push(format!("{method} /{path}"));
        }
    }
    found
}

fn until_quote(text: &str) -> &str {
    text.split('"').next().unwrap_or_default()
}

/// The routes of the document: those in backquotes at the beginning of a row.
fn documented(document: &str) -> BTreeSet<String> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.contains(" /"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_document_of_the_api_names_every_route() {
    let folder = root().join("crates/atoma-api/src/routes");
    let mut served = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .is_some_and(|name| name != "resource.rs" && name != "mod.rs")
        {
            served.extend(routes(&fs::read_to_string(path).unwrap()));
        }
    }
    assert!(served.len() > 30, "only {served:?} were found");
    let document = fs::read_to_string(root().join("docs/api.md")).unwrap();
    assert_eq!(documented(&document), served);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("(docs/api.md)"));
}

#[test]
fn routes_are_found_however_they_are_written() {
    let module = r#"
        config
            .service(get("/a", &[], a))
            .service(post(
                "/b/{id}",
                SIMULATED,
                b,
            ));
        let all = Endpoint::at("/c")
            .get(FILTERS, c)
            .write(Method::DELETE, &[], c);
        }
        async fn a() { get("/not_a_route") }
    "#;
    assert_eq!(
        routes(module),
        ["GET /a", "POST /b/{id}", "GET /c", "DELETE /c"]
    );
}
