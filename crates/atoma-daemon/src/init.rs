//! `init`: asks for the settings that have no default, checks them against the Sui node, and writes the
//! configuration and a token.

mod answers;
mod network;
mod node;
mod output;

use crate::output::print;
pub(crate) use answers::InitArgs;

/// Writes a configuration and a token.
///
/// # Errors
/// When an answer is missing or can't be used, the Sui node contradicts it, or a file exists or can't be
/// written.
pub(crate) async fn run(args: InitArgs) -> anyhow::Result<()> {
    let force = args.is_forced();
    let asks = args.asks();
    output::check_place(args.file(), force)?;
    let answers = args.complete(asks)?;
    let found = node::check(&answers).await?;
    print(&found.text())?;
    if asks && !answers::confirm(&answers)? {
        return print("Nothing was written.\n");
    }
    let written = output::write(&answers, force)?;
    print(&written.text())
}
