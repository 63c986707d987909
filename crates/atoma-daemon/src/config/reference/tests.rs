use std::fs;
use std::path::{Path, PathBuf};

use super::super::keys::NUMBERS;
use super::*;
use crate::config::{Config, Overrides};

/// Where the generated part of the document begins and ends.
const BEGIN: &str = "<!-- keys: made from the program -->\n";
const END: &str = "<!-- end of keys -->\n";

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Compares a file with what it must be, or writes it if `UPDATE_DOCUMENTS` is set.
fn check(path: &str, expected: &str) {
    let file = at_root(path);
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&file, expected).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == expected,
        "{path} differs from the settings; run this test with UPDATE_DOCUMENTS=1 to write it"
    );
}

#[test]
fn the_documents_describe_every_key() {
    check("deploy/daemon.example.toml", &example(&Chosen::new()));
    let document = fs::read_to_string(at_root("docs/configuration.md")).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}{END}{after}", page());
    check("docs/configuration.md", &expected);
}

#[test]
fn every_key_is_described_with_a_default_or_an_example() {
    let keys = keys::all();
    for key in &keys {
        assert!(!joined(key.about).is_empty(), "{}", key.name);
        let has_example = EXAMPLES.iter().any(|(name, _)| *name == key.name);
        let is_empty = key
            .default
            .as_ref()
            .is_none_or(|default| matches!(written(default).as_str(), "[]" | "{}"));
        assert_eq!(has_example, is_empty, "{}", key.name);
        let is_number = matches!(key.default, Some(confique::meta::Expr::Integer(_)));
        let has_unit = ["_s", "_mist", "_percent"]
            .iter()
            .any(|unit| key.name.ends_with(unit));
        let has_range = keys::number_of(&key.name).is_some();
        assert!(has_range || !(is_number || has_unit), "{}", key.name);
    }
    let names = EXAMPLES.iter().map(|(name, _)| *name);
    let numbers = NUMBERS.iter().map(|number| number.key);
    let flags = keys::FLAGS.iter().map(|(key, _)| *key);
    for name in names.chain(numbers).chain(flags) {
        assert!(keys.iter().any(|key| key.name == name), "{name}");
    }
}

/// The example file with every key, and with the required ones alone, is a valid configuration, and what
/// it gives as defaults are the defaults.
#[test]
fn the_example_can_be_read_and_its_defaults_are_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daemon.toml");
    let load = |text: &str| {
        fs::write(&file, text).unwrap();
        Config::load(&file, Overrides::default()).unwrap()
    };
    let text = example(&Chosen::new());
    let sparse = load(&text);
    let full: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let full = load(&full);
    let set = full.shown();
    for key in keys::all() {
        let row = set.iter().find(|row| row.key.starts_with(&key.name));
        let row = row.unwrap_or_else(|| panic!("{} is not in the example", key.name));
        assert_eq!(row.origin, "file", "{}", key.name);
        if !EXAMPLES.iter().any(|(name, _)| *name == key.name) {
            let default = sparse.shown().into_iter().find(|row| row.key == key.name);
            assert_eq!(default.unwrap().value, row.value, "{}", key.name);
        }
    }
}
