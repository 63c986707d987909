//! The configuration in effect.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The configuration that the daemon was started with. Tokens and rate limits that SIGHUP took up later are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Configuration)]
pub struct ConfigurationView {
    /// All settings, in the order of `docs/configuration.md`.
    pub settings: Vec<SettingView>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Setting)]
pub struct SettingView {
    /// Its key.
    pub key: String,
    /// Its value as people read it. URLs are without paths, and of secrets only the place is told.
    pub value: String,
    /// Where it comes from: `default`, `file`, `environment`, `flag`, or `client configuration`.
    pub origin: String,
    /// The line of the file, if it comes from there.
    pub line: Option<u64>,
    /// The environment variable, if it comes from one.
    pub variable: Option<String>,
}
