//! Exit codes, and how errors are told.

use std::process::ExitCode;

use thiserror::Error;

use crate::config::ConfigError;

/// What went wrong at run time.
const FAILED: u8 = 1;
/// The flags are wrong. `clap` uses it too.
const USAGE: u8 = 2;
/// The configuration is invalid.
const INVALID: u8 = 3;

/// The exit codes, for `--help`.
pub(crate) const HELP: &str = "Exit codes:
  0  success
  1  failed at run time: the Sui node, the database or the system refused something
  2  wrong usage: a flag is unknown, missing or has an impossible value
  3  the configuration is invalid: `atoma-daemon config check` lists all that is wrong";

/// Why flags can't be used.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// The exit code of a command.
pub(crate) fn code(ended: &anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<ConfigError>() => ExitCode::from(INVALID),
        Err(error) if error.is::<UsageError>() => ExitCode::from(USAGE),
        Err(_) => ExitCode::from(FAILED),
    }
}

/// The error in sentences: one for each fault of a configuration, otherwise one.
pub(crate) fn sentences(error: &anyhow::Error) -> Vec<String> {
    match error.downcast_ref() {
        Some(ConfigError::Invalid { faults }) => faults.iter().map(ToString::to_string).collect(),
        _ => vec![format!("{error:#}")],
    }
}
