//! Where values come from: the default, a line of the file, a variable or a flag.

use std::collections::BTreeMap;
use std::path::Path;

use figment::{Figment, Metadata};
use toml::de::{DeTable, DeValue};

use super::names::{COMMAND_LINE, VARIABLE, variable};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is not set.
    Default,
    /// The file, and the line if it is known.
    File(Option<usize>),
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag,
}

impl Origin {
    /// How a message names the place, given the configuration file.
    pub(super) fn place(&self, file: &Path) -> String {
        match self {
            Self::Default | Self::File(None) => file.display().to_string(),
            Self::File(Some(line)) => format!("{}:{line}", file.display()),
            Self::Variable(name) => format!("{VARIABLE} {name}"),
            Self::Flag => COMMAND_LINE.to_owned(),
        }
    }

    /// The order in which to tell faults: the lines of the file, and then the rest.
    pub(super) const fn order(&self) -> (bool, Option<usize>) {
        match self {
            Self::File(Some(line)) => (false, Some(*line)),
            _ => (true, None),
        }
    }

    /// The origin in a word.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Variable(_) => "environment",
            Self::Flag => "flag",
        }
    }
}

/// The line of each key of a file. Knows none if the text is not TOML.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.add(text, "", table.get_ref());
        }
        lines
    }

    fn add(&mut self, text: &str, above: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = match above {
                "" => name.get_ref().to_string(),
                above => format!("{above}.{}", name.get_ref()),
            };
            let before = text.get(..name.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            self.0.entry(key.clone()).or_insert(line);
            match value.get_ref() {
                DeValue::Table(table) => self.add(text, &key, table),
                DeValue::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let DeValue::Table(table) = item.get_ref() {
                            self.add(text, &format!("{key}.{index}"), table);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Where the value of `key` comes from. The key can have the index of a table in a list, as in
    /// `tokens.0.name`.
    pub(super) fn origin(&self, figment: &Figment, key: &str) -> Origin {
        let list = key.split('.').take_while(|part| !is_index(part));
        let list = list.collect::<Vec<_>>().join(".");
        if list != key {
            return match (self.origin(figment, &list), self.0.get(key)) {
                (Origin::File(_), Some(line)) => Origin::File(Some(*line)),
                (origin, _) => origin,
            };
        }
        match figment.find_metadata(key).map(name) {
            None if self.0.contains_key(key) => Origin::File(self.0.get(key).copied()),
            None => Origin::Default,
            Some(name) if name.contains(VARIABLE) => Origin::Variable(variable(key)),
            Some(name) if name.starts_with("TOML") => Origin::File(self.0.get(key).copied()),
            Some(_) => Origin::Flag,
        }
    }
}

fn is_index(part: &str) -> bool {
    part.parse::<usize>().is_ok()
}

/// A key without the indices in it.
pub(super) fn without_index(key: &str) -> String {
    let parts = key.split('.').filter(|part| !is_index(part));
    parts.collect::<Vec<_>>().join(".")
}

fn name(metadata: &Metadata) -> &str {
    &metadata.name
}
