//! The configuration: a TOML file, the environment over it, flags over both.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use atoma_domain::ObjectId;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The prefix of environment variables: `ATOMA__SUI__RPC_URL` is `sui.rpc_url`.
const ENV_PREFIX: &str = "ATOMA__";

/// All that can be set. Relative paths in the file are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the API listens; loopback only.
    #[serde(default = "default_http_addr")]
    pub http_addr: SocketAddr,
    /// Where the database lies.
    pub data_dir: PathBuf,
    /// Host names under which the API may be asked, besides loopback's own.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// How long an answer waits for its transactions, in seconds; at most one hour.
    #[serde(default = "default_request_timeout_s")]
    pub request_timeout_s: u64,
    /// How long a start waits for the transactions to be decided that were on their way when the daemon
    /// last ended, before it takes new ones, in seconds; at most one hour.
    #[serde(default = "default_recovery_timeout_s")]
    pub recovery_timeout_s: u64,
    /// How many transactions may wait for one node; more are refused with `queue_full`.
    #[serde(default = "default_queue_limit")]
    pub queue_limit: usize,
    /// The Sui network and the contract.
    pub sui: SuiConfig,
    /// How transactions are paid.
    #[serde(default)]
    pub gas: GasConfig,
    /// When writes are paused.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Whether somebody else may use the operator's badges: without it, a badge that moved without
    /// this daemon stops writes at the start.
    #[serde(default)]
    pub allow_foreign_use: bool,
}

/// The Sui network and the contract.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiConfig {
    /// The Sui CLI's `client.yaml`, which names the keystore and the active address.
    pub client_config: PathBuf,
    /// The Sui node's gRPC; by default the active environment's of `client.yaml`.
    #[serde(default)]
    pub rpc_url: Option<String>,
    /// The contract's package.
    pub package_id: ObjectId,
    /// The contract's shared object.
    pub atoma_db_id: ObjectId,
    /// The first checkpoint to mirror when the database is new: any before the contract's first.
    #[serde(default)]
    pub start_checkpoint: u64,
}

/// How transactions are paid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GasConfig {
    /// What is added to a simulated gas need, in percent.
    pub margin_percent: u64,
    /// The largest budget that the daemon chooses by itself, in MIST.
    pub budget_ceiling_mist: u64,
    /// The most gas that may be spent in 24 hours, in MIST; without it there is no cap.
    pub daily_cap_mist: Option<u64>,
    /// Below this `/ready` warns that gas runs out, in MIST.
    pub low_balance_mist: u64,
}

/// When writes are paused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// After how many failed transactions in a row; 0 is never.
    pub failures: u32,
    /// For how long, in seconds; at most one day.
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

/// What flags set over file and environment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overrides {
    /// Over `http_addr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_addr: Option<SocketAddr>,
    /// Over `data_dir`; relative to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Over `sui.rpc_url`.
    #[serde(skip)]
    pub rpc_url: Option<String>,
}

/// A configuration that can't be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration {} can't be read", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A key is missing, unknown or of the wrong kind; the source names it.
    #[error("the configuration is not valid")]
    Keys(#[source] Box<figment::Error>),
    /// A value is out of its range.
    #[error("`{key}` {problem}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
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
    /// When the file can't be read, or a key is missing, unknown, of the wrong kind or out of
    /// range; the message names it.
    pub fn load(file: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::File {
            path: file.to_path_buf(),
            source,
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut figment = Figment::from(Toml::string(&text))
            .merge(Env::prefixed(ENV_PREFIX).split("__"))
            .merge(Serialized::defaults(&overrides));
        if let Some(url) = &overrides.rpc_url {
            figment = figment.merge(Serialized::default("sui.rpc_url", url));
        }
        let config: Self = figment
            .extract()
            .map_err(|error| ConfigError::Keys(Box::new(error)))?;
        config.relative_to(folder, &overrides).checked()
    }

    /// Paths of the file begin where the file lies; a flag's where the command was given.
    fn relative_to(mut self, folder: &Path, overrides: &Overrides) -> Self {
        self.sui.client_config = folder.join(&self.sui.client_config);
        if overrides.data_dir.is_none() {
            self.data_dir = folder.join(&self.data_dir);
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
                "must be a loopback address: the API spends money and has no other protection",
            );
        }
        if !(1..=3600).contains(&self.request_timeout_s) {
            return value("request_timeout_s", "must be from 1 to 3600");
        }
        if self.recovery_timeout_s > 3600 {
            return value("recovery_timeout_s", "must be at most 3600");
        }
        if !(1..=1_000_000).contains(&self.queue_limit) {
            return value("queue_limit", "must be from 1 to 1000000");
        }
        if self.gas.margin_percent > 1000 {
            return value("gas.margin_percent", "must be at most 1000");
        }
        if self.gas.budget_ceiling_mist == 0 {
            return value("gas.budget_ceiling_mist", "must be more than 0");
        }
        if !(1..=86_400).contains(&self.breaker.pause_s) {
            return value("breaker.pause_s", "must be from 1 to 86400");
        }
        if let Some(url) = &self.sui.rpc_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return value("sui.rpc_url", "must begin with http:// or https://");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
