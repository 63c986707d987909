//! The answers that `init` needs, from flags or from a person at the terminal.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atoma_domain::ObjectId;
use atoma_sui::NodeUrl;
use clap::{Args, ValueEnum as _};
use dialoguer::Input;

use super::network::Network;
use crate::config::ModeSetting;
use crate::exit::{UsageError, has_terminal};
use crate::question;

/// The flags of `init`. On a terminal, `init` asks for what is missing.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Sui network.
    #[arg(long, value_enum)]
    network: Option<Network>,
    /// URL of a full node with gRPC. Without it, the network's public one. Give it several times for several
    /// nodes, the preferred one first.
    #[arg(long, value_name = "URL")]
    rpc_url: Vec<String>,
    /// The Sui CLI's `client.yaml`, whose active address is the operator's. Without it, the one in
    /// `.sui/sui_config` of your home directory.
    #[arg(long, value_name = "FILE")]
    sui_client_config: Option<PathBuf>,
    /// Object id of the Atoma package.
    #[arg(long, value_name = "ID")]
    package_id: Option<ObjectId>,
    /// Object id of the contract's AtomaDb.
    #[arg(long, value_name = "ID")]
    atoma_db_id: Option<ObjectId>,
    /// Configuration file to write. The token goes into the directory `tokens` beside it.
    #[arg(
        long,
        value_name = "FILE",
        env = "ATOMA_CONFIG",
        default_value = "daemon.toml"
    )]
    config: PathBuf,
    /// Whether the autopilot attests, settles and claims by itself: `off`, `plan` to say only what it would do, or `on`.
    /// Without it, `on`.
    #[arg(long, value_enum)]
    autopilot: Option<ModeSetting>,
    /// Directory of the database. Without it, `data` beside the configuration file.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Ask nothing, and take the defaults for what is missing.
    #[arg(long)]
    yes: bool,
    /// Replace an existing configuration. An existing token stays as it is.
    #[arg(long)]
    force: bool,
}

/// Everything that `init` needs, with absolute paths where the working directory counts.
pub(super) struct Answers {
    pub(super) network: Network,
    /// The preferred one first. A path can be a token.
    pub(super) rpc_urls: Vec<String>,
    pub(super) client_config: PathBuf,
    pub(super) package_id: ObjectId,
    pub(super) atoma_db_id: ObjectId,
    pub(super) config: PathBuf,
    pub(super) data_dir: PathBuf,
    pub(super) autopilot: ModeSetting,
}

/// The data directory beside the configuration file.
const DATA_DIR: &str = "data";

impl InitArgs {
    /// The file to write.
    pub(super) fn file(&self) -> &Path {
        &self.config
    }

    pub(super) const fn is_forced(&self) -> bool {
        self.force
    }

    /// Whether there is somebody to ask.
    pub(super) fn asks(&self) -> bool {
        !self.yes && has_terminal()
    }

    /// Takes the flags, and asks for the rest or takes the defaults.
    ///
    /// # Errors
    /// [`UsageError`] with all flags that are missing, or one that can't be used.
    pub(super) fn complete(mut self, asks: bool) -> anyhow::Result<Answers> {
        let at_home = home().map(|home| home.join(".sui/sui_config/client.yaml"));
        let at_home = at_home.filter(|file| file.exists());
        if asks {
            self.ask(at_home.as_deref())?;
        }
        self.sui_client_config = self.sui_client_config.or(at_home);
        let (Some(network), Some(client_config), Some(package_id), Some(atoma_db_id)) = (
            self.network,
            self.sui_client_config.clone(),
            self.package_id,
            self.atoma_db_id,
        ) else {
            return Err(self.missing().into());
        };
        let mut rpc_urls = self.rpc_url;
        if rpc_urls.is_empty() {
            rpc_urls.push(network.rpc_url().to_owned());
        }
        for url in &rpc_urls {
            check_url(url).map_err(UsageError)?;
        }
        Ok(Answers {
            network,
            rpc_urls,
            client_config: absolute(&client_config)?,
            package_id,
            atoma_db_id,
            config: absolute(&self.config)?,
            autopilot: self.autopilot.unwrap_or(ModeSetting::On),
            data_dir: match self.data_dir {
                Some(dir) if dir != Path::new(DATA_DIR) => absolute(&dir)?,
                // Relative to the configuration file.
                _ => PathBuf::from(DATA_DIR),
            },
        })
    }

    /// Says which flags are missing.
    fn missing(&self) -> UsageError {
        let flags = [
            ("--network", self.network.is_none()),
            ("--sui-client-config", self.sui_client_config.is_none()),
            ("--package-id", self.package_id.is_none()),
            ("--atoma-db-id", self.atoma_db_id.is_none()),
        ];
        let missing = flags.iter().filter(|(_, is_missing)| *is_missing);
        let missing: Vec<_> = missing.map(|(flag, _)| *flag).collect();
        UsageError(format!(
            "missing {}: add what is missing, or run `atoma-daemon init` on a terminal without `--yes` to be asked",
            missing.join(", ")
        ))
    }

    /// Asks for what no flag says.
    fn ask(&mut self, client_config: Option<&Path>) -> anyhow::Result<()> {
        let network = match self.network {
            Some(network) => network,
            None => {
                let networks = Network::value_variants();
                let names: Vec<_> = networks.iter().map(ToString::to_string).collect();
                let read = |text: &str| Network::from_str(text.trim(), true);
                // Not a list to choose from, which hides the cursor and leaves it so on Ctrl-C.
                let mut prompt = Input::<String>::new()
                    .with_prompt(format!("Sui network ({})", names.join(", ")))
                    .validate_with(|text: &String| read(text).map(drop));
                if let Some(first) = names.first() {
                    prompt = prompt.default(first.clone());
                }
                read(&prompt.interact_text()?).map_err(anyhow::Error::msg)?
            }
        };
        self.network = Some(network);
        if self.rpc_url.is_empty() {
            let public = network.rpc_url().to_owned();
            let prompt = Input::new().with_prompt("URL of a full node with gRPC");
            let url = prompt
                .default(public)
                .validate_with(|url: &String| check_url(url));
            self.rpc_url.push(url.interact_text()?);
        }
        if self.sui_client_config.is_none() {
            let mut prompt = Input::<String>::new()
                .with_prompt("Sui client configuration (its active address is the operator's)");
            if let Some(file) = client_config {
                prompt = prompt.default(file.display().to_string());
            }
            self.sui_client_config = Some(PathBuf::from(prompt.interact_text()?));
        }
        if self.package_id.is_none() {
            self.package_id = Some(ask_id("Object id of the Atoma package")?);
        }
        if self.atoma_db_id.is_none() {
            self.atoma_db_id = Some(ask_id("Object id of the AtomaDb")?);
        }
        if self.autopilot.is_none() {
            let is_on =
                question::ask("Let the autopilot attest, settle and claim by itself", true)?;
            self.autopilot = Some(match is_on {
                true => ModeSetting::On,
                false => ModeSetting::Off,
            });
        }
        if self.data_dir.is_none() {
            let dir: String = Input::new()
                .with_prompt("Directory of the database (`data` is beside the configuration)")
                .default(DATA_DIR.to_owned())
                .interact_text()?;
            self.data_dir = Some(PathBuf::from(dir));
        }
        Ok(())
    }
}

/// Asks whether to write the files.
pub(super) fn confirm(answers: &Answers) -> anyhow::Result<bool> {
    question::ask(&format!("Write {}", answers.config.display()), true)
}

fn ask_id(prompt: &str) -> anyhow::Result<ObjectId> {
    let read = |text: &str| -> Result<ObjectId, &'static str> {
        text.trim()
            .parse()
            .map_err(|_| "an object id is 0x and 1 to 64 hexadecimal digits")
    };
    let text: String = Input::new()
        .with_prompt(prompt)
        .validate_with(|text: &String| read(text).map(|_| ()))
        .interact_text()?;
    read(&text).map_err(anyhow::Error::msg)
}

fn check_url(url: &str) -> Result<(), String> {
    let checked = url.parse::<NodeUrl>();
    checked
        .map(|_| ())
        .map_err(|error| format!("the URL of the full node {error}"))
}

/// The path, with the home directory for `~/` at the beginning: no shell replaces it in an answer or after
/// `=`.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let path = match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_path_buf(),
    };
    std::path::absolute(&path).with_context(|| format!("can't use the path {}", path.display()))
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}
