//! The configuration. The environment overrides the TOML file, and flags override both.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use atoma_domain::ObjectId;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Prefix of environment variables: `ATOMA__SUI__RPC_URL` sets `sui.rpc_url`.
const ENV_PREFIX: &str = "ATOMA__";

/// Every setting. Relative paths in the file are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the HTTP API, which must be a loopback address.
    #[serde(default = "default_http_addr")]
    pub http_addr: SocketAddr,
    /// Directory of the database.
    pub data_dir: PathBuf,
    /// Host names that requests may use, in addition to loopback names.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// How long an answer waits for its transactions, in seconds, from 1 to 3600.
    #[serde(default = "default_request_timeout_s")]
    pub request_timeout_s: u64,
    /// How long a start waits for the outcome of transactions that the last run left open before it
    /// accepts new ones, in seconds, at most 3600.
    #[serde(default = "default_recovery_timeout_s")]
    pub recovery_timeout_s: u64,
    /// How many intents may wait for one node. Further ones are refused with `queue_full`.
    #[serde(default = "default_queue_limit")]
    pub queue_limit: usize,
    /// The Sui network and the contract.
    pub sui: SuiConfig,
    /// Gas budgets and limits.
    #[serde(default)]
    pub gas: GasConfig,
    /// When writes pause.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Accept writes even when another program uses the operator's badges. By default the daemon
    /// stops writes at the start if a badge was used without it.
    #[serde(default)]
    pub allow_foreign_use: bool,
}

/// The Sui network and the contract.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiConfig {
    /// The Sui CLI's `client.yaml`, which names the keystore and the active address.
    pub client_config: PathBuf,
    /// URL of a full node's gRPC endpoint. Default: that of the active environment in `client.yaml`.
    #[serde(default)]
    pub rpc_url: Option<String>,
    /// Object id of the Atoma package.
    pub package_id: ObjectId,
    /// Object id of the contract's shared `AtomaDb`.
    pub atoma_db_id: ObjectId,
    /// First checkpoint to mirror into a new database: any before the contract was published.
    #[serde(default)]
    pub start_checkpoint: u64,
}

/// Gas budgets and limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GasConfig {
    /// Margin added to the simulated gas cost, in percent, at most 1000.
    pub margin_percent: u64,
    /// Largest gas budget that the daemon chooses on its own, in MIST.
    pub budget_ceiling_mist: u64,
    /// Most gas to spend in 24 hours, in MIST. `None` means no cap.
    pub daily_cap_mist: Option<u64>,
    /// Balance in MIST below which `GET /ready` warns that gas is running out.
    pub low_balance_mist: u64,
}

/// When writes pause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Number of failed transactions in a row that opens the breaker. 0 disables it.
    pub failures: u32,
    /// How long the breaker stays open, in seconds, from 1 to 86400.
    pub pause_s: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 20,
            pause_s: 300,
        }
    }
}

impl Default for GasConfig {
    fn default() -> Self {
        Self {
            margin_percent: 25,
            budget_ceiling_mist: 5_000_000_000,
            daily_cap_mist: None,
            low_balance_mist: 1_000_000_000,
        }
    }
}

/// Flags that override the file and the environment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overrides {
    /// Overrides `http_addr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_addr: Option<SocketAddr>,
    /// Overrides `data_dir`. Relative to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Overrides `sui.rpc_url`.
    #[serde(skip)]
    pub rpc_url: Option<String>,
}

/// Why a configuration can't be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("cannot read the configuration file {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A key is missing, unknown or of the wrong type. The source names it.
    #[error("invalid configuration {}", .path.display())]
    Keys {
        /// The file. The key may come from it, from the environment or from a flag.
        path: PathBuf,
        /// The key and what is wrong with it.
        #[source]
        source: Box<figment::Error>,
    },
    /// A value is out of range.
    #[error("`{key}` {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// The rule that the value breaks.
        problem: String,
    },
}

fn default_http_addr() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))
}

const fn default_request_timeout_s() -> u64 {
    90
}

const fn default_recovery_timeout_s() -> u64 {
    60
}

const fn default_queue_limit() -> usize {
    10_000
}

impl Config {
    /// Reads the file, the environment and the flags.
    ///
    /// # Errors
    /// When the file can't be read, or a key is missing, unknown, of the wrong type or out of
    /// range. The message names the key.
    pub fn load(file: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
            path: file.to_path_buf(),
            source,
        })?;
        let dir = file.parent().unwrap_or(Path::new(""));
        let mut figment = Figment::from(Toml::string(&text))
            .merge(Env::prefixed(ENV_PREFIX).split("__"))
            .merge(Serialized::defaults(&overrides));
        if let Some(url) = &overrides.rpc_url {
            figment = figment.merge(Serialized::default("sui.rpc_url", url));
        }
        let config: Self = figment.extract().map_err(|error| ConfigError::Keys {
            path: file.to_path_buf(),
            source: Box::new(error),
        })?;
        config.relative_to(dir, &overrides).checked()
    }

    /// Resolves paths from the file relative to the file. A path from a flag stays relative to the
    /// working directory.
    fn relative_to(mut self, dir: &Path, overrides: &Overrides) -> Self {
        self.sui.client_config = dir.join(&self.sui.client_config);
        if overrides.data_dir.is_none() {
            self.data_dir = dir.join(&self.data_dir);
        }
        self
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let value = |key, problem: &str| {
            Err(ConfigError::Value {
                key,
                problem: problem.to_owned(),
            })
        };
        if !self.http_addr.ip().is_loopback() {
            return value(
                "http_addr",
                "must be a loopback address, because the API spends money and has no authentication",
            );
        }
        if !(1..=3600).contains(&self.request_timeout_s) {
            return value("request_timeout_s", "must be between 1 and 3600");
        }
        if self.recovery_timeout_s > 3600 {
            return value("recovery_timeout_s", "must be at most 3600");
        }
        if !(1..=1_000_000).contains(&self.queue_limit) {
            return value("queue_limit", "must be between 1 and 1000000");
        }
        if self.gas.margin_percent > 1000 {
            return value("gas.margin_percent", "must be at most 1000");
        }
        if self.gas.budget_ceiling_mist == 0 {
            return value("gas.budget_ceiling_mist", "must be greater than 0");
        }
        if !(1..=86_400).contains(&self.breaker.pause_s) {
            return value("breaker.pause_s", "must be between 1 and 86400");
        }
        if let Some(url) = &self.sui.rpc_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return value("sui.rpc_url", "must start with http:// or https://");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
