//! The commands that need no daemon: completions, manual and the API's document.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::output::print;

/// The flags of `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// The flags of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Directory for a page of every command. Without it the first page is printed.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl CompletionsArgs {
    pub(super) fn run(&self, command: Command) -> anyhow::Result<()> {
        let mut command = command;
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        print(std::str::from_utf8(&script)?)
    }
}

impl ManArgs {
    pub(super) fn run(&self, command: Command) -> anyhow::Result<()> {
        let Some(dir) = &self.dir else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            return print(std::str::from_utf8(&page)?);
        };
        let failed = || format!("can't write the manual to {}", dir.display());
        std::fs::create_dir_all(dir).with_context(failed)?;
        clap_mangen::generate_to(command, dir).with_context(failed)
    }
}

/// Prints the OpenAPI document.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn openapi() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&atoma_api::document())?;
    print(&format!("{document}\n"))
}
