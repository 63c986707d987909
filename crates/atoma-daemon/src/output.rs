//! Standard output and standard error, with colours on a terminal only and unless `NO_COLOR` is set.

use std::io::{ErrorKind, Write as _};

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use serde::Serialize;

/// What failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What the operator should look at, or wait for.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
/// What succeeded.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();

/// The text in a style.
pub(crate) fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no error.
///
/// # Errors
/// When it can't be written.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("can't write to standard output"),
    }
}

/// Prints the value as JSON.
///
/// # Errors
/// When standard output can't be written.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints a line to standard error. Without it nobody can be told.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
