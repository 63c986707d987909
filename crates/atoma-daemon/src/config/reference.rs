//! The description of all keys: the example file, and the reference in `docs/configuration.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::keys::{self, Key};
use super::names;

/// The widest line of the example file.
const WIDTH: usize = 100;

/// Values for the example file by their keys, each as in TOML.
pub(crate) type Chosen = BTreeMap<&'static str, String>;

/// What the example file has for keys without a default: lines as they are under the key's table.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("data_dir", &["data_dir = \"/var/lib/atoma-daemon\""]),
    ("allowed_hosts", &["allowed_hosts = [\"node.example.org\"]"]),
    (
        "tokens",
        &[
            "[[tokens]]",
            "name = \"dashboard\"",
            "scope = \"read\"",
            "file = \"/etc/atoma-daemon/tokens/dashboard.token\"",
        ],
    ),
    (
        "sui.client_config",
        &["client_config = \"/etc/atoma-daemon/client.yaml\""],
    ),
    (
        "sui.rpc_url",
        &["rpc_url = \"https://fullnode.testnet.sui.io:443\""],
    ),
    (
        "sui.headers",
        &[
            "headers.x-token.file = \"/etc/atoma-daemon/x-token\"",
            "headers.authorization.env = \"SUI_AUTHORIZATION\"",
        ],
    ),
    (
        "sui.nodes",
        &[
            "[[sui.nodes]]",
            "url = \"https://sui-testnet.provider.example\"",
            "headers.x-token.file = \"/etc/atoma-daemon/x-token\"",
            "requests_per_30_s = 1000",
        ],
    ),
    ("sui.ca_file", &["ca_file = \"/etc/atoma-daemon/ca.pem\""]),
    (
        "sui.package_id",
        &["package_id = \"0x0000000000000000000000000000000000000000000000000000000000000000\""],
    ),
    (
        "sui.atoma_db_id",
        &["atoma_db_id = \"0x0000000000000000000000000000000000000000000000000000000000000000\""],
    ),
    (
        "autopilot.pause_file",
        &["pause_file = \"/var/lib/atoma-daemon/autopilot.pause\""],
    ),
    (
        "autopilot.tasks",
        &[
            "[[autopilot.tasks]]",
            "task_small_id = 7",
            "settle_fill_percent = 80",
            "claim_longest_wait_s = 86400",
        ],
    ),
    ("gas.daily_cap_mist", &["daily_cap_mist = 10000000000"]),
    (
        "alarms.receivers",
        &[
            "[[alarms.receivers]]",
            "name = \"ops\"",
            "format = \"slack\"",
            "url.file = \"/etc/atoma-daemon/slack.url\"",
            "min_severity = \"critical\"",
        ],
    ),
    (
        "tls.cert_file",
        &["cert_file = \"/etc/atoma-daemon/tls/cert.pem\""],
    ),
    (
        "tls.key_file",
        &["key_file = \"/etc/atoma-daemon/tls/key.pem\""],
    ),
];

/// A configuration file with every key and its description. Chosen values are set; other keys are
/// comments, except for those that must be set and have an example.
pub(crate) fn example(chosen: &Chosen) -> String {
    let mut text = String::new();
    paragraph(
        &mut text,
        "Configuration of `atoma-daemon`. Keys in comments show their defaults, or an example where there is no \
         default. Relative paths are relative to this file, and `~` is not allowed in them. Environment variables \
         override this file, and flags override both. `atoma-daemon config check` finds mistakes, and \
         `atoma-daemon config show` shows what is in effect. The same descriptions are in docs/configuration.md.",
    );
    let keys = keys::all();
    let is_list = |key: &&Key| {
        ["tokens", "sui.nodes", "autopilot.tasks", "alarms.receivers"].contains(&key.name.as_str())
    };
    for key in keys.iter().filter(|key| !key.name.contains('.')) {
        if !is_list(&key) {
            entry(&mut text, key, chosen);
        }
    }
    for (table, about) in keys::tables() {
        text.push('\n');
        paragraph(&mut text, &joined(about));
        let _ = writeln!(text, "[{table}]");
        let inside = |key: &&Key| {
            let rest = key.name.strip_prefix(table);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        for key in keys.iter().filter(inside).filter(|key| !is_list(key)) {
            entry(&mut text, key, chosen);
        }
    }
    // Keys after an array's table would belong to it.
    for key in keys.iter().filter(is_list) {
        entry(&mut text, key, chosen);
    }
    text
}

/// A key with its description.
fn entry(text: &mut String, key: &Key, chosen: &Chosen) {
    text.push('\n');
    paragraph(text, &joined(key.about));
    paragraph(text, &facts(key));
    let name = key
        .name
        .rsplit_once('.')
        .map_or(key.name.as_str(), |(_, last)| last);
    if let Some(value) = chosen.get(key.name.as_str()) {
        let _ = match value.starts_with('[') && value.contains('\n') {
            true => writeln!(text, "{value}"),
            false => writeln!(text, "{name} = {value}"),
        };
        return;
    }
    let example = EXAMPLES.iter().find(|(example, _)| *example == key.name);
    let lines = match (example, &key.default) {
        (Some((_, lines)), _) => lines.iter().map(|line| (*line).to_owned()).collect(),
        (None, Some(default)) => vec![format!("{name} = {}", written(default))],
        (None, None) => Vec::new(),
    };
    let mark = if key.is_required { "" } else { "#" };
    for line in lines {
        let _ = writeln!(text, "{mark}{line}");
    }
}

/// Unit, range, variable and flag, in a line.
fn facts(key: &Key) -> String {
    let mut facts = Vec::new();
    if let Some(number) = keys::number_of(&key.name) {
        facts.push(format!("Unit: {}; {}.", number.unit, number.range()));
    }
    if key.is_required {
        facts.push("Required.".to_owned());
    } else if EXAMPLES.iter().any(|(example, _)| *example == key.name) {
        facts.push("Default: none.".to_owned());
    }
    facts.push(format!("Variable: {}.", names::variable(&key.name)));
    if let Some(flag) = keys::flag_of(&key.name) {
        facts.push(format!("Flag: {flag}."));
    }
    facts.join(" ")
}

fn written(default: &confique::meta::Expr) -> String {
    // A JSON number, text, list or truth value is one in TOML too.
    serde_json::to_string(default).unwrap_or_default()
}

/// A doc comment as one line.
fn joined(about: &[&str]) -> String {
    let lines: Vec<_> = about.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}

/// A comment, in lines of limited width.
fn paragraph(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// The reference of all keys, in Markdown.
#[cfg(test)]
pub(super) fn page() -> String {
    let mut text = String::new();
    let mut table = "";
    let tables = keys::tables();
    for key in keys::all() {
        let above = key.name.split_once('.').map_or("", |(above, _)| above);
        if above != table {
            table = tables
                .iter()
                .map(|(name, _)| *name)
                .find(|name| *name == above)
                .unwrap_or_default();
            let about = tables.iter().find(|(name, _)| *name == table);
            let about = about.map(|(_, about)| joined(about)).unwrap_or_default();
            let _ = write!(text, "### Table `[{table}]`\n\n{about}\n\n");
        }
        let _ = write!(text, "#### `{}`\n\n{}\n\n", key.name, joined(key.about));
        let default = match (&key.default, key.is_required) {
            (_, true) => "none, the key is required".to_owned(),
            (None, false) => "none".to_owned(),
            (Some(default), false) => match written(default).as_str() {
                "[]" | "{}" => "none".to_owned(),
                default => format!("`{default}`"),
            },
        };
        let mut facts = vec![format!("default: {default}")];
        if let Some(number) = keys::number_of(&key.name) {
            facts.push(format!("unit: {}", number.unit));
            facts.push(format!("range: {}", number.range()));
        }
        facts.push(format!("variable: `{}`", names::variable(&key.name)));
        if let Some(flag) = keys::flag_of(&key.name) {
            facts.push(format!("flag: `{flag}`"));
        }
        for fact in facts {
            let _ = writeln!(text, "- {fact}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
