//! The commands about the configuration. None of them needs the network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use atoma_domain::ports::Clock as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::table::plain;
use crate::config::{Chosen, Config, ConfigError, Overrides, example};
use crate::exit;
use crate::output::{DOUBTFUL, painted, print, tell};
use atoma_operator::SystemClock;

/// The configuration file, and the flags that override settings.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// Configuration file, in TOML.
    #[arg(long, value_name = "FILE", env = "ATOMA_CONFIG")]
    config: PathBuf,
    /// Address of the HTTP API. Beyond loopback it needs a token and encryption. Overrides `http_addr`.
    #[arg(long, value_name = "ADDR")]
    http_addr: Option<SocketAddr>,
    /// Directory of the database, relative to the working directory. Overrides `data_dir`.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// URL of the Sui full node. Overrides `sui.rpc_url`.
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
}

impl ConfigArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Those of [`Config::load`].
    pub(super) fn load(self) -> Result<Config, ConfigError> {
        let overrides = Overrides {
            http_addr: self.http_addr,
            data_dir: self.data_dir,
            rpc_url: self.rpc_url,
        };
        Config::load(&self.config, overrides)
    }
}

/// The commands about the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with the configuration and the files that it names.
    #[command(after_help = exit::HELP)]
    Check(ConfigArgs),
    /// Show each key with its effective value and where it comes from. Secrets are not shown.
    #[command(after_help = exit::HELP)]
    Show(ShowArgs),
    /// Print a configuration file with every key, its description and its default.
    Example,
}

/// The flags of `config show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl ConfigCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Check(args) => check(args),
            Self::Show(args) => {
                let file = args.config.config.clone();
                let config = args.config.load()?;
                let text = if args.json {
                    let shown = json!({"file": file, "settings": config.shown()});
                    format!("{shown:#}\n")
                } else {
                    table(&config, &file)
                };
                print(&text)
            }
            Self::Example => print(&example(&Chosen::new())),
        }
    }
}

fn check(args: ConfigArgs) -> anyhow::Result<()> {
    let config = args.load()?;
    let found = config.check_files(|name| std::env::var_os(name), SystemClock.now());
    for warning in &found.warnings {
        let warning = plain(&warning.to_string());
        tell(&format!("{} {warning}", painted(DOUBTFUL, "warning:")));
    }
    if !found.faults.is_empty() {
        return Err(ConfigError::from(found.faults).into());
    }
    let verdict = match found.warnings.len() {
        0 => "the configuration is valid\n".to_owned(),
        1 => "the configuration is valid, with 1 warning\n".to_owned(),
        count => format!("the configuration is valid, with {count} warnings\n"),
    };
    print(&verdict)
}

/// The keys in columns.
fn table(config: &Config, file: &Path) -> String {
    let mut rows = vec![["KEY".to_owned(), "VALUE".to_owned(), "FROM".to_owned()]];
    let shown = config.shown();
    rows.extend(
        shown
            .iter()
            .map(|row| [row.key.clone(), row.text(), row.place(file)]),
    );
    let width = |column: fn(&[String; 3]) -> &String| {
        let lengths = rows.iter().map(|row| column(row).chars().count());
        lengths.max().unwrap_or_default()
    };
    let (keys, values) = (width(|[key, ..]| key), width(|[_, value, _]| value));
    rows.iter()
        .map(|[key, value, from]| format!("{key:keys$}  {value:values$}  {from}\n"))
        .collect()
}
