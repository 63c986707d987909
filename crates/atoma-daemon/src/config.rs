//! The configuration. The environment overrides the TOML file, and flags override both.

mod access;
mod checks;
mod error;
mod names;
mod settings;
mod variables;

use std::path::Path;

use atoma_sui::without_byte_order_mark;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Metadata};

pub use error::ConfigError;
use error::Problem;
use names::ENV_PREFIX;
pub use settings::{BreakerConfig, Config, GasConfig, Overrides, SecretSource, SuiConfig};

/// Checks a path that a flag of the command line names.
///
/// # Errors
/// When it begins with `~`, which the shell doesn't replace after `=`.
#[cfg(feature = "dev")]
pub(crate) fn check_flag(flag: &str, path: &Path) -> Result<(), ConfigError> {
    checks::check_path(flag.to_owned(), path).map_err(|Problem { key, problem }| ConfigError::Key {
        place: names::COMMAND_LINE.to_owned(),
        key,
        problem,
    })
}

impl Config {
    /// Reads the file, the environment and the flags.
    ///
    /// # Errors
    /// When the file can't be read, or a key is missing, unknown, of the wrong type or out of
    /// range. The message names the key and the place that set it.
    pub fn load(file: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
            path: file.to_path_buf(),
            source,
        })?;
        let text = without_byte_order_mark(&text);
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        variables::check(names)?;
        let mut figment = Figment::from(Toml::string(text))
            .merge(Env::prefixed(ENV_PREFIX).split("__"))
            .merge(Serialized::defaults(&overrides));
        if let Some(url) = &overrides.rpc_url {
            figment = figment.merge(Serialized::default("sui.rpc_url", url));
        }
        let at_fault = |metadata: Option<&Metadata>, Problem { key, problem }| {
            let place = error::place(metadata, &key, file);
            let problem = error::with_syntax(&place, problem);
            ConfigError::Key {
                place,
                key,
                problem,
            }
        };
        let config: Self = figment
            .extract()
            .map_err(|failed| match error::problem(&failed) {
                Some(problem) => at_fault(failed.metadata.as_ref(), problem),
                None => ConfigError::Syntax {
                    path: file.to_path_buf(),
                    problem: error::syntax(&failed),
                },
            })?;
        let checked = config.check_paths().and_then(|()| config.check_values());
        checked.map_err(|problem| at_fault(figment.find_metadata(&problem.key), problem))?;
        Ok(config.relative_to(file, &overrides))
    }

    /// Resolves paths from the file relative to the file. A path from a flag stays relative to the
    /// working directory.
    fn relative_to(mut self, file: &Path, overrides: &Overrides) -> Self {
        let dir = file.parent().unwrap_or(Path::new(""));
        let sui = &mut self.sui;
        sui.client_config = dir.join(&sui.client_config);
        sui.ca_file = sui.ca_file.as_ref().map(|path| dir.join(path));
        for source in sui.headers.values_mut() {
            source.file = source.file.as_ref().map(|path| dir.join(path));
        }
        if overrides.data_dir.is_none() {
            self.data_dir = dir.join(&self.data_dir);
        }
        self.file = file.to_path_buf();
        self
    }
}

#[cfg(test)]
mod tests;
