//! The command line.

mod advice;
mod alarms;
mod autopilot;
mod backup;
mod books;
mod config;
mod connection;
mod database;
mod doctor;
mod import;
mod lists;
mod outcomes;
mod progress;
mod reads;
mod reconcile;
mod requests;
mod rotate_key;
mod spend;
mod stacks;
mod status;
mod table;
mod tools;
mod transactions;
mod withdraw;

use std::process::ExitCode;

use anstyle::AnsiColor;
use atoma_domain::ports::Clock as _;
use clap::builder::Styles;
use clap::{CommandFactory as _, Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::config::ConfigError;
use crate::daemon::Daemon;
#[cfg(feature = "dev")]
use crate::dev::{self, DevArgs};
use crate::init::{self, InitArgs};
use crate::output::{BAD, DOUBTFUL, GOOD, painted, print_json, tell};
use crate::{exit, logging, signals};
pub(crate) use advice::told;
use alarms::AlarmsCommand;
use atoma_operator::SystemClock;
use autopilot::AutopilotCommand;
use backup::{BackupArgs, RestoreArgs};
use books::BooksCommand;
use config::{ConfigArgs, ConfigCommand};
use doctor::DoctorArgs;
use import::ImportArgs;
use reads::ReadCommand;
use reconcile::ReconcileArgs;
use requests::RequestCommand;
use table::plain;
use tools::{CompletionsArgs, ManArgs};
use transactions::TransactionsCommand;

/// Colours of help and of wrong usage.
const STYLES: Styles = Styles::styled()
    .header(GOOD)
    .usage(GOOD)
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(BAD)
    .valid(GOOD)
    .invalid(DOUBTFUL);

/// Node daemon of the Atoma Network. Mirrors the Atoma contract, serves the mirror over HTTP, and
/// settles, attests and claims stacks.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = exit::HELP, styles = STYLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration and a token, checked against the Sui node.
    #[command(after_help = exit::HELP)]
    Init(InitArgs),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Run the daemon against a Sui network.
    #[command(after_help = exit::HELP)]
    Serve(ConfigArgs),
    /// Run a local Sui network, a demo world and the daemon in one process.
    #[cfg(feature = "dev")]
    Dev(DevArgs),
    #[command(flatten)]
    Read(ReadCommand),
    #[command(flatten)]
    Request(Box<RequestCommand>),
    /// Show, plan, pause or resume the autopilot, or explain what it does about a stack.
    #[command(subcommand)]
    Autopilot(AutopilotCommand),
    /// List, show, follow or abandon transactions.
    #[command(subcommand)]
    Transactions(TransactionsCommand),
    /// List, acknowledge or test alarms.
    #[command(subcommand)]
    Alarms(AlarmsCommand),
    /// Show what the nodes earned, what they are owed, and what happened to a stack.
    #[command(subcommand)]
    Books(BooksCommand),
    /// Compare the mirror with the contract's own state and repair it, or rebuild it.
    #[command(after_help = exit::HELP)]
    Reconcile(ReconcileArgs),
    /// Copy the database while the daemon runs, and check the copy.
    #[command(after_help = exit::HELP)]
    Backup(BackupArgs),
    /// Put a backup in place of the database. The daemon must be stopped.
    #[command(after_help = exit::HELP)]
    Restore(RestoreArgs),
    /// Take over the records of served work from the database of the earlier Atoma node. Both nodes must be stopped.
    #[command(after_help = exit::HELP)]
    Import(ImportArgs),
    /// Check everything that the daemon depends on, and say what to do about what is wrong.
    #[command(after_help = exit::HELP)]
    Doctor(DoctorArgs),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages.
    Man(ManArgs),
}

impl Command {
    /// Whether it is a service, which tells errors in the log.
    const fn is_logged(&self) -> bool {
        match self {
            Self::Serve(_) => true,
            #[cfg(feature = "dev")]
            Self::Dev(_) => true,
            _ => false,
        }
    }

    /// Whether standard output is to hold what the API answers, refusals included.
    const fn prints_json(&self) -> bool {
        match self {
            Self::Read(command) => command.connection().json,
            Self::Request(command) => command.connection().json,
            Self::Autopilot(command) => command.connection().json,
            Self::Transactions(command) => command.connection().json,
            Self::Alarms(command) => command.connection().json,
            Self::Books(command) => command.connection().json,
            Self::Reconcile(args) => args.connection.json,
            _ => false,
        }
    }
}

/// Runs the given command until it finishes. `serve` and `dev` also end when the process receives SIGINT
/// or SIGTERM, and tell errors in the log; the others tell them on standard error.
pub async fn run(cli: Cli) -> ExitCode {
    let prints_json = cli.command.prints_json();
    let logging = cli.command.is_logged().then(logging::start);
    let ended = match cli.command {
        Command::Init(args) => init::run(args).await,
        Command::Config(command) => command.run(),
        Command::Serve(args) => serve(args).await,
        #[cfg(feature = "dev")]
        Command::Dev(args) => dev::run(args, stopping()).await,
        Command::Read(command) => command.run().await,
        Command::Request(command) => command.run().await,
        Command::Autopilot(command) => command.run().await,
        Command::Transactions(command) => command.run().await,
        Command::Alarms(command) => command.run().await,
        Command::Books(command) => command.run().await,
        Command::Reconcile(args) => args.run().await,
        Command::Backup(args) => args.run().await,
        Command::Restore(args) => args.run().await,
        Command::Import(args) => args.run().await,
        Command::Doctor(args) => args.run().await,
        Command::Openapi => tools::openapi(),
        Command::Completions(args) => args.run(Cli::command()),
        Command::Man(args) => args.run(Cli::command()),
    };
    if prints_json && let Some(refusal) = ended.as_ref().err().and_then(advice::refusal) {
        // Nobody reads it any more if that fails; the sentences below tell the same.
        let _ = print_json(refusal);
    }
    for sentence in ended
        .as_ref()
        .err()
        .iter()
        .flat_map(|error| exit::sentences(error, advice::message))
    {
        if logging.is_some() {
            error!("{sentence}");
        } else {
            tell(&format!("{} {}", painted(BAD, "error:"), plain(&sentence)));
        }
    }
    exit::code(&ended)
}

async fn serve(args: ConfigArgs) -> anyhow::Result<()> {
    let stopping = stopping();
    let config = args.load()?;
    let found = config.check_files(|name| std::env::var_os(name), SystemClock.now());
    if !found.faults.is_empty() {
        return Err(ConfigError::from(found.faults).into());
    }
    Daemon::build(config, stopping)
        .await?
        .run_until_stopped()
        .await
}

/// What SIGINT and SIGTERM cancel.
fn stopping() -> CancellationToken {
    let stopping = CancellationToken::new();
    signals::cancel_on_interrupt(stopping.clone());
    stopping
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{FLAGS, OTHER_VARIABLES};

    #[test]
    fn the_documented_flags_are_those_of_the_commands() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        command.build();
        let serve = command.find_subcommand("serve").unwrap();
        let mut flags: Vec<_> = serve
            .get_arguments()
            .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
            .filter(|flag| flag != "--config" && flag != "--help")
            .collect();
        let mut documented: Vec<_> = FLAGS.iter().map(|(_, flag)| (*flag).to_owned()).collect();
        flags.sort();
        documented.sort();
        assert_eq!(flags, documented);
    }

    #[test]
    fn the_variables_of_the_commands_are_no_misspelt_settings() {
        fn variables(command: &clap::Command, found: &mut BTreeSet<String>) {
            for argument in command.get_arguments() {
                found.extend(
                    argument
                        .get_env()
                        .map(|name| name.to_str().unwrap().to_owned()),
                );
            }
            for inner in command.get_subcommands() {
                variables(inner, found);
            }
        }
        let mut found = BTreeSet::from(["ATOMA_LOG_FORMAT".to_owned()]);
        variables(&Cli::command(), &mut found);
        let known = OTHER_VARIABLES.iter().map(|name| (*name).to_owned());
        assert_eq!(found, known.collect());
    }
}
