//! Standard output.

use std::io::Write as _;

use anyhow::Context as _;

/// Prints to standard output.
///
/// # Errors
/// When it can't be written.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("can't write to standard output")
}
