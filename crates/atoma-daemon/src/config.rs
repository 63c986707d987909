//! The configuration. The environment overrides the TOML file, and flags override both.
//!
//! [`Config::load`] finds everything that is wrong with the settings themselves, [`Config::check_files`]
//! what is wrong with the files that they name. `settings` describes every key once: the reader, the
//! environment variables, the example file and `docs/configuration.md` all come from it.

mod access;
mod alarms;
mod autopilot;
mod checks;
mod error;
mod files;
mod keys;
mod names;
mod node_access;
mod notifiers;
mod origin;
mod reading;
mod reference;
mod secret;
mod settings;
mod show;
mod variables;

use std::collections::BTreeMap;
use std::path::Path;

use atoma_sui::{read_small_file, without_byte_order_mark};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};

pub use access::{Access, TlsFiles, Token};
pub use alarms::{AlarmsConfig, ReceiverConfig, ReceiverFormat};
pub use autopilot::{AutopilotSettings, ModeSetting, TaskSettings};
use error::Problem;
pub use error::{ConfigError, Fault};
pub use files::Findings;
#[cfg(test)]
pub(crate) use keys::FLAGS;
use names::ENV_PREFIX;
use origin::{Lines, Origin};
pub(crate) use reference::{Chosen, example};
pub use secret::SecretSource;
pub use settings::{
    BreakerConfig, Config, GasConfig, Overrides, Scope, Settings, SuiConfig, SuiNodeConfig,
    TlsConfig, TokenConfig,
};
pub use show::Shown;
#[cfg(test)]
pub(crate) use variables::OTHER_VARIABLES;

/// Checks a path that a flag of the command line names.
///
/// # Errors
/// When it begins with `~`, which the shell doesn't replace after `=`.
#[cfg(feature = "dev")]
pub(crate) fn check_flag(flag: &str, path: &Path) -> Result<(), ConfigError> {
    checks::check_path(flag.to_owned(), path).map_err(|Problem { key, problem }| {
        let place = names::COMMAND_LINE.to_owned();
        ConfigError::from(vec![Fault::Key {
            place,
            key,
            problem,
        }])
    })
}

impl Config {
    /// Reads the file, the environment and the flags.
    ///
    /// # Errors
    /// When the file can't be read, or keys are missing, unknown, of the wrong type or out of
    /// range. The message has a line for each, which names the key and the place that set it.
    pub fn load(file: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::File {
            path: file.to_path_buf(),
            source,
        };
        let bytes = read_small_file(file).map_err(unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error))
        })?;
        let text = without_byte_order_mark(text);
        let mut figment = Figment::from(Toml::string(text))
            .merge(Env::prefixed(ENV_PREFIX).split("__"))
            .merge(Serialized::defaults(&overrides));
        if let Some(url) = &overrides.rpc_url {
            figment = figment.merge(Serialized::default("sui.rpc_url", url));
        }
        let mut values: Dict = figment.extract().map_err(|failed| ConfigError::Syntax {
            path: file.to_path_buf(),
            problem: error::syntax(&failed),
        })?;
        if overrides.rpc_url.is_some()
            && let Some(Value::Dict(_, sui)) = values.get_mut("sui")
        {
            sui.remove("nodes");
        }
        let lines = Lines::of(text);
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut faults = variables::check(names);
        let (settings, mut problems) = reading::read(values);
        // A variable that is no setting is told as such, and not as a key.
        problems.retain(|problem| {
            let place = lines.origin(&figment, &problem.key);
            let is_told = |fault: &Fault| matches!((fault, &place), (Fault::Variable { name, .. }, Origin::Variable(other)) if name.eq_ignore_ascii_case(other));
            !faults.iter().any(is_told)
        });
        problems.sort_by_cached_key(|problem| lines.origin(&figment, &problem.key).order());
        faults.extend(problems.into_iter().map(|Problem { key, problem }| {
            let place = lines.origin(&figment, &key).place(file);
            Fault::Key {
                problem: error::with_syntax(&place, problem),
                place,
                key: origin::without_index(&key),
            }
        }));
        let Some(settings) = settings.filter(|_| faults.is_empty()) else {
            return Err(faults.into());
        };
        let headers = settings.sui.headers.keys();
        let headers = headers.map(|name| format!("sui.headers.{name}"));
        let keys = keys::all().into_iter().map(|key| key.name).chain(headers);
        let origins: BTreeMap<_, _> = keys
            .map(|key| {
                let origin = lines.origin(&figment, &key);
                (key, origin)
            })
            .collect();
        let config = Self {
            settings,
            origins,
            file: file.to_path_buf(),
            overrides: overrides.clone(),
            is_demonstration: false,
        };
        Ok(config.relative_to(file, &overrides))
    }

    /// Turns the autopilot on, with rules for a world in which everything goes faster.
    #[cfg(feature = "dev")]
    pub(crate) const fn demonstrate_autopilot(&mut self) {
        self.settings.autopilot.demonstrate();
    }

    /// Reads the same file again, with the environment and the same flags.
    ///
    /// # Errors
    /// See [`Self::load`].
    pub(crate) fn load_again(&self) -> Result<Self, ConfigError> {
        Self::load(&self.file, self.overrides.clone())
    }

    /// Resolves paths from the file relative to the file. A path from a flag stays relative to the
    /// working directory.
    fn relative_to(mut self, file: &Path, overrides: &Overrides) -> Self {
        let dir = file.parent().unwrap_or(Path::new(""));
        let settings = &mut self.settings;
        settings.sui.client_config = dir.join(&settings.sui.client_config);
        if overrides.data_dir.is_none() {
            settings.data_dir = dir.join(&settings.data_dir);
        }
        let nodes = settings.sui.nodes.iter_mut();
        let headers = nodes
            .flat_map(|node| node.headers.values_mut())
            .chain(settings.sui.headers.values_mut());
        let tokens = settings.tokens.iter_mut();
        let others = [
            &mut settings.sui.ca_file,
            &mut settings.autopilot.pause_file,
            &mut settings.tls.cert_file,
            &mut settings.tls.key_file,
        ];
        let files = headers
            .map(|source| &mut source.file)
            .chain(settings.alarms.files_mut())
            .chain(tokens.map(|token| &mut token.file))
            .chain(others);
        for path in files.flatten() {
            *path = dir.join(&path);
        }
        self
    }

    /// Names the place of a key's value for the problem's message.
    fn fault(&self, Problem { key, problem }: Problem) -> Fault {
        let origin = self.origins.get(&key).unwrap_or(&Origin::Default);
        let place = match key.as_str() {
            node_access::SSL_CERT_FILE => "environment".to_owned(),
            _ => origin.place(&self.file),
        };
        Fault::Key {
            place,
            key,
            problem,
        }
    }
}

#[cfg(test)]
mod tests;
