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

use cycles::{Cycle, cycles};
use modules::{Sources, is_of_tests};
use reader::read;

/// The cycles that still exist, by crate, each with all of its files. Nothing may be added; an
/// entry whose cycle is gone or has changed fails the test.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "atoma-api",
        &[
            "routes/messages.rs",
            "routes/mod.rs",
            "routes/reads.rs",
            "routes/requests.rs",
            "routes/service.rs",
            "routes/settlements.rs",
            "routes/stack_requests.rs",
        ],
    ),
    (
        "atoma-api",
        &[
            "views/mod.rs",
            "views/settlement.rs",
            "views/transaction.rs",
        ],
    ),
    ("atoma-localnet", &["actions.rs", "drafts.rs"]),
    ("atoma-localnet", &["admin.rs", "network.rs"]),
    ("atoma-localnet", &["demo/mod.rs", "demo/seeding.rs"]),
    (
        "atoma-localnet",
        &["execution/mod.rs", "execution/simulation.rs"],
    ),
    (
        "atoma-localnet",
        &[
            "vm/coin.rs",
            "vm/execution.rs",
            "vm/object_state.rs",
            "vm/outcome.rs",
        ],
    ),
    (
        "atoma-operator",
        &[
            "use_cases/mod.rs",
            "use_cases/nodes.rs",
            "use_cases/register.rs",
            "use_cases/stacks.rs",
        ],
    ),
    ("atoma-state", &["events/effects.rs", "events/mod.rs"]),
    ("atoma-state", &["work/record.rs", "work/stack.rs"]),
    (
        "atoma-sui",
        &["chain/mod.rs", "chain/subscribers.rs", "chain/view.rs"],
    ),
    ("atoma-sui", &["contract_events.rs", "outcome.rs"]),
    (
        "atoma-sui",
        &["keystore/client_config.rs", "keystore/signer.rs"],
    ),
];

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

fn is_allowed(name: &str, cycle: &Cycle) -> bool {
    ALLOWED.contains(&(name, &cycle.files()[..]))
}

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    for (name, sources) in all_sources() {
        for root in roots(&sources) {
            let cycles = cycles(&sources, root).into_iter();
            found.extend(cycles.map(|cycle| (name.clone(), cycle)));
        }
    }
    let new: Vec<_> = found
        .iter()
        .filter(|(name, cycle)| !is_allowed(name, cycle))
        .map(|(name, cycle)| format!("{name}/src: {cycle}"))
        .collect();
    assert!(new.is_empty(), "{}", new.join("\n"));
    let gone: Vec<_> = ALLOWED
        .iter()
        .filter(|(name, files)| {
            !found
                .iter()
                .any(|(own, cycle)| own == name && cycle.files() == *files)
        })
        .collect();
    assert!(
        gone.is_empty(),
        "no longer cycles, take them out of ALLOWED: {gone:#?}"
    );
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
