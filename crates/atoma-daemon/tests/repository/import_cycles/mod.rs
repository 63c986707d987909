//! No files of a crate import each other, directly or through others.
//!
//! A file that imports a name depends on the file that defines it: a re-export is followed, so a
//! `mod.rs` that only declares modules and re-exports is part of no cycle. A parent that defines
//! things does depend on the child that it imports from, and the other way round. Methods are not
//! followed, and tests are left out.

mod cycles;
mod modules;
mod reader;
mod resolve;
mod synthetic_crates;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cycles::cycles;
use modules::{Sources, is_of_tests};
use reader::read;

/// The roots of a package's crates.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

/// The folders of the workspace's crates, by name.
fn crates() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = fs::read_dir(folder).expect("the crates' folder can be read");
    let mut crates = Vec::new();
    for entry in entries {
        let entry = entry.expect("the entry can be read");
        let name = entry.file_name().into_string().expect("names are UTF-8");
        crates.push((name, entry.path()));
    }
    crates.sort();
    crates
}

/// Reads the source files in a folder into `sources`, under paths that begin with `prefix`.
fn read_sources(folder: &Path, prefix: &str, sources: &mut Sources) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let entry = entry.expect("the entry can be read");
        let name = entry.file_name().into_string().expect("names are UTF-8");
        let (path, own) = (entry.path(), format!("{prefix}{name}"));
        if path.is_dir() {
            read_sources(&path, &format!("{own}/"), sources);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("the file can be read");
            sources.insert(own, text);
        }
    }
}

/// The source files of every crate, by its name.
fn all_sources() -> Vec<(String, Sources)> {
    let with_sources = |(name, folder): (String, PathBuf)| {
        let mut sources = Sources::new();
        read_sources(&folder.join("src"), "", &mut sources);
        (name, sources)
    };
    crates().into_iter().map(with_sources).collect()
}

fn roots(sources: &Sources) -> impl Iterator<Item = &str> {
    ROOTS.into_iter().filter(|root| sources.contains_key(*root))
}

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    for (name, sources) in all_sources() {
        for root in roots(&sources) {
            let cycles = cycles(&sources, root).into_iter();
            found.extend(cycles.map(|cycle| format!("{name}/src: {cycle}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A file that no `mod` declaration reaches would go unchecked.
#[test]
fn every_source_file_is_read() {
    for (name, sources) in all_sources() {
        let mut reached = BTreeSet::new();
        for root in roots(&sources) {
            let modules = read(&sources, root).all;
            reached.extend(modules.into_iter().map(|module| module.file));
        }
        assert!(!reached.is_empty(), "{name} has no root");
        let mut unread: Vec<_> = sources.keys().filter(|file| !is_of_tests(file)).collect();
        unread.retain(|file| !reached.contains(*file));
        assert!(unread.is_empty(), "{name}/src: {unread:?} were not read");
    }
}
