//! How a command that needs no daemon finds the database.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, Overrides};

/// Where the database is.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Configuration file, for its `data_dir`.
    #[arg(
        long,
        value_name = "FILE",
        env = "ATOMA_CONFIG",
        required_unless_present = "data_dir"
    )]
    config: Option<PathBuf>,
    /// Directory of the database, relative to the working directory, instead of the configuration's.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl DatabaseArgs {
    /// The data directory.
    ///
    /// # Errors
    /// When the configuration can't be used.
    pub(super) fn data_dir(&self) -> anyhow::Result<PathBuf> {
        match (&self.data_dir, &self.config) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(file)) => Ok(Config::load(file, Overrides::default())?.data_dir.clone()),
            (None, None) => anyhow::bail!("neither `--config` nor `--data-dir` is given"),
        }
    }
}
