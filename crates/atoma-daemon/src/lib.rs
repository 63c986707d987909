//! The Atoma node daemon: the composition root, where ports meet adapters.
//!
//! - [`Config`] and [`Cli`]: what can be set, and from where (file, environment, flags).
//! - [`Daemon`]: builds everything from a configuration, runs it, stops it.
//! - `dev`: a daemon together with a local network and a demonstration world, in one process.
//!
//! Ambient things (the system's clock, signals, the environment) are touched here and nowhere
//! else.

mod cli;
mod clock;
mod config;
mod daemon;
mod dev;
mod logging;
mod signals;

pub use cli::{Cli, run};
pub use config::{BreakerConfig, Config, ConfigError, GasConfig, Overrides, SuiConfig};
pub use daemon::Daemon;
