//! What `config show` shows: each key with its value and where it comes from, without secrets.

use std::path::Path;

use atoma_api_types::{ConfigurationView, SettingView};
use atoma_sui::ClientConfig;
use serde::Serialize;
use serde_json::Value;

use super::keys;
use super::origin::Origin;
use super::settings::{Config, masked_url};

/// What is shown for nothing.
const NONE: &str = "(none)";

/// A key with its effective value.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The key.
    pub key: String,
    /// The value; null if it is not set and has no default. URLs are without paths, and of secrets only the
    /// place is known.
    pub value: Value,
    /// `default`, `file`, `environment`, `flag`, or `client configuration` for a URL from there.
    pub origin: &'static str,
    /// The line of the file, if it comes from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The environment variable, if it comes from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

impl Config {
    /// All keys in the order of the documentation. Each header has a row of its own.
    pub fn shown(&self) -> Vec<Shown> {
        // Only maps without text keys fail, and there are none.
        let values = serde_json::to_value(&self.settings).unwrap_or_default();
        let mut rows = Vec::new();
        for key in keys::all() {
            if key.name == "sui.headers" && !self.sui.headers.is_empty() {
                let names = self.sui.headers.keys();
                rows.extend(names.map(|name| {
                    let value = values["sui"]["headers"][name].clone();
                    self.row(format!("{}.{name}", key.name), value)
                }));
                continue;
            }
            let value = values.pointer(&format!("/{}", key.name.replace('.', "/")));
            let row = self.row(key.name, value.cloned().unwrap_or_default());
            rows.push(self.with_client_url(row));
        }
        rows
    }

    /// The same for the API.
    pub(crate) fn view(&self) -> ConfigurationView {
        let setting = |shown: Shown| SettingView {
            value: shown.text(),
            key: shown.key,
            origin: shown.origin.to_owned(),
            line: shown.line.and_then(|line| u64::try_from(line).ok()),
            variable: shown.variable,
        };
        ConfigurationView {
            settings: self.shown().into_iter().map(setting).collect(),
        }
    }

    fn row(&self, key: String, value: Value) -> Shown {
        let origin = self.origins.get(&key).unwrap_or(&Origin::Default);
        Shown {
            key,
            value,
            origin: origin.kind(),
            line: match origin {
                Origin::File(line) => *line,
                _ => None,
            },
            variable: match origin {
                Origin::Variable(name) => Some(name.clone()),
                _ => None,
            },
        }
    }

    /// The row with the client configuration's URL, if it is the URL's and has none.
    fn with_client_url(&self, row: Shown) -> Shown {
        let is_set = self.sui.rpc_url.is_some() || !self.sui.nodes.is_empty();
        if row.key != "sui.rpc_url" || is_set {
            return row;
        }
        let client = ClientConfig::load(&self.sui.client_config);
        match client.and_then(|client| client.rpc_url().map(masked_url)) {
            Ok(url) => Shown {
                value: Value::from(url),
                origin: "client configuration",
                ..row
            },
            // `config check` says why.
            Err(_) => row,
        }
    }
}

impl Shown {
    /// The value as people read it.
    pub fn text(&self) -> String {
        match &self.value {
            Value::Null => NONE.to_owned(),
            Value::Array(items) if items.is_empty() => NONE.to_owned(),
            Value::Object(fields) if fields.is_empty() => NONE.to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The origin as people read it, given the configuration file.
    pub fn place(&self, file: &Path) -> String {
        match (&self.line, &self.variable) {
            (Some(line), _) => format!("{}:{line}", file.display()),
            (None, Some(name)) => name.clone(),
            (None, None) => self.origin.to_owned(),
        }
    }
}
