//! The Atoma node daemon: the composition root, where adapters are plugged into ports.
//!
//! - [`config`] and [`Cli`]: the settings, from a file, the environment and flags.
//! - `init`: asks for the settings that have no default, checks them against the Sui node, and writes them.
//! - [`Daemon`]: builds everything from a [`Config`], runs it and stops it.
//! - `dev` (feature `dev`, on by default): the daemon, a local network and a demo world in one
//!   process. A production binary is built without it.
//!
//! Only this crate touches the system's clock, signals and environment.

mod amounts;
mod backend;
mod cli;
pub mod config;
mod daemon;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod exit;
mod init;
mod logging;
mod output;
mod question;
mod reload;
mod signals;
mod supervisor;

pub use cli::{Cli, run};
pub use config::{Config, ConfigError, Overrides};
pub use daemon::Daemon;
