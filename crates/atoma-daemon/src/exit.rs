//! Exit codes, and how errors are told.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use atoma_domain::each_once;
use thiserror::Error;

use crate::config::ConfigError;

/// What went wrong at run time.
const FAILED: u8 = 1;
/// The flags are wrong. `clap` uses it too.
const USAGE: u8 = 2;
/// The configuration is invalid.
const INVALID: u8 = 3;
/// Some of what was asked for failed.
const SOME_FAILED: u8 = 4;
/// Nothing failed as far as is known, and the outcome of something is not known yet.
const PENDING: u8 = 5;

/// The exit codes, for `--help`.
pub(crate) const HELP: &str = "Exit codes:
  0  success
  1  failed at run time: the daemon, the Sui node, the database or the system refused something
  2  wrong usage: a flag is unknown, missing or has an impossible value
  3  the configuration is invalid: `atoma-daemon config check` lists all that is wrong
  4  at least one stack, or the transaction that was watched, failed
  5  nothing failed, and something is pending, or the answer was lost and the outcome is unknown";

/// Why flags can't be used.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Why a request to the daemon did not do all of what was asked for. The answer was printed.
#[derive(Debug, Error)]
pub(crate) enum OutcomeError {
    /// Something failed.
    #[error("{0}")]
    Failed(String),
    /// Nothing failed, and something is pending, or its outcome is unknown.
    #[error("{0}")]
    Pending(String),
}

/// Whether there is somebody to ask.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Refuses a command that would have to ask, if there is no terminal.
///
/// # Errors
/// When the operator has not said yes, and can't be asked.
pub(crate) fn require_terminal(says_yes: bool) -> Result<(), UsageError> {
    if says_yes || has_terminal() {
        return Ok(());
    }
    let sentence = "this command asks for confirmation, and there is no terminal; add `--yes`";
    Err(UsageError(sentence.to_owned()))
}

/// The exit code of a command.
pub(crate) fn code(ended: &anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<ConfigError>() => ExitCode::from(INVALID),
        Err(error) if error.is::<UsageError>() => ExitCode::from(USAGE),
        Err(error) => ExitCode::from(match error.downcast_ref() {
            Some(OutcomeError::Failed(_)) => SOME_FAILED,
            Some(OutcomeError::Pending(_)) => PENDING,
            None => FAILED,
        }),
    }
}

/// The error in sentences: one for each fault of a configuration, otherwise one, with the message of each cause.
pub(crate) fn sentences(
    error: &anyhow::Error,
    message: impl Fn(&(dyn std::error::Error + 'static)) -> String,
) -> Vec<String> {
    match error.downcast_ref() {
        Some(ConfigError::Invalid { faults }) => {
            faults.iter().map(|fault| message(fault)).collect()
        }
        _ => vec![each_once(error.chain().map(message))],
    }
}
