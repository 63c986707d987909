//! The Atoma node daemon: the composition root, where adapters are plugged into ports.
//!
//! - [`Config`] and [`Cli`]: the settings, from a file, the environment and flags.
//! - [`Daemon`]: builds everything from a [`Config`], runs it and stops it.
//! - `dev` (feature `dev`, on by default): the daemon, a local network and a demo world in one
//!   process. A production binary is built without it.
//!
//! Only this crate touches the system's clock, signals and environment.

mod backend;
mod cli;
mod clock;
mod config;
mod daemon;
mod data_dir;
#[cfg(feature = "dev")]
mod dev;
mod logging;
mod random;
mod signals;

pub use cli::{Cli, run};
pub use config::{
    BreakerConfig, Config, ConfigError, GasConfig, Overrides, SecretSource, SuiConfig,
};
pub use daemon::Daemon;
