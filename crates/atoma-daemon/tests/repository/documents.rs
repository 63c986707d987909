//! The files that documents name must exist.
//!
//! This checks `README.md` and everything in `docs/`: the targets of relative links, and text in
//! backquotes that starts like a path of the repository. In a section whose heading is a folder in
//! backquotes, names such as `some/file.rs` or `some/folder/` are relative to that folder, or to a
//! folder that the same line has named before.

use std::fs;
use std::path::{Path, PathBuf};

/// How paths from the repository's root start.
const ROOTS: &[&str] = &[".ci/", ".github/", "crates/", "deploy/", "docs/", "tests/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The targets of relative links.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

/// The texts in backquotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The folder that a heading names.
fn folder_of_heading(line: &str) -> Option<&str> {
    quoted(line).find(|text| ROOTS.iter().any(|root| text.starts_with(root)))
}

/// Every file that a document names and that doesn't exist.
fn missing(document: &str, folder: &Path, root: &Path) -> Vec<String> {
    let mut section: Option<PathBuf> = None;
    let mut is_code = false;
    let mut found = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        if line.starts_with('#') {
            section = folder_of_heading(line).map(|name| root.join(name));
        }
        for target in links(line) {
            if !folder.join(target).exists() {
                found.push(target.to_owned());
            }
        }
        let mut folder_of_line: Option<PathBuf> = None;
        for text in quoted(line).filter(|text| !text.contains(['*', '{', ' '])) {
            let is_file_of_section = text.ends_with(".rs") || text.ends_with('/');
            let path = if ROOTS.iter().any(|root| text.starts_with(root)) {
                root.join(text)
            } else if let (Some(section), true) = (&section, is_file_of_section) {
                let beside = folder_of_line.as_ref().map(|folder| folder.join(text));
                beside
                    .filter(|path| path.exists())
                    .unwrap_or_else(|| section.join(text))
            } else {
                continue;
            };
            if !path.exists() {
                found.push(text.to_owned());
            } else if path.is_dir() {
                folder_of_line = Some(path);
            }
        }
    }
    found
}

#[test]
fn every_file_that_a_document_names_exists() {
    let documents = documents();
    assert!(documents.len() > 5, "only {documents:?} were found");
    for path in documents {
        let text = fs::read_to_string(&path).expect("the document can be read");
        let folder = path.parent().expect("a file stands in a folder");
        let missing = missing(&text, folder, &root());
        assert!(missing.is_empty(), "{} names {missing:?}", path.display());
    }
}

/// A table that is not in the page is one that nobody has been told the reason of.
#[test]
fn the_page_on_state_names_every_table() {
    let page = fs::read_to_string(root().join("docs/state.md")).expect("the page can be read");
    let mut tables = 0;
    for migration in fs::read_dir(root().join("crates/atoma-state/migrations/sqlite"))
        .expect("the folder exists")
    {
        let schema = fs::read_to_string(migration.expect("it can be read").path());
        for line in schema.expect("it can be read").lines() {
            let Some(rest) = line.strip_prefix("CREATE TABLE ") else {
                continue;
            };
            let table = rest.trim_end_matches(" (");
            assert!(page.contains(&format!("`{table}`")), "{table}");
            tables += 1;
        }
    }
    assert!(tables > 20, "only {tables} tables were found");
}

#[test]
fn a_missing_file_is_found() {
    let document = "\
        [here](LICENSE) [gone](LICENCE.txt#top) [away](https://example.com/x)\n\
        `crates/atoma-daemon/Cargo.toml` `crates/atoma-nothing/` `no/path.rs`\n\
        ## `crates/atoma-daemon/tests/repository`\n\
        `documents.rs` `nonsense.rs` `gone/`\n\
        ## `crates/atoma-domain`\n\
        `src/` `lib.rs` `nowhere.rs`\n\
        `lib.rs`\n";
    assert_eq!(
        missing(document, &root(), &root()),
        [
            "LICENCE.txt",
            "crates/atoma-nothing/",
            "nonsense.rs",
            "gone/",
            "nowhere.rs",
            "lib.rs"
        ]
    );
}
