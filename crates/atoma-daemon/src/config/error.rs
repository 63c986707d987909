//! Why a configuration can't be used, in words for operators.

use std::path::PathBuf;

use atoma_api::similar;
use figment::error::{Actual, Kind};
use thiserror::Error;

use super::names::VARIABLE;

/// Why a configuration can't be used. Never contains a secret.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read the configuration file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is not valid TOML.
    #[error("{}: {problem}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, the column and the problem.
        problem: String,
    },
    /// Settings are wrong.
    #[error("{}", join(.faults))]
    Invalid {
        /// All that is wrong, at least one.
        faults: Vec<Fault>,
    },
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// A key is missing, unknown, of the wrong type or out of range, or what it names can't be used.
    #[error("{place}: `{key}` {problem}")]
    Key {
        /// Where the value comes from: a line of a file, an environment variable or the command line.
        place: String,
        /// The key.
        key: String,
        /// The rule that it breaks.
        problem: String,
    },
    /// An environment variable looks like a setting but is none.
    #[error("the environment variable {name} is not a setting; {advice}")]
    Variable {
        /// The variable.
        name: String,
        /// The variable that was probably meant, or all of them.
        advice: String,
    },
}

impl From<Vec<Fault>> for ConfigError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid { faults }
    }
}

/// One line per fault.
fn join(faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A key and the rule that it breaks.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) key: String,
    pub(super) problem: String,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
        }
    }
}

/// What the reader found wrong, in plain words. `None` for a file that is not TOML.
pub(super) fn problem(error: &figment::Error) -> Option<Problem> {
    let mut path = error.path.clone();
    let problem = match &error.kind {
        Kind::MissingField(name) => {
            path.push(name.to_string());
            "is missing".to_owned()
        }
        Kind::UnknownField(found, known) => {
            // The path may or may not end with the field.
            if path.last() != Some(found) {
                path.push(found.clone());
            }
            match similar(found, known.iter().copied()) {
                Some(name) => format!("is not a setting; did you mean `{name}`?"),
                None => format!("is not a setting; it can be `{}`", known.join("`, `")),
            }
        }
        Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
            format!("must be {}, but it is {}", expected(wanted), actual(found))
        }
        Kind::UnknownVariant(_, known) => format!("must be `{}`", known.join("` or `")),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "is out of range".to_owned(),
        Kind::DuplicateField(_) => "is set twice".to_owned(),
        Kind::Message(_) if path.is_empty() => return None,
        Kind::Message(text) => match path.last().map(String::as_str) {
            Some("package_id" | "atoma_db_id") => {
                "must be an object id: 0x and 1 to 64 hexadecimal digits".to_owned()
            }
            Some("http_addr") => {
                "must be an IP address and a port, as in `127.0.0.1:3000`".to_owned()
            }
            _ => format!("is invalid: {}", text.lines().next().unwrap_or_default()),
        },
        _ => "has a value of the wrong kind".to_owned(),
    };
    Some(Problem::new(path.join("."), problem))
}

/// The line, the column and the problem of a syntax error, without the text around it.
pub(super) fn syntax(error: &figment::Error) -> String {
    let text = error.kind.to_string();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let place = first.strip_prefix("TOML parse error at ").unwrap_or(first);
    match lines.next_back() {
        Some(problem) => format!("not valid TOML at {place}: {problem}"),
        None => format!("not valid TOML: {place}"),
    }
}

/// The problem, with the syntax of lists if an environment variable should be one.
pub(super) fn with_syntax(place: &str, problem: String) -> String {
    if place.starts_with(VARIABLE) && problem.starts_with("must be a list") {
        return format!("{problem}; write it as [\"one\",\"two\"]");
    }
    problem
}

fn expected(wanted: &str) -> String {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "a text in quotes".to_owned(),
        "a sequence" => "a list".to_owned(),
        text if text.starts_with("struct ") || text == "a map" => "a table".to_owned(),
        text => text.to_owned(),
    }
}

/// The kind of a value, but not the value.
fn actual(found: &Actual) -> &'static str {
    match found {
        Actual::Bool(_) => "true or false",
        // A file's numbers are signed, whatever they are.
        Actual::Signed(number) if *number < 0 => "a negative number",
        Actual::Unsigned(_) | Actual::Signed(_) => "a number",
        Actual::Float(_) => "a number with a fraction",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}
